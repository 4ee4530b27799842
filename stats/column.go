package stats

// Kind is the type of a column's values, as `show stat typed` names it.
type Kind string

// Kinds of values.
const (
	Uint32 Kind = "u32"
	Uint64 Kind = "u64"
	Int32  Kind = "s32"
	Text   Kind = "str"
)

// Value is one value of a column. The zero Value is absent: the row has none.
type Value struct {
	Kind   Kind // empty when absent
	Number int64
	Text   string // of Kind Text
}

// Present reports whether there is a value.
func (v Value) Present() bool { return v.Kind != "" }

// Rows is a set of row types.
type Rows uint8

// Sets of row types.
const (
	Frontends Rows = 1 << FrontendRow
	Backends  Rows = 1 << BackendRow
	Servers   Rows = 1 << ServerRow
	Listeners Rows = 1 << ListenerRow
	AllRows        = Frontends | Backends | Servers | Listeners
)

// Has reports whether the set has t.
func (s Rows) Has(t RowType) bool { return s&(1<<t) != 0 }

// Tags are the three letters of `show stat typed`: where a value comes from,
// what it is, and what it is about (Management Guide 9.2).
type Tags string

// Words of the letters, in the order origin, nature, scope.
var (
	origins = map[byte]string{'M': "Metric", 'S': "Status", 'K': "Key", 'C': "Config", 'P': "Product"}
	natures = map[byte]string{'G': "Gauge", 'L': "Limit", 'm': "Min", 'M': "Max", 'R': "Rate", 'C': "Counter", 'D': "Duration",
		'A': "Age", 'T': "Time", 'N': "Name", 'O': "Output", 'a': "Avg", 'S': "Gauge"}
	scopes = map[byte]string{'C': "Cluster", 'P': "Process", 'S': "Service"}
)

// Words answers the tags spelled out.
func (t Tags) Words() (origin, nature, scope string) {
	return origins[t[0]], natures[t[1]], scopes[t[2]]
}

// Column is one statistic of a row: where it stands in every output.
type Column struct {
	Name string // heading in the CSV
	// Metric is the Prometheus name after "haproxy_frontend_" and so on; empty
	// when there is none.
	Metric string
	Help   string // one line, without a full stop
	Rows   Rows   // row types that have the statistic
	Tags   Tags
	Kind   Kind
	// Legend marks what the page shows only under `stats show-legends`.
	Legend bool
	get    func(*Row) Value
}

// Of answers the column's value in r, absent when r has none.
func (c *Column) Of(r *Row) Value {
	if !c.Rows.Has(r.Type) {
		return Value{}
	}
	v := c.get(r)
	if v.Present() {
		v.Kind = c.Kind
	}
	return v
}

// Counter reports whether the column only ever grows, which Prometheus wants
// to know.
func (c *Column) Counter() bool { return c.Tags[1] == 'C' }

// The getters below are the vocabulary of the tables.

func count(get func(*Row) uint64) func(*Row) Value {
	return func(r *Row) Value { return Value{Kind: Uint64, Number: int64(get(r))} }
}

func whole(get func(*Row) int) func(*Row) Value {
	return func(r *Row) Value { return Value{Kind: Int32, Number: int64(get(r))} }
}

func seconds(get func(*Row) int64) func(*Row) Value {
	return func(r *Row) Value { return Value{Kind: Int32, Number: get(r)} }
}

// text is absent when empty.
func text(get func(*Row) string) func(*Row) Value {
	return func(r *Row) Value {
		if s := get(r); s != "" {
			return Value{Kind: Text, Text: s}
		}
		return Value{}
	}
}

// when leaves a value out unless the row has the condition.
func when(cond func(*Row) bool, get func(*Row) Value) func(*Row) Value {
	return func(r *Row) Value {
		if !cond(r) {
			return Value{}
		}
		return get(r)
	}
}

func nothing(*Row) Value { return Value{} }

func none(*Row) uint64 { return 0 }

func inHTTP(r *Row) bool { return r.Mode == "http" }

// checked: the server has a check and is not in maintenance.
func checked(r *Row) bool { return r.Checked && !r.CheckPaused }

// hasCheck: the server has a check; a backend has rows of its own.
func hasCheck(r *Row) bool { return r.Type != ServerRow || r.Checked }

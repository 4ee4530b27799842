package expr

import (
	"fmt"
	"net/netip"
	"strconv"

	"herald/config"
)

// mapRows are the converters that look a value up in a file of two columns.
var mapRows = func() (rows []config.Row[Change]) {
	by := map[string]string{"str": "is", "beg": "begins with", "sub": "contains", "dir": "has among its directories", "dom": "has among its domains",
		"end": "ends with", "int": "is", "ip": "is in", "reg": "matches"}
	for method, how := range by {
		from := Str
		if to := casts[method]; to == Int || to == Addr {
			from = to
		}
		for suffix, to := range map[string]Type{"": Str, "_int": Int, "_ip": Addr} {
			name := "map_" + method + suffix
			rows = append(rows, change(name, "The text behind the first word of a file that the value "+how+", or else the second argument.",
				map[Type]string{Str: "hdr(host)", Int: "dst_port", Addr: "src"}[from]+","+name+"(/etc/haproxy/some.map)",
				Change{From: from, To: to, Args: "s?s", Make: mapped(method, to)}))
		}
	}
	rows = append(rows, change("map", "The same as map_str.", "hdr(host),map(/etc/haproxy/some.map)", Change{From: Str, To: Str, Args: "s?s", Make: mapped("str", Str)}),
		change("map_regm", "As map_reg, with \\1 in the text for the groups of the expression.", "path,map_regm(/etc/haproxy/some.map)", Change{From: Str, To: Str, Args: "s?s", Make: mapped("regm", Str)}))
	return rows
}()

// table is a map in use: its keys, and the value of each.
type table struct {
	keys   set
	values []Value
}

func mapped(method string, to Type) func(a *Arguments) (Convert, error) {
	return func(a *Arguments) (Convert, error) {
		otherwise, err := valueOf(a.at(1), to)
		if err != nil && a.has(1) {
			return nil, err
		}
		t, err := a.files.table(method, to, a.at(0))
		if err != nil {
			return nil, err
		}
		has := a.has(1)
		expressions, _ := t.keys.(expressions)
		return func(in *Input, v *Value) Outcome {
			i := t.keys.find(in, v)
			switch {
			case i < 0:
				if !has {
					return Missing
				}
				*v = otherwise
				return Found
			case method == "regm":
				m := expressions[i].FindSubmatchIndex(v.Str)
				return v.bytes(Str, in.keep(appendReplacement(in.room(), v.Str, string(t.values[i].Str), m)))
			}
			*v = t.values[i]
			return Found
		}, nil
	}
}

// table reads a map, once for all who use it alike.
func (files Loader) table(method string, to Type, file string) (*table, error) {
	key := fmt.Sprintf("map %s %d %s", method, to, file)
	if t, ok := files.Made[key].(*table); ok {
		return t, nil
	}
	keys, values, err := files.lines(file, true)
	if err != nil {
		return nil, err
	}
	t := &table{}
	if method == "regm" {
		method = "reg"
	}
	if t.keys, err = newSet(method, keys, false, false); err != nil && len(keys) > 0 {
		return nil, fmt.Errorf("file %s: %w", file, err)
	} else if len(keys) == 0 {
		t.keys = exact{}
	}
	t.values = make([]Value, len(values))
	for i, text := range values {
		if t.values[i], err = valueOf(text, to); err != nil {
			return nil, fmt.Errorf("file %s: %s: %w", file, keys[i], err)
		}
	}
	if files.Made != nil {
		files.Made[key] = t
	}
	return t, nil
}

// valueOf reads what a map answers.
func valueOf(text string, to Type) (Value, error) {
	v := Value{Type: to, Str: []byte(text)}
	var err error
	switch to {
	case Int:
		if v.Int, err = strconv.ParseInt(text, 10, 64); err != nil {
			err = fmt.Errorf("%q is not an integer", text)
		}
	case Addr:
		if v.Addr, err = netip.ParseAddr(text); err != nil {
			err = fmt.Errorf("%q is not an address", text)
		}
	}
	return v, err
}

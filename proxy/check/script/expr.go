package script

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"herald/config"
	"herald/proxy/arith"
)

// World is what the expressions and headers of a check may tell of where it
// runs. It is a snapshot made when the check begins.
type World struct {
	Backend, Server     string
	BackendID, ServerID int
	Addr, Port          string // of the server; "unix" for a path
	Host                string // this machine's name
	Pid                 int
	Usable, Conns       int // servers of the backend that are usable, its connections
	ServerConns         int
	// Running says that the server is not down, for disable-on-404.
	Running bool
	// State is the value of X-Haproxy-Server-State.
	State string
	Now   time.Time
	// Env answers an environment variable; nil knows none.
	Env func(string) string
	// Vars are the variables of the process ("proc.x") and of the server's
	// checks ("sess.x"), which a run may change.
	Vars map[string]string
}

// env is what an expression sees while a machine runs.
type env struct {
	*World
	check map[string]string // variables of this run
	data  []byte            // received so far, of a TCP exchange
	http  *response         // of an HTTP one, nil before
}

func (e *env) get(name string) (string, bool) {
	if strings.HasPrefix(name, "check.") {
		v, ok := e.check[name]
		return v, ok
	}
	v, ok := e.Vars[name]
	return v, ok
}

func (e *env) set(name, value string) {
	m := &e.check
	if !strings.HasPrefix(name, "check.") {
		m = &e.Vars
	}
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[name] = value
}

func (e *env) unset(name string) {
	delete(e.check, name)
	delete(e.Vars, name)
}

// Expr is a sample expression: a fetch and the converters behind it.
type Expr struct {
	fetch func(e *env) (string, bool)
	then  []func(string) (string, bool)
}

// eval answers false when there is no sample.
func (x *Expr) eval(e *env) (string, bool) {
	v, ok := x.fetch(e)
	for _, f := range x.then {
		if !ok {
			return "", false
		}
		v, ok = f(v)
	}
	return v, ok
}

// number evaluates to an integer, 0 when it is none.
func (x *Expr) number(e *env) int {
	v, _ := x.eval(e)
	return int(leading(v))
}

// CompileExpr reads an expression, "var(check.port)" or "str(a),upper". Http
// says that it is one of an http-check, where the response can be asked.
func CompileExpr(text string, http bool) (*Expr, error) {
	parts, err := splitExpr(text)
	if err != nil {
		return nil, err
	}
	x := &Expr{}
	if x.fetch, err = compileFetch(parts[0], http); err != nil {
		return nil, err
	}
	for _, p := range parts[1:] {
		f, err := compileConverter(p)
		if err != nil {
			return nil, err
		}
		x.then = append(x.then, f)
	}
	return x, nil
}

// call is one word of an expression with its arguments.
type call struct {
	name string
	args []string
}

// splitExpr cuts "a(1,2),b,c(3)" into calls.
func splitExpr(text string) ([]call, error) {
	var out []call
	for rest := text; ; {
		end := strings.IndexAny(rest, "(,")
		if end < 0 {
			return append(out, call{name: rest}), nil
		}
		c := call{name: rest[:end]}
		if rest[end] == '(' {
			closing := strings.IndexByte(rest[end:], ')')
			if closing < 0 {
				return nil, fmt.Errorf("missing ')' after %q", rest)
			}
			if inside := rest[end+1 : end+closing]; inside != "" {
				c.args = strings.Split(inside, ",")
			}
			rest = rest[end+closing+1:]
		} else {
			rest = rest[end:]
		}
		out = append(out, c)
		if rest == "" {
			return out, nil
		}
		if rest[0] != ',' {
			return nil, fmt.Errorf("%q follows ')' without a comma", rest)
		}
		rest = rest[1:]
	}
}

// fetch is one row of the fetches a check may use.
type fetch struct {
	min, max int // arguments
	http     bool
	get      func(e *env, args []string) (string, bool)
	literal  func(text string) (string, error) // instead of get
}

func constant(get func(e *env) string) fetch {
	return fetch{get: func(e *env, _ []string) (string, bool) { return get(e), true }}
}

// literal is a value in the configuration; read says what it is sent as.
func literal(read func(text string) (string, error)) fetch {
	return fetch{min: 1, max: 1, literal: read}
}

var fetches = map[string]fetch{
	"str":          {min: 0, max: 1, get: func(_ *env, a []string) (string, bool) { return strings.Join(a, ""), true }},
	"int":          literal(literalInt),
	"ipv4":         literal(func(text string) (string, error) { return literalAddr(text, netip.Addr.Is4) }),
	"ipv6":         literal(func(text string) (string, error) { return literalAddr(text, netip.Addr.Is6) }),
	"bool":         literal(literalBool),
	"bin":          literal(literalBin),
	"always_true":  constant(func(*env) string { return "1" }),
	"always_false": constant(func(*env) string { return "0" }),
	"var":          {min: 1, max: 1, get: func(e *env, a []string) (string, bool) { return e.get(a[0]) }},
	"env": {min: 1, max: 1, get: func(e *env, a []string) (string, bool) {
		if e.Env == nil {
			return "", false
		}
		return e.Env(a[0]), true
	}},
	"hostname": constant(func(e *env) string { return e.Host }),
	"date":     constant(func(e *env) string { return strconv.FormatInt(e.Now.Unix(), 10) }),
	"be_name":  constant(func(e *env) string { return e.Backend }),
	"be_id":    constant(func(e *env) string { return strconv.Itoa(e.BackendID) }),
	"srv_name": constant(func(e *env) string { return e.Server }),
	"srv_id":   constant(func(e *env) string { return strconv.Itoa(e.ServerID) }),
	"nbsrv":    constant(func(e *env) string { return strconv.Itoa(e.Usable) }),
	"be_conn":  constant(func(e *env) string { return strconv.Itoa(e.Conns) }),
	"srv_conn": constant(func(e *env) string { return strconv.Itoa(e.ServerConns) }),
	"status":   {http: true, get: fetchStatus}, "res.status": {http: true, get: fetchStatus},
	"res.ver":  {http: true, get: func(e *env, _ []string) (string, bool) { return e.http.version, true }},
	"res.body": {http: true, get: func(e *env, _ []string) (string, bool) { return string(e.http.body), true }},
	"res.body_size": {http: true, get: func(e *env, _ []string) (string, bool) {
		return strconv.Itoa(len(e.http.body)), true
	}},
	"res.hdr":     {min: 1, max: 1, http: true, get: func(e *env, a []string) (string, bool) { return e.http.last(a[0], true) }},
	"res.fhdr":    {min: 1, max: 1, http: true, get: func(e *env, a []string) (string, bool) { return e.http.last(a[0], false) }},
	"res.len":     constant(func(e *env) string { return strconv.Itoa(len(e.data)) }),
	"res.payload": {min: 2, max: 2, get: fetchPayload},
}

func boolean(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func fetchStatus(e *env, _ []string) (string, bool) { return strconv.Itoa(e.http.status), true }

// fetchPayload is res.payload(OFFSET,LENGTH); length 0 means the rest.
func fetchPayload(e *env, a []string) (string, bool) {
	off, _ := strconv.Atoi(a[0])
	n, _ := strconv.Atoi(a[1])
	if off < 0 || n < 0 || off > len(e.data) || n > len(e.data)-off {
		return "", false
	}
	if n == 0 {
		n = len(e.data) - off
	}
	return string(e.data[off : off+n]), true
}

func compileFetch(c call, http bool) (func(*env) (string, bool), error) {
	f, ok := fetches[c.name]
	if !ok {
		return nil, unknownWord("fetch method", c.name, fetches)
	}
	switch {
	case f.http && !http:
		return nil, fmt.Errorf("fetch method %q needs an http-check", c.name)
	case len(c.args) < f.min || len(c.args) > f.max:
		return nil, fmt.Errorf("fetch method %q takes %d arguments, not %d", c.name, f.max, len(c.args))
	}
	switch {
	case f.literal != nil:
		v, err := f.literal(c.args[0])
		return func(*env) (string, bool) { return v, true }, err
	case c.name == "var":
		if err := VariableName(c.args[0]); err != nil {
			return nil, err
		}
	}
	return func(e *env) (string, bool) {
		if f.http && e.http == nil {
			return "", false
		}
		return f.get(e, c.args)
	}, nil
}

// VariableName checks the name of a variable: "check.x", "sess.x" or "proc.x".
func VariableName(name string) error {
	scope, rest, ok := strings.Cut(name, ".")
	if !ok || !slices.Contains([]string{"check", "sess", "proc"}, scope) {
		return fmt.Errorf("variable %q does not begin with check., sess. or proc.", name)
	}
	if rest == "" || strings.IndexFunc(rest, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_'
	}) >= 0 {
		return fmt.Errorf("variable %q: a name is made of letters, digits, '.' and '_'", name)
	}
	return nil
}

func unknownWord[V any](what, name string, known map[string]V) error {
	var names []string
	for n := range known {
		names = append(names, n)
	}
	slices.Sort(names)
	if near := config.Nearest(name, names); near != "" {
		return fmt.Errorf("unknown %s %q, did you mean %q?", what, name, near)
	}
	return fmt.Errorf("%s %q cannot be used in a health check; known are %s", what, name, strings.Join(names, ", "))
}

// converter is one row of the converters a check may use.
type converter struct {
	args int
	do   func(v string, a []string) (string, bool)
}

var converters = map[string]converter{
	"lower":  {0, func(v string, _ []string) (string, bool) { return strings.ToLower(v), true }},
	"upper":  {0, func(v string, _ []string) (string, bool) { return strings.ToUpper(v), true }},
	"length": {0, func(v string, _ []string) (string, bool) { return strconv.Itoa(len(v)), true }},
	"hex":    {0, func(v string, _ []string) (string, bool) { return strings.ToUpper(hex.EncodeToString([]byte(v))), true }},
	"base64": {0, func(v string, _ []string) (string, bool) { return base64.StdEncoding.EncodeToString([]byte(v)), true }},
	"b64dec": {0, func(v string, _ []string) (string, bool) {
		b, err := base64.StdEncoding.DecodeString(v)
		return string(b), err == nil
	}},
	"not": {0, func(v string, _ []string) (string, bool) { return boolean(leading(v) == 0), v != "" }},
	"add": arithmetic(arith.Add),
	"sub": arithmetic(arith.Subtract),
	"mul": arithmetic(arith.Multiply),
	"and": arithmetic(func(a, b int64) int64 { return a & b }),
	"or":  arithmetic(func(a, b int64) int64 { return a | b }),
	"div": arithmetic(arith.Divide),
	"mod": arithmetic(arith.Remainder),
	"word": {2, func(v string, a []string) (string, bool) {
		return nth(strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(a[1], r) }), a[0])
	}},
	"field": {2, func(v string, a []string) (string, bool) {
		return nth(splitAny(v, a[1]), a[0])
	}},
}

func splitAny(v, marks string) []string {
	var out []string
	for {
		i := strings.IndexAny(v, marks)
		if i < 0 {
			return append(out, v)
		}
		out, v = append(out, v[:i]), v[i+1:]
	}
}

// nth answers the element counted from 1, or from the end when negative.
func nth(list []string, text string) (string, bool) {
	n, err := strconv.Atoi(text)
	if err == nil && n < 0 {
		n += len(list) + 1
	}
	if err != nil || n < 1 || n > len(list) {
		return "", false
	}
	return list[n-1], true
}

func compileConverter(c call) (func(string) (string, bool), error) {
	conv, ok := converters[c.name]
	if !ok {
		return nil, unknownWord("converter", c.name, converters)
	}
	if len(c.args) != conv.args {
		return nil, fmt.Errorf("converter %q takes %d arguments, not %d", c.name, conv.args, len(c.args))
	}
	if conv.args > 0 { // the first is a number, and of those that count, which one
		n, err := literalInt(c.args[0])
		if err != nil {
			return nil, fmt.Errorf("converter %q: %w", c.name, err)
		}
		if conv.args == 2 && n == "0" {
			return nil, fmt.Errorf("converter %q: elements are counted from 1, or from the end with a minus", c.name)
		}
	}
	return func(v string) (string, bool) { return conv.do(v, c.args) }, nil
}

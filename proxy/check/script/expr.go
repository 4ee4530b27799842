package script

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"herald/config"
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
	n, _ := strconv.Atoi(strings.TrimSpace(v))
	return n
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
}

func constant(get func(e *env) string) fetch {
	return fetch{get: func(e *env, _ []string) (string, bool) { return get(e), true }}
}

func literal() fetch {
	return fetch{min: 1, max: 1, get: func(_ *env, a []string) (string, bool) { return a[0], true }}
}

var fetches = map[string]fetch{
	"str":  {min: 0, max: 64, get: func(_ *env, a []string) (string, bool) { return strings.Join(a, ","), true }},
	"int":  literal(),
	"ipv4": literal(), "ipv6": literal(),
	"bool": {min: 1, max: 1, get: func(_ *env, a []string) (string, bool) {
		return boolean(a[0] == "1" || strings.EqualFold(a[0], "true")), true
	}},
	"bin": {min: 1, max: 1, get: func(_ *env, a []string) (string, bool) {
		b, err := hex.DecodeString(a[0])
		return string(b), err == nil
	}},
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
	switch c.name {
	case "int":
		if _, err := strconv.ParseInt(c.args[0], 0, 64); err != nil {
			return nil, fmt.Errorf("%q is not a number", c.args[0])
		}
	case "bin":
		if _, err := hex.DecodeString(c.args[0]); err != nil {
			return nil, fmt.Errorf("%q is not hexadecimal", c.args[0])
		}
	case "var":
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
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	}) >= 0 {
		return fmt.Errorf("variable %q: a name is made of letters, digits, '.', '-' and '_'", name)
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

func arithmetic(f func(a, b int64) (int64, bool)) converter {
	return converter{1, func(v string, a []string) (string, bool) {
		x, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		if err != nil {
			return "", false
		}
		y, _ := strconv.ParseInt(a[0], 10, 64)
		n, ok := f(x, y)
		return strconv.FormatInt(n, 10), ok
	}}
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
	"not": {0, func(v string, _ []string) (string, bool) { return boolean(v == "0" || v == ""), true }},
	"add": arithmetic(func(a, b int64) (int64, bool) { return a + b, true }),
	"sub": arithmetic(func(a, b int64) (int64, bool) { return a - b, true }),
	"mul": arithmetic(func(a, b int64) (int64, bool) { return a * b, true }),
	"and": arithmetic(func(a, b int64) (int64, bool) { return a & b, true }),
	"or":  arithmetic(func(a, b int64) (int64, bool) { return a | b, true }),
	"div": arithmetic(func(a, b int64) (int64, bool) { return quotient(a, b), true }),
	"mod": arithmetic(func(a, b int64) (int64, bool) { return remainder(a, b), true }),
	"word": {2, func(v string, a []string) (string, bool) {
		return nth(strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(a[1], r) }), a[0])
	}},
	"field": {2, func(v string, a []string) (string, bool) {
		return nth(splitAny(v, a[1]), a[0])
	}},
}

// quotient and remainder never fail: dividing by zero answers the largest
// number, and 0, as HAProxy's converters do.
func quotient(a, b int64) int64 {
	switch b {
	case 0:
		return 1<<63 - 1
	case -1:
		return -a
	}
	return a / b
}

func remainder(a, b int64) int64 {
	if b == 0 || b == -1 {
		return 0
	}
	return a % b
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
	if conv.args == 1 {
		if _, err := strconv.ParseInt(c.args[0], 10, 64); err != nil {
			return nil, fmt.Errorf("converter %q: %q is not a number", c.name, c.args[0])
		}
	}
	return func(v string) (string, bool) { return conv.do(v, c.args) }, nil
}

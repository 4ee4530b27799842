package expr

import (
	"bytes"
	"net/netip"
	"strings"

	"herald/config"
	"herald/proxy/h1"
)

// requestRows are fetches that look into parts of a request's head
// (Configuration manual 7.3.6).
var requestRows = []config.Row[Kind]{
	row("base", "The Host header and the path behind it.", "base -m beg www.example.com/img/", Kind{Type: Str, HTTP: true, Make: plain(base)}),
	row("cook", "A cookie of the request; each of the name counts as one.", "cook(lang) de", cookies),
	row("cook_cnt", "How many cookies of the name there are.", "cook_cnt(sid) gt 1", countOf(everyCookie)),
	row("hdr_cnt", "How many elements a header has, of all its lines.", "hdr_cnt(x-forwarded-for) gt 3", countOf(everyHeader)),
	row("hdr_ip", "The addresses in a header.", "hdr_ip(x-forwarded-for) 10.0.0.0/8", addressesInHeader),
	row("hdr_val", "The numbers in a header.", "hdr_val(content-length) gt 1000000", numbersInHeader),
	row("pathq", "The path of the request with the query.", "pathq -m beg /find?q=", Kind{Type: Str, HTTP: true, Make: plain(pathWithQuery)}),
	row("req.cook", "The same as cook.", "req.cook(lang) de", cookies),
	row("req.cook_cnt", "The same as cook_cnt.", "req.cook_cnt(sid) gt 1", countOf(everyCookie)),
	row("req.hdr_cnt", "The same as hdr_cnt.", "req.hdr_cnt(x-forwarded-for) gt 3", countOf(everyHeader)),
	row("req.hdr_ip", "The same as hdr_ip.", "req.hdr_ip(x-forwarded-for) 10.0.0.0/8", addressesInHeader),
	row("req.hdr_val", "The same as hdr_val.", "req.hdr_val(content-length) gt 1000000", numbersInHeader),
	row("req.proto_http", "Whether what has come is an HTTP request.", "req.proto_http", Kind{Type: Bool, Make: plain(protoHTTP)}),
	row("req_proto_http", "The old name of req.proto_http.", "req_proto_http", Kind{Type: Bool, Make: plain(protoHTTP)}),
	row("url_param", "A parameter of the query string; each of the name counts as one.", "url_param(id) 7", parameters),
	row("urlp", "The same as url_param.", "urlp(id) 7", parameters),
}

var (
	headers           = several(Str, everyHeader)
	cookies           = several(Str, everyCookie)
	parameters        = several(Str, everyParameter)
	addressesInHeader = several(Addr, everyHeader)
	numbersInHeader   = several(Int, everyHeader)
)

// every makes a walk over values for the arguments of a fetch.
type every = func(args []string) func(in *Input, take func([]byte) bool) Outcome

// several is a fetch of a name of which there may be several values; one
// value of it is the last.
func several(t Type, walk every) Kind {
	return Kind{Type: t, HTTP: true, Least: 1, Most: 1, Every: walk, Make: func(args []string) (Get, error) {
		each := walk(args)
		return func(in *Input) (v Value, out Outcome) {
			each(in, func(b []byte) bool {
				if one, ok := read(t, b); ok {
					v, out = one, Found
				}
				return false
			})
			return v, out
		}, nil
	}}
}

// read makes a value of a type out of bytes.
func read(t Type, b []byte) (Value, bool) {
	switch t {
	case Int:
		return leadingNumber(b), true
	case Addr:
		a, err := netip.ParseAddr(string(b))
		return Value{Addr: a.Unmap()}, err == nil
	}
	return Value{Str: b}, true
}

// leadingNumber is the number text begins with, 0 without one, as HAProxy
// reads headers.
func leadingNumber(b []byte) (v Value) {
	digits, minus := bytes.CutPrefix(b, []byte("-"))
	for _, c := range digits {
		if c < '0' || c > '9' || v.Int > 1<<58 {
			break
		}
		v.Int = 10*v.Int + int64(c-'0')
	}
	if minus {
		v.Int = -v.Int
	}
	return v
}

func countOf(walk every) Kind {
	return Kind{Type: Int, HTTP: true, Least: 1, Most: 1, Make: func(args []string) (Get, error) {
		each := walk(args)
		return func(in *Input) (v Value, out Outcome) {
			if in.Head == nil {
				return v, Missing
			}
			each(in, func([]byte) bool { v.Int++; return false })
			return v, Found
		}, nil
	}}
}

// everyCookie walks the cookies of a name (RFC 6265 section 4.2.1). A list may
// be cut by commas too, as HAProxy reads it.
func everyCookie(args []string) func(in *Input, take func([]byte) bool) Outcome {
	name := args[0]
	return func(in *Input, take func([]byte) bool) Outcome {
		if in.Head == nil {
			return Missing
		}
		for i := range in.Head.Headers {
			f := &in.Head.Headers[i]
			if string(f.Name.In(in.Buf)) != "cookie" {
				continue
			}
			for rest := f.Value.In(in.Buf); len(rest) > 0; {
				one := rest
				if end := bytes.IndexAny(rest, ";,"); end >= 0 {
					one, rest = rest[:end], rest[end+1:]
				} else {
					rest = nil
				}
				is, v, ok := bytes.Cut(one, []byte("="))
				if ok && string(bytes.TrimSpace(is)) == name && take(bytes.TrimSpace(v)) {
					return Found
				}
			}
		}
		return Missing
	}
}

// everyParameter walks the parameters of a name in the query string.
func everyParameter(args []string) func(in *Input, take func([]byte) bool) Outcome {
	name := args[0]
	return func(in *Input, take func([]byte) bool) Outcome {
		if in.Head == nil {
			return Missing
		}
		_, rest, more := bytes.Cut(in.Head.Target.In(in.Buf), []byte("?"))
		for more {
			one := rest
			var end int
			if end = bytes.IndexAny(rest, "&;?"); end >= 0 {
				one, rest = rest[:end], rest[end+1:]
			}
			more = end >= 0
			if is, v, ok := bytes.Cut(one, []byte("=")); ok && string(is) == name && take(v) {
				return Found
			}
		}
		return Missing
	}
}

// base joins Host and path; a target without a path has none.
func base(in *Input) (Value, Outcome) {
	if in.Head == nil {
		return Value{}, Missing
	}
	in.joined = in.joined[:0]
	if i := in.Head.FindKind(h1.Host); i >= 0 {
		in.joined = append(in.joined, in.Head.Headers[i].Value.In(in.Buf)...)
	}
	if path := pathOf(in); len(path) > 0 && path[0] == '/' {
		in.joined = append(in.joined, path...)
	}
	return text(in.joined)
}

func pathWithQuery(in *Input) (Value, Outcome) {
	if in.Head == nil {
		return Value{}, Missing
	}
	path := pathOf(in)
	if len(path) == 0 || path[0] != '/' {
		return Value{}, Missing
	}
	target := in.Head.Target.In(in.Buf)
	at := bytes.Index(target, path)
	if i := bytes.IndexByte(target, '?'); i >= len(path) {
		at = i - len(path)
	}
	return Value{Str: target[at:]}, Found
}

// protoHTTP parses what has come in mode tcp; in mode http it is one.
func protoHTTP(in *Input) (Value, Outcome) {
	if in.Head != nil {
		return yes, Found
	}
	var head h1.Head
	head.Reset()
	switch v := head.ParseRequest(in.Data); {
	case v == h1.Complete:
		return yes, Found
	case v == h1.Incomplete && !in.Final:
		return Value{}, Wait
	}
	return no, Found
}

// converters change the value of a fetch: path,lower (Configuration manual
// 7.3.1).
var converters = map[string]func(dst, b []byte) []byte{"lower": lowered, "upper": uppered}

func lowered(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func uppered(dst, b []byte) []byte {
	for _, c := range b {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// cutConverters cuts FETCH(ARGUMENTS),CONVERTER,... behind the fetch.
func cutConverters(text string) (fetch string, names []string) {
	from := 0
	if open := strings.IndexByte(text, '('); open >= 0 && !strings.Contains(text[:open], ",") {
		if end := strings.IndexByte(text, ')'); end > open {
			from = end
		}
	}
	comma := strings.IndexByte(text[from:], ',')
	if comma < 0 {
		return text, nil
	}
	return text[:from+comma], strings.Split(text[from+comma+1:], ",")
}

// convert wraps f into a converter.
func (f *Fetch) convert(name string) error {
	do, ok := converters[name]
	switch {
	case !ok:
		names := []string{"lower", "upper"}
		return &unknownConverter{name, config.Nearest(name, names)}
	case f.Type != Str:
		return &wrongType{name, f.Name, f.Type}
	}
	get, walk := f.Get, f.Every
	f.Get = func(in *Input) (Value, Outcome) {
		v, out := get(in)
		if out == Found {
			v.Str = do(nil, v.Str)
		}
		return v, out
	}
	if walk != nil {
		f.Every = func(in *Input, take func([]byte) bool) Outcome {
			return walk(in, func(b []byte) bool { return take(do(nil, b)) })
		}
	}
	return nil
}

type unknownConverter struct{ name, near string }

func (u *unknownConverter) Error() string {
	text := "converter \"" + u.name + "\" is not supported, expected lower or upper"
	if u.near != "" {
		text += ", did you mean \"" + u.near + "\"?"
	}
	return text
}

type wrongType struct {
	name, fetch string
	t           Type
}

func (w *wrongType) Error() string {
	return "converter " + w.name + " takes a string, " + w.fetch + " is of type " + w.t.String()
}

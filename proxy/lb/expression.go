package lb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"herald/config"
)

// value answers the bytes of a fetch in a request, in HAProxy's binary form:
// an address its bytes, a number eight bytes of big-endian, a text itself.
type value func(q *Request) (v []byte, found bool)

// fetches are what balance hash can take: the fetches that need no rule
// language. Do makes one of its argument, the text between the parentheses.
var fetches = config.NewRegistry(
	fetch("src", "", "address of the client", fixed(func(q *Request) ([]byte, bool) { return address(q.Source, q.scratch[:0]) })),
	fetch("dst", "", "address the client connected to", fixed(func(q *Request) ([]byte, bool) { return address(q.Target, q.scratch[:0]) })),
	fetch("src_port", "", "port of the client", fixed(func(q *Request) ([]byte, bool) { return port(q.Source, q.scratch[:0]) })),
	fetch("dst_port", "", "port the client connected to", fixed(func(q *Request) ([]byte, bool) { return port(q.Target, q.scratch[:0]) })),
	fetch("method", "", "request method", fixed(func(q *Request) ([]byte, bool) { return q.Method, q.HTTP })),
	fetch("path", "", "path of the request's target", fixed(func(q *Request) ([]byte, bool) {
		p, _, _ := bytes.Cut(path(q.URI), []byte("?"))
		return p, q.HTTP && len(p) > 0
	})),
	fetch("pathq", "", "path with its query string", fixed(func(q *Request) ([]byte, bool) {
		p := path(q.URI)
		return p, q.HTTP && len(p) > 0
	})),
	fetch("query", "", "query string", fixed(func(q *Request) ([]byte, bool) {
		_, query, ok := bytes.Cut(q.URI, []byte("?"))
		return query, q.HTTP && ok
	})),
	fetch("url", "", "target of the request line", fixed(func(q *Request) ([]byte, bool) { return q.URI, q.HTTP })),
	fetch("hdr", "(NAME)", "last value of a header", header),
	fetch("req.hdr", "(NAME)", "last value of a header", header),
	fetch("req.fhdr", "(NAME)", "last line of a header, commas and all", wholeHeader),
	fetch("cook", "(NAME)", "value of a cookie", cookie),
	fetch("req.cook", "(NAME)", "value of a cookie", cookie),
	fetch("urlp", "(NAME)", "value of a parameter of the query string", param),
	fetch("url_param", "(NAME)", "value of a parameter of the query string", param),
	fetch("rdp_cookie", "[(NAME)]", "cookie of an RDP connection request", rdpCookie),
	fetch("req.rdp_cookie", "[(NAME)]", "cookie of an RDP connection request", rdpCookie),
)

func fetch(name, syntax, doc string, do func(arg string) (value, error)) config.Row[func(string) (value, error)] {
	example := "balance hash " + name
	if strings.HasPrefix(syntax, "(") {
		example += "(host)"
	}
	return config.Row[func(string) (value, error)]{Name: name, Syntax: syntax, Doc: doc, Example: example, Do: do}
}

// hashKey compiles the expression of balance hash.
func hashKey(a Args) (Key, error) {
	if a.Name == "" {
		return nil, errors.New("hash needs an expression")
	}
	name, arg, parenthesis := strings.Cut(a.Name, "(")
	if parenthesis {
		var rest string
		var closed bool
		arg, rest, closed = strings.Cut(arg, ")")
		if !closed {
			return nil, fmt.Errorf("%q lacks a closing parenthesis", a.Name)
		}
		if rest != "" {
			return nil, fmt.Errorf("converters are not supported yet: %q", rest)
		}
	} else if i := strings.IndexByte(name, ','); i >= 0 {
		return nil, fmt.Errorf("converters are not supported yet: %q", name[i:])
	}
	row, ok := fetches.Lookup(name)
	if !ok {
		if near := config.Nearest(name, fetches.Names()); near != "" {
			return nil, fmt.Errorf("cannot hash %q: did you mean %q?", name, near)
		}
		return nil, fmt.Errorf("cannot hash %q: not among %s", name, strings.Join(fetches.Names(), ", "))
	}
	get, err := row.Do(arg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return func(q *Request, h Hash) (uint32, bool) {
		v, found := get(q)
		if !found {
			return 0, false
		}
		return h.Of(v), true
	}, nil
}

// fixed is a fetch without an argument.
func fixed(get value) func(string) (value, error) {
	return func(arg string) (value, error) {
		if arg != "" {
			return nil, fmt.Errorf("takes no argument, not %q", arg)
		}
		return get, nil
	}
}

func address(a netip.AddrPort, b []byte) ([]byte, bool) {
	if !a.Addr().IsValid() {
		return nil, false
	}
	return append(b, a.Addr().AsSlice()...), true
}

func port(a netip.AddrPort, b []byte) ([]byte, bool) {
	return binary.BigEndian.AppendUint64(b, uint64(a.Port())), a.IsValid()
}

// named is a fetch that needs a name, without more arguments.
func named(arg string) error {
	switch {
	case arg == "":
		return fmt.Errorf("needs a name, as in (host)")
	case strings.Contains(arg, ","):
		return fmt.Errorf("takes a name alone, not %q", arg)
	}
	return nil
}

func header(arg string) (value, error) {
	name := strings.ToLower(arg)
	return func(q *Request) ([]byte, bool) {
		if !q.HTTP {
			return nil, false
		}
		line, ok := q.Headers.Value(name, -1)
		return lastElement(line), ok
	}, named(arg)
}

// lastElement is the last value of a list; a comma within quotes is part of
// it.
func lastElement(list []byte) []byte {
	for {
		one := firstElement(list)
		i := bytes.Index(list, one) + len(one)
		comma := bytes.IndexByte(list[i:], ',')
		if comma < 0 {
			return one
		}
		list = list[i+comma+1:]
	}
}

func wholeHeader(arg string) (value, error) {
	name := strings.ToLower(arg)
	return func(q *Request) ([]byte, bool) {
		if !q.HTTP {
			return nil, false
		}
		return q.Headers.Value(name, -1)
	}, named(arg)
}

// cookie answers the last cookie of the name. One that is empty counts only
// when another follows, as in HAProxy.
func cookie(arg string) (value, error) {
	return func(q *Request) (v []byte, found bool) {
		for n := 0; q.HTTP; n++ {
			line, more := q.Headers.Value("cookie", n)
			if !more {
				break
			}
			for len(line) > 0 {
				one := line
				if i := bytes.IndexAny(line, ";,"); i >= 0 {
					one, line = line[:i], line[i+1:]
				} else {
					line = nil
				}
				name, text, ok := bytes.Cut(one, []byte("="))
				if ok && string(bytes.TrimSpace(name)) == arg && (line != nil || len(text) > 0) {
					v, found = bytes.TrimSpace(text), true
				}
			}
		}
		return v, found
	}, named(arg)
}

// param answers the first parameter of the name. Other than balance url_param
// the fetch takes a semicolon or another question mark for an ampersand.
func param(arg string) (value, error) {
	return func(q *Request) ([]byte, bool) {
		_, query, ok := bytes.Cut(q.URI, []byte("?"))
		for ok && q.HTTP {
			one, rest := query, []byte(nil)
			i := bytes.IndexAny(query, "&;?")
			if ok = i >= 0; ok {
				one, rest = query[:i], query[i+1:]
			}
			if name, v, is := bytes.Cut(one, []byte("=")); is && string(name) == arg {
				return v, true
			}
			query = rest
		}
		return nil, false
	}, named(arg)
}

func rdpCookie(arg string) (value, error) {
	if arg == "" {
		arg = "mstshash"
	}
	return func(q *Request) ([]byte, bool) { return RDPCookie(q.Payload, arg) }, nil
}

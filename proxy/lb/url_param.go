package lb

import (
	"bytes"
	"errors"

	"herald/config"
)

var urlParamRow = config.Row[Algorithm]{
	Name:    "url_param",
	Doc:     "the same server for the same value of a parameter in the query string, or of a POST's body",
	Syntax:  "balance url_param NAME [check_post]",
	Example: "balance url_param userid",
	Do:      Algorithm{make: newHashed, key: urlParamKey, Keyed: true, Static: true},
}

func urlParamKey(a Args) (Key, error) {
	if a.Name == "" {
		return nil, errors.New("url_param needs the name of a parameter")
	}
	name := []byte(a.Name)
	return func(q *Request, h Hash) (uint32, bool) {
		if !q.HTTP {
			return 0, false
		}
		if _, query, ok := bytes.Cut(q.URI, []byte("?")); ok {
			if value, ok := parameter(query, name); ok {
				return h.Of(value), true
			}
		}
		if string(q.Method) == "POST" {
			if value, ok := parameter(q.Body, name); ok && encoded(value) {
				return h.Of(value), true
			}
		}
		return 0, false
	}, nil
}

// parameter finds "name=value" among the parameters between ampersands.
func parameter(query, name []byte) (value []byte, found bool) {
	for len(query) > 0 {
		one, rest, _ := bytes.Cut(query, []byte("&"))
		if value, ok := bytes.CutPrefix(one, name); ok && len(value) > 0 && value[0] == '=' {
			return value[1:], true
		}
		query = rest
	}
	return nil, false
}

// encoded reports whether a value of a body may be one of a form: it does not
// begin with what a form would have encoded. HAProxy looks no further either.
func encoded(value []byte) bool {
	const marks = "!#$%&'*+-.^_`|~" // with letters and digits, a token (RFC 9110 section 5.6.2)
	if len(value) == 0 {
		return true
	}
	c := value[0]
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || bytes.IndexByte([]byte(marks), c) >= 0
}

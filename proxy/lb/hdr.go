package lb

import (
	"bytes"
	"errors"
	"strings"

	"herald/config"
	"herald/proxy/h1"
)

var headerRow = config.Row[Algorithm]{
	Name:    "hdr",
	Doc:     "the same server for the same value of a request header",
	Syntax:  "balance hdr(NAME) [use_domain_only]",
	Example: "balance hdr(Host) use_domain_only",
	Do:      Algorithm{make: newHashed, key: headerKey, Keyed: true, Static: true},
}

func headerKey(a Args) (Key, error) {
	if a.Name == "" {
		return nil, errors.New("hdr needs the name of a header, as in hdr(Host)")
	}
	name := strings.ToLower(a.Name)
	return func(q *Request, h Hash) (uint32, bool) {
		if !q.HTTP {
			return 0, false
		}
		line, _ := q.Headers.Value(name, 0)
		one, _, _ := h1.CutElement(line)
		value := bytes.TrimSpace(one)
		if len(value) == 0 {
			return 0, false
		}
		if a.DomainOnly {
			value = domain(value)
		}
		return h.Of(value), true
	}, nil
}

// domain answers "example" of "www.example.org:80": what stands between the
// last two dots of a name, which are not side by side.
func domain(host []byte) []byte {
	end := bytes.LastIndexByte(host, '.')
	if end <= 0 {
		return host
	}
	return host[bytes.LastIndexByte(host[:end-1], '.')+1 : end]
}

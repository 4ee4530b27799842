package lb

import (
	"bytes"

	"herald/config"
)

var uriRow = config.Row[Algorithm]{
	Name:    "uri",
	Doc:     "the same server for the same URI up to its question mark, or a part of it",
	Syntax:  "balance uri [len N] [depth N] [whole] [path-only]",
	Example: "balance uri depth 2",
	Do:      Algorithm{make: newHashed, key: uriKey, Keyed: true, Static: true},
}

func uriKey(a Args) (Key, error) {
	return func(q *Request, h Hash) (uint32, bool) {
		if !q.HTTP {
			return 0, false
		}
		uri := q.URI
		if a.PathOnly {
			uri = path(uri)
		}
		return h.Of(a.cut(uri)), true
	}, nil
}

// cut answers the part of a URI that counts.
func (a Args) cut(uri []byte) []byte {
	if a.Len > 0 && len(uri) > a.Len {
		uri = uri[:a.Len]
	}
	slashes := 0
	for i, c := range uri {
		switch {
		case c == '?' && !a.Whole:
			return uri[:i]
		case c == '/' && a.Depth > 0:
			if slashes++; slashes > a.Depth {
				return uri[:i]
			}
		}
	}
	return uri
}

// path answers a target without scheme and authority, with its query string;
// nothing of one that has no path.
func path(uri []byte) []byte {
	if len(uri) == 0 || uri[0] == '/' {
		return uri
	}
	rest := uri
	if i := bytes.Index(uri, []byte("://")); i >= 0 {
		rest = uri[i+3:]
	}
	i := bytes.IndexByte(rest, '/')
	if i < 0 {
		return nil
	}
	return rest[i:]
}

package h1

import "bytes"

// CutElement cuts the first element off the list of a field's value; a comma
// within quotes is part of it (RFC 9110 section 5.6.1). More says that there is
// a rest, which may be empty.
func CutElement(list []byte) (one, rest []byte, more bool) {
	i := bytes.IndexByte(list, ',')
	if i < 0 {
		return list, nil, false
	}
	if bytes.IndexByte(list[:i], '"') < 0 {
		return list[:i], list[i+1:], true
	}
	quoted := false
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return list[:i], list[i+1:], true
		}
	}
	return list, nil, false
}

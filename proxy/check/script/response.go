package script

import (
	"bytes"
	"errors"
	"strconv"
)

// response is what an HTTP check has received.
type response struct {
	version string // "1.1"
	status  int
	reason  string
	fields  []field
	body    []byte
	whole   bool // nothing more belongs to it
}

type field struct{ name, value []byte }

var (
	errMore    = errors.New("more bytes are needed")
	errInvalid = errors.New("not a response of HTTP")
)

// parseResponse reads what has come so far. ErrMore says that the head is not
// complete, errInvalid that it never will be. Head says that the request was
// HEAD, end that the server sends nothing more.
func parseResponse(data []byte, head, end bool) (*response, error) {
	r := &response{}
	line, rest, ok := cutLine(data)
	if !ok {
		if !plausible(data) || end || len(data) > maxLine {
			return nil, errInvalid
		}
		return nil, errMore
	}
	if !r.statusLine(line) {
		return nil, errInvalid
	}
	for {
		line, after, ok := cutLine(rest)
		if !ok {
			if end {
				return nil, errInvalid
			}
			return nil, errMore
		}
		rest = after
		if len(line) == 0 {
			break
		}
		name, value, colon := bytes.Cut(line, []byte(":"))
		if !colon || len(name) == 0 || bytes.IndexFunc(name, notToken) >= 0 || len(r.fields) >= maxFields {
			return nil, errInvalid
		}
		r.fields = append(r.fields, field{name, bytes.Trim(value, " \t")})
	}
	return r, r.readBody(rest, head, end)
}

// Limits of a response; longer ones are no answer to a health check.
const (
	maxLine   = 8 << 10
	maxFields = 101
)

func cutLine(data []byte) (line, rest []byte, ok bool) {
	i := bytes.IndexByte(data, '\n')
	if i < 0 {
		return nil, data, false
	}
	return bytes.TrimSuffix(data[:i], []byte("\r")), data[i+1:], true
}

// plausible reports whether data may begin a status line.
func plausible(data []byte) bool {
	const mark = "HTTP/"
	n := min(len(data), len(mark))
	return string(data[:n]) == mark[:n]
}

// statusLine reads "HTTP/1.1 200 OK". The code may have any number of digits
// that an int holds: it is compared, never used as an index or a length.
func (r *response) statusLine(line []byte) bool {
	if len(line) < 9 || string(line[:5]) != "HTTP/" || !digit(line[5]) || line[6] != '.' || !digit(line[7]) || line[8] != ' ' {
		return false
	}
	r.version = string(line[5:8])
	code, reason, _ := bytes.Cut(line[9:], []byte(" "))
	if len(code) == 0 || len(code) > 9 {
		return false
	}
	for _, c := range code {
		if !digit(c) {
			return false
		}
		r.status = r.status*10 + int(c-'0')
	}
	r.reason = string(reason)
	return true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func notToken(r rune) bool {
	return r <= ' ' || r >= 127 || bytes.ContainsRune([]byte(`"(),/:;<=>?@[\]{}`), r)
}

// readBody takes what belongs to the body from rest.
func (r *response) readBody(rest []byte, head, end bool) error {
	if head || r.status == 204 || r.status == 304 || r.status < 200 {
		r.whole = true
		return nil
	}
	length := -1
	for _, f := range r.fields {
		switch {
		case bytes.EqualFold(f.name, []byte("transfer-encoding")):
			if !bytes.EqualFold(f.value, []byte("chunked")) {
				return errInvalid
			}
			return r.readChunks(rest, end)
		case bytes.EqualFold(f.name, []byte("content-length")):
			n, err := strconv.ParseInt(string(f.value), 10, 62)
			if err != nil || n < 0 || length >= 0 && int(n) != length {
				return errInvalid
			}
			length = int(n)
		}
	}
	r.body, r.whole = rest, end
	if length >= 0 && len(rest) >= length {
		r.body, r.whole = rest[:length], true
	}
	return nil
}

// readChunks decodes as many chunks as have come.
func (r *response) readChunks(rest []byte, end bool) error {
	r.whole = end
	for {
		line, after, ok := cutLine(rest)
		if !ok {
			return nil
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimRight(size, " \t")), 16, 31)
		if err != nil {
			return errInvalid
		}
		if n == 0 {
			r.whole = true
			return nil
		}
		have := min(int(n), len(after))
		r.body = append(r.body, after[:have]...)
		if rest = after[have:]; have < int(n) {
			return nil
		}
		line, rest, ok = cutLine(rest)
		if !ok {
			return nil
		}
		if len(line) != 0 {
			return errInvalid
		}
	}
}

// last answers the last value of a header, or of its comma-separated list.
func (r *response) last(name string, list bool) (string, bool) {
	for i := len(r.fields) - 1; i >= 0; i-- {
		if f := r.fields[i]; bytes.EqualFold(f.name, []byte(name)) {
			v := f.value
			if list {
				if c := bytes.LastIndexByte(v, ','); c >= 0 {
					v = bytes.Trim(v[c+1:], " \t")
				}
			}
			return string(v), true
		}
	}
	return "", false
}

// header reports whether some header matches the patterns. List compares each
// element of a comma-separated value.
func (r *response) header(name Pattern, value *Pattern, list bool, e *env) bool {
	for _, f := range r.fields {
		if !name.matches(f.name, e, true) {
			continue
		}
		if value == nil {
			return true
		}
		parts := [][]byte{f.value}
		if list {
			parts = bytes.Split(f.value, []byte(","))
		}
		for _, v := range parts {
			if value.matches(bytes.Trim(v, " \t"), e, false) {
				return true
			}
		}
	}
	return false
}

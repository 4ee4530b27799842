package proxy

import (
	"bytes"
	"math/big"
	"strings"
	"testing"
)

// reading is one way servers and clients out there understand a message:
// what HTTP/1 leaves open, or some of them get wrong. What several readings
// take for different messages is unsafe to pass on.
type reading struct {
	name        string
	lengthFirst bool // content-length beats transfer-encoding
	oldIgnores  bool // transfer-encoding means nothing in HTTP/1.0
	laxCoding   bool // any value with "chunked" in it is chunked
	emptyCoding bool // an empty transfer-encoding is the one that counts
	lastLength  bool // of several lengths the last counts
	cString     bool // NUL ends a value
	wraps       bool // lengths are counted in 64 bits with a sign
	looseNames  bool // blanks in front of the colon are no part of the name
	bareCR      bool // CR alone ends a line
}

var readings = []reading{
	{name: "RFC 9112"},
	{name: "content-length first", lengthFirst: true},
	{name: "HTTP/1.0 knows no coding", oldIgnores: true},
	{name: "lax coding", laxCoding: true},
	{name: "empty coding counts", emptyCoding: true},
	{name: "last length", lastLength: true},
	{name: "C strings", cString: true},
	{name: "64 bits", wraps: true},
	{name: "loose names", looseNames: true, laxCoding: true},
	{name: "CR ends lines", bareCR: true},
}

// message is what a reading sees: the start line, and where it ends.
type message struct {
	start string
	body  string
	cut   bool // the stream ended first
	bad   bool // not understood; nothing behind it is
}

// messages reads a stream of requests.
func (r reading) messages(stream string) (list []message) {
	for len(stream) > 0 {
		m, rest := r.message(stream)
		list = append(list, m)
		if m.bad || m.cut {
			return list
		}
		stream = rest
	}
	return list
}

// message reads the first message.
func (r reading) message(stream string) (m message, rest string) {
	lines, rest, whole := r.head(stream)
	if !whole {
		return message{cut: true, start: first(lines)}, ""
	}
	m.start = first(lines)
	var length, coding []string
	for _, l := range lines[1:] {
		name, value, found := strings.Cut(l, ":")
		if !found {
			m.bad = true
			return m, ""
		}
		if r.looseNames {
			name = strings.TrimRight(name, " \t")
		}
		if r.cString {
			value, _, _ = strings.Cut(value, "\x00")
		}
		value = strings.Trim(value, " \t")
		switch strings.ToLower(name) {
		case "content-length":
			length = append(length, value)
		case "transfer-encoding":
			coding = append(coding, strings.ToLower(value))
		}
	}
	chunked := r.chunked(coding)
	if r.oldIgnores && strings.HasSuffix(m.start, "HTTP/1.0") || r.lengthFirst && len(length) > 0 {
		chunked = false
	}
	if chunked {
		return r.chunks(m, rest)
	}
	n, ok := r.length(length)
	switch {
	case !ok:
		m.bad = true
		return m, ""
	case n.Cmp(big.NewInt(int64(len(rest)))) > 0:
		m.cut, m.body = true, rest
		return m, ""
	}
	m.body = rest[:n.Int64()]
	return m, rest[n.Int64():]
}

func first(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return lines[0]
}

// head cuts the lines of a head, folded ones joined.
func (r reading) head(stream string) (lines []string, rest string, whole bool) {
	if r.bareCR {
		// Only in the head: bodies are counted in bytes.
		if end := strings.Index(stream, "\r\n\r\n"); end >= 0 {
			head := strings.ReplaceAll(strings.ReplaceAll(stream[:end], "\r\n", "\n"), "\r", "\n")
			stream = head + "\n\n" + stream[end+4:]
		}
	}
	for {
		at := strings.IndexByte(stream, '\n')
		if at < 0 {
			return lines, "", false
		}
		line := strings.TrimSuffix(stream[:at], "\r")
		stream = stream[at+1:]
		switch {
		case line == "" && len(lines) == 0:
		case line == "":
			return lines, stream, true
		case len(lines) > 1 && (line[0] == ' ' || line[0] == '\t'):
			lines[len(lines)-1] += line
		default:
			lines = append(lines, line)
		}
	}
}

func (r reading) chunked(coding []string) bool {
	if len(coding) == 0 {
		return false
	}
	last := coding[len(coding)-1]
	if r.emptyCoding {
		last = coding[0]
	}
	if r.laxCoding {
		return strings.Contains(strings.Join(coding, ","), "chunked")
	}
	parts := strings.Split(last, ",")
	return strings.Trim(parts[len(parts)-1], " \t") == "chunked"
}

// length is the one of these lines, 0 without any.
func (r reading) length(values []string) (*big.Int, bool) {
	if len(values) == 0 {
		return new(big.Int), true
	}
	v := values[0]
	if r.lastLength {
		v = values[len(values)-1]
	}
	v, _, _ = strings.Cut(v, ",")
	v = strings.Trim(v, " \t")
	n, ok := new(big.Int).SetString(v, 10)
	if !ok {
		return nil, false
	}
	if r.wraps {
		n = big.NewInt(int64(new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1)).Uint64()))
	}
	if n.Sign() < 0 {
		n = new(big.Int)
	}
	return n, true
}

// chunks reads a chunked body strictly: what is no chunk ends the reading.
func (r reading) chunks(m message, s string) (message, string) {
	for {
		line, rest, found := strings.Cut(s, "\r\n")
		if !found {
			m.cut = true
			return m, ""
		}
		size, _, _ := strings.Cut(line, ";")
		n, ok := new(big.Int).SetString(strings.TrimRight(size, " \t"), 16)
		if !ok || n.Sign() < 0 || strings.ContainsAny(line, "\n\x00") {
			m.bad = true
			return m, ""
		}
		if n.Sign() == 0 {
			return r.trailers(m, rest)
		}
		if n.Cmp(big.NewInt(int64(len(rest)-2))) > 0 {
			m.cut = true
			return m, ""
		}
		k := n.Int64()
		m.body += rest[:k]
		if rest[k:k+2] != "\r\n" {
			m.bad = true
			return m, ""
		}
		s = rest[k+2:]
	}
}

func (r reading) trailers(m message, s string) (message, string) {
	for {
		line, rest, found := strings.Cut(s, "\r\n")
		switch {
		case !found:
			m.cut = true
			return m, ""
		case line == "":
			return m, rest
		}
		name, _, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-length", "transfer-encoding", "host": // some merge them with the headers
			m.start += " [" + r.name + "]"
		}
		s = rest
	}
}

// disagree names the first reading that sees other messages in stream than
// the RFC does; empty means that all agree.
func disagree(stream string) string {
	want := readings[0].messages(stream)
	for _, r := range readings[1:] {
		got := r.messages(stream)
		if len(got) != len(want) {
			return r.name
		}
		for i := range got {
			if got[i] != want[i] {
				return r.name
			}
		}
	}
	if bytes.IndexByte([]byte(stream), 0) >= 0 {
		for _, m := range want {
			if strings.IndexByte(m.body, 0) >= 0 {
				return ""
			}
		}
		return "NUL"
	}
	return ""
}

func TestReadingsDisagreeOverWhatIsAmbiguous(t *testing.T) {
	const post, next = "POST / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\n\r\n"
	for stream, want := range map[string]string{
		post + "Content-Length: 5\r\n\r\nhello" + next:                             "",
		post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next:                "",
		post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n":  "content-length first",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n":           "HTTP/1.0 knows no coding",
		post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n":                      "lax coding",
		post + "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "empty coding counts",
		post + "Content-Length: 5\r\nContent-Length: 0\r\n\r\nhello":               "last length",
		post + "Content-Length: 5\x007\r\n\r\nhello":                               "C strings",
		post + "Content-Length: 18446744073709551621\r\n\r\nhello":                 "64 bits",
		post + "Content-Length : 5\r\n\r\nhello":                                   "loose names",
		post + "X: y\rContent-Length: 5\r\n\r\nhello":                              "CR ends lines",
		post + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n":  "content-length first",
		post + "X: \x00\r\n\r\n":                                                   "NUL",
	} {
		if got := disagree(stream); got != want {
			t.Errorf("%q: got %q, want %q", stream, got, want)
		}
	}
}

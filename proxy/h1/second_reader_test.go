package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// whole is a message as one reader understands it, with what lies behind.
type whole struct {
	start   string
	headers http.Header
	body    string
	rest    string
}

// ours reads a whole message from in; ok is false when it is refused or not
// whole.
func ours(in []byte, parse func(*Head, []byte) Verdict, start func(*Head, []byte) string) (m whole, ok bool) {
	h, buf := new(Head), bytes.Clone(in)
	if parse(h, buf) != Complete || h.Framing == Tunnel {
		return m, false
	}
	m.start, m.headers = start(h, buf), http.Header{}
	for _, f := range h.Headers {
		if !f.Drop {
			name := http.CanonicalHeaderKey(string(f.Name.In(buf)))
			m.headers[name] = append(m.headers[name], strings.Join(strings.Fields(string(f.Value.In(buf))), " "))
		}
	}
	var b Body
	b.Start(h.Framing, h.Length)
	data, n, done, v := b.Strip(buf[h.Len:])
	if v.Bad() || !done && !b.EndsAtClose() {
		return m, false
	}
	m.body, m.rest = string(data), string(in[h.Len+n:])
	return m, true
}

// theirs takes what net/http read; ok is false when it cannot read the body.
func theirs(start string, headers http.Header, body io.Reader, behind *bufio.Reader) (m whole, ok bool) {
	b, err := io.ReadAll(body)
	if err != nil {
		return m, false
	}
	rest, _ := io.ReadAll(behind)
	return whole{start, headers, string(b), string(rest)}, true
}

// same fails unless both readers agree.
func same(t *testing.T, in []byte, a, b whole) {
	t.Helper()
	if a.start != b.start || a.body != b.body || a.rest != b.rest {
		t.Fatalf("%q\n  ours: %q, body %q, then %q\nsecond: %q, body %q, then %q", in, a.start, a.body, a.rest, b.start, b.body, b.rest)
	}
	for name, values := range a.headers {
		switch name { // net/http keeps these elsewhere
		case "Host", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		var second []string
		for _, v := range b.headers[name] {
			second = append(second, strings.Join(strings.Fields(v), " "))
		}
		// We narrow "te" to trailers and drop some lines of others.
		if name != "Te" && !slices.Equal(values, second) {
			t.Fatalf("%q\n%s: ours %q, second %q", in, name, values, second)
		}
	}
}

// FuzzRequestsAgainstASecondReader checks that a whole request means the same
// to us and to net/http wherever both take it: start line, headers, body, and
// where the next message begins.
func FuzzRequestsAgainstASecondReader(f *testing.F) {
	for _, s := range []string{curl, crlf("POST /a HTTP/1.1", "Host: a", "Content-Length: 3") + "abcGET / HTTP/1.1\r\n\r\n",
		crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + "3;x\r\nabc\r\n0\r\nA: b\r\n\r\nGET /", crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 3", "Content-Length: 3") + "abcd",
		crlf("GET / HTTP/1.0", "A: b", " c") + "x", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "Content-Length: 4") + "0\r\n\r\nx", "GET / HTTP/1.1\nHost: a\n\nrest",
		crlf("CONNECT a:80 HTTP/1.1", "Host: a:80") + "x", crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + "00000000003\r\nabc\r\n00\r\n\r\n\r\n", crlf("HEAD http://a/ HTTP/1.1", "Host: a", "Pragma: no-cache")} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 16384 {
			return
		}
		a, ok := ours(in, (*Head).ParseRequest, func(h *Head, buf []byte) string {
			return string(h.MethodAt.In(buf)) + " " + string(h.Target.In(buf))
		})
		if !ok {
			return
		}
		behind := bufio.NewReaderSize(bytes.NewReader(in), len(in)+16)
		r, err := http.ReadRequest(behind)
		if err != nil {
			return
		}
		if b, ok := theirs(r.Method+" "+r.RequestURI, r.Header, r.Body, behind); ok {
			same(t, in, a, b)
		}
	})
}

// FuzzResponsesAgainstASecondReader does the same for responses.
func FuzzResponsesAgainstASecondReader(f *testing.F) {
	for _, s := range []string{origin, crlf("HTTP/1.1 200 OK", "Content-Length: 3") + "abcHTTP/1.1 200 OK\r\n\r\n", crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\nx",
		crlf("HTTP/1.0 200 OK") + "until close", crlf("HTTP/1.1 304 x", "Content-Length: 5") + "HTTP", crlf("HTTP/1.1 204 x") + "x", crlf("HTTP/1.1 100 x") + "HTTP/1.1 200 OK\r\n\r\n",
		crlf("HTTP/1.1 200 OK", "Content-Length: 3", "Transfer-Encoding: chunked") + "0\r\n\r\n"} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, in []byte, head bool) {
		if len(in) > 16384 {
			return
		}
		method, name := MethodGet, "GET"
		if head {
			method, name = MethodHead, "HEAD"
		}
		a, ok := ours(in, func(h *Head, b []byte) Verdict { return h.ParseResponse(b, method, false) }, func(h *Head, _ []byte) string {
			return string(rune('0'+h.Status/100)) + string(rune('0'+h.Status/10%10)) + string(rune('0'+h.Status%10))
		})
		if !ok {
			return
		}
		behind := bufio.NewReaderSize(bytes.NewReader(in), len(in)+16)
		r, err := http.ReadResponse(behind, &http.Request{Method: name})
		if err != nil {
			return
		}
		if b, ok := theirs(r.Status[:3], r.Header, r.Body, behind); ok {
			same(t, in, a, b)
		}
	})
}

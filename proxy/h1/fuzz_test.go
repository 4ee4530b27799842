package h1

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"testing"
)

// split parses in two pieces and tells what came of it.
func split(in []byte, cut int, parse func(*Head, []byte) Verdict) (*Head, []byte, Verdict) {
	h, buf := new(Head), bytes.Clone(in)
	v := parse(h, buf[:cut:cut])
	if v == Incomplete {
		v = parse(h, buf)
	}
	return h, buf, v
}

// FuzzRequestHead checks that a head we pass on means the same to us, to
// net/http as it came, and to net/http as we wrote it. Where net/http refuses
// and we do not, the difference must be listed in laxAlways or laxRaw; we are
// free to be stricter.
func FuzzRequestHead(f *testing.F) {
	for _, s := range []string{curl, crlf("POST / HTTP/1.1", "Host: a", "Content-Length: 3, 3"), crlf("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"),
		crlf("GET  /  HTTP/2.0", "A:b", " c"), crlf("CONNECT a:80 HTTP/1.1", "Host: a"), crlf("GET http://a/ HTTP/1.0", "Host: a", "Connection: x, close", "X: 1"),
		"\n\r\nGET / HTTP/1.1\nHost: a\n\n", crlf("GET / HTTP/1.1", "Upgrade: websocket", "Connection: upgrade", "Expect: 100-continue")} {
		f.Add([]byte(s), uint16(7))
	}
	parse := func(h *Head, b []byte) Verdict { return h.ParseRequest(b) }
	f.Fuzz(func(t *testing.T, in []byte, at uint16) {
		if len(in) > 16384 {
			return
		}
		h, buf, v := split(in, len(in), parse)
		_, _, again := split(in, int(at)%(len(in)+1), parse)
		if again != v {
			t.Fatalf("cut at %d: %v, whole: %v", int(at)%(len(in)+1), again, v)
		}
		if v != Complete {
			return
		}
		if h.Len > len(in) {
			t.Fatalf("head of %d bytes in %d", h.Len, len(in))
		}
		out := h.AppendRequest(nil, buf, Edits{})
		rest := bytes.Clone(buf) // already lowered and unfolded
		if again, _, v := split(rest, len(rest), parse); v != Complete || !bytes.Equal(again.AppendRequest(nil, rest, Edits{}), out) {
			t.Fatalf("%q: %v when parsed anew in place", in, v)
		}
		second, _, v2 := split(out, len(out), parse)
		if v2 != Complete || second.Framing != h.Framing || second.Framing == Length && second.Length != h.Length {
			t.Fatalf("%q\nwritten %q\nreads as %v %v %d, was %v %d", in, out, v2, second.Framing, second.Length, h.Framing, h.Length)
		}
		checkRequest(t, h, out)
		if n := len(bytes.TrimLeft(in, "\r\n")); n == len(in) { // net/http skips no empty lines
			checkRequest(t, h, in[:h.Len], laxRaw...)
		}
	})
}

// checkRequest compares h with net/http's reading of raw.
func checkRequest(t *testing.T, h *Head, raw []byte, lax ...string) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		if !contains(err.Error(), append(lax, laxAlways...)) {
			t.Fatalf("%q: we pass it, net/http says %v", raw, err)
		}
		return
	}
	var want Framing
	switch {
	case len(r.TransferEncoding) > 0:
		want = Chunked
	case r.ContentLength > 0:
		want = Length
	}
	if h.Framing != want || want == Length && r.ContentLength != h.Length {
		t.Fatalf("%q: framing %v %d, net/http %v %d", raw, h.Framing, h.Length, want, r.ContentLength)
	}
}

// laxAlways lists why net/http refuses heads that we, and HAProxy, pass on.
// None of it moves the end of a message.
var laxAlways = []string{
	"invalid URI", "invalid port", "parse \"", "cannot contain", // a target net/url does not take
	"malformed MIME header", // control bytes other than NUL, CR and LF in a value
	"invalid method",
}

// laxRaw lists what net/http refuses as it came and takes as we write it.
var laxRaw = []string{
	"malformed HTTP", // several spaces in the request line
	"Content-Length", // equal lengths in a list
	"too many Host headers",
}

func contains(msg string, parts []string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(msg, p) })
}

// FuzzResponseHead does for responses what FuzzRequestHead does for requests.
func FuzzResponseHead(f *testing.F) {
	for _, s := range []string{origin, crlf("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"), crlf("HTTP/1.0 200"), crlf("HTTP/1.1 304 x", "Content-Length: 5"),
		crlf("HTTP/1.1 204 x", "Content-Length: 0"), crlf("HTTP/1.1 101 x", "Upgrade: a", "Connection: upgrade"), "HTTP/2.0  200  OK\nA: b\n c\n\n"} {
		f.Add([]byte(s), uint16(9), false, false)
	}
	f.Fuzz(func(t *testing.T, in []byte, at uint16, head, upgrade bool) {
		if len(in) > 16384 {
			return
		}
		method, name := MethodGet, "GET"
		if head {
			method, name = MethodHead, "HEAD"
		}
		parse := func(h *Head, b []byte) Verdict { return h.ParseResponse(b, method, upgrade) }
		h, buf, v := split(in, len(in), parse)
		if _, _, again := split(in, int(at)%(len(in)+1), parse); again != v {
			t.Fatalf("cut at %d: %v, whole: %v", int(at)%(len(in)+1), again, v)
		}
		if v != Complete || h.Framing == Tunnel {
			return
		}
		out := h.AppendResponse(nil, buf, Edits{})
		r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), &http.Request{Method: name})
		if err != nil {
			if contains(err.Error(), laxAlways) {
				return
			}
			t.Fatalf("%q: we write it, net/http says %v", out, err)
		}
		var want Framing
		switch {
		case head || h.Status < 200 || h.Status == 204 || h.Status == 304:
			want = NoBody
		case len(r.TransferEncoding) > 0:
			want = Chunked
		case r.ContentLength > 0:
			want = Length
		case r.ContentLength < 0:
			want = UntilClose
		}
		if h.Framing != want || want == Length && r.ContentLength != h.Length {
			t.Fatalf("%q: framing %v %d, net/http %v %d", out, h.Framing, h.Length, want, r.ContentLength)
		}
	})
}

// FuzzChunked checks that the verdict and the end of a body do not depend on
// how its bytes are split, and that what we let pass is the same data to
// net/http.
func FuzzChunked(f *testing.F) {
	for _, s := range []string{"3\r\nabc\r\n0\r\n\r\n", "3;a=b \r\nabc\r\n00A\r\n0123456789\r\n0\r\nFoo: a\r\n\r\nx", "3\nabc\r\n", "fffffffffffffff\r\n", "0\r\nHost: a\r\n\r\n"} {
		f.Add([]byte(s), uint8(3), uint8(5))
	}
	f.Fuzz(func(t *testing.T, in []byte, i, j uint8) {
		n, v, _ := scan(string(in))
		a := min(int(i), len(in))
		b := min(a+int(j), len(in))
		m, w, _ := scan(string(in), a, b)
		if v != w || v == Complete && n != m {
			t.Fatalf("%q: %v after %d, cut at %d and %d: %v after %d", in, v, n, a, b, w, m)
		}
		var body Body
		body.Start(Chunked, 0)
		data, k, done, s := body.Strip(bytes.Clone(in))
		if s != v || done && k != n {
			t.Fatalf("%q: scan %v %d, strip %v %d", in, v, n, s, k)
		}
		if !done {
			return
		}
		want, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(in)))
		if err != nil && strings.Contains(err.Error(), "chunk length too large") {
			return // it takes 16 digits at most, leading zeros included
		}
		if err != nil || !bytes.Equal(data, want) {
			t.Fatalf("%q: data %q, net/http %q %v", in, data, want, err)
		}
	})
}

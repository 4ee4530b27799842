package h1

import (
	"strings"
	"testing"
)

// head parses a request and returns what a server would be sent.
func request(t *testing.T, in string) (*Head, string, Verdict) {
	t.Helper()
	h, buf := new(Head), []byte(in)
	v := h.ParseRequest(buf)
	if v != Complete {
		return h, "", v
	}
	return h, string(h.AppendRequest(nil, buf, Edits{})), v
}

func response(t *testing.T, in string, m Method, upgrade bool) (*Head, string, Verdict) {
	t.Helper()
	h, buf := new(Head), []byte(in)
	v := h.ParseResponse(buf, m, upgrade)
	if v != Complete {
		return h, "", v
	}
	return h, string(h.AppendResponse(nil, buf, Edits{})), v
}

// crlf spells a head: one line per element, with the empty line at the end.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

func TestRequestHeadsAreReadAndWrittenAsHAProxyDoes(t *testing.T) {
	rows := []struct {
		name, in, out string
		framing       Framing
		length        int64
		close         bool
	}{
		{"names are lowered, values trimmed", crlf("GET / HTTP/1.1", "Host: a", "X-Foo:  bar  "), crlf("GET / HTTP/1.1", "host: a", "x-foo: bar"), NoBody, -1, false},
		{"a head written as we write passes whole", crlf("GET / HTTP/1.1", "host: a", "x: y"), crlf("GET / HTTP/1.1", "host: a", "x: y"), NoBody, -1, false},
		{"hop-by-hop headers stay here", crlf("GET / HTTP/1.1", "Host: a", "Connection: keep-alive, X-Foo", "X-Foo: 1", "Keep-Alive: 300", "Proxy-Connection: close", "TE: gzip, trailers", "Y: 2"),
			crlf("GET / HTTP/1.1", "host: a", "te: trailers", "y: 2"), NoBody, -1, false},
		{"te without trailers is dropped", crlf("GET / HTTP/1.1", "TE: gzip"), crlf("GET / HTTP/1.1"), NoBody, -1, false},
		{"te: trailers alone passes", crlf("GET / HTTP/1.1", "TE: Trailers"), crlf("GET / HTTP/1.1", "te: Trailers"), NoBody, -1, false},
		{"1.0 stays 1.0 and closes", crlf("GET / HTTP/1.0"), crlf("GET / HTTP/1.0"), NoBody, -1, true},
		{"1.0 may keep alive", crlf("GET / HTTP/1.0", "Connection: Keep-Alive"), crlf("GET / HTTP/1.0"), NoBody, -1, false},
		{"close wins over keep-alive", crlf("GET / HTTP/1.0", "Connection: keep-alive, close"), crlf("GET / HTTP/1.0"), NoBody, -1, true},
		{"close in any of two headers", crlf("GET / HTTP/1.1", "Connection: x", "Connection: CLOSE"), crlf("GET / HTTP/1.1"), NoBody, -1, true},
		{"an empty connection header names nothing", crlf("GET / HTTP/1.1", "Connection:", "A: b"), crlf("GET / HTTP/1.1", "a: b"), NoBody, -1, false},
		{"higher versions are 1.1", crlf("GET / HTTP/2.0", "Host: a"), crlf("GET / HTTP/1.1", "host: a"), NoBody, -1, false},
		{"lone LF ends lines", "GET / HTTP/1.1\nHost: a\n\n", crlf("GET / HTTP/1.1", "host: a"), NoBody, -1, false},
		{"several spaces in the request line are one", crlf("GET  /   HTTP/1.1", "Host: a"), crlf("GET / HTTP/1.1", "host: a"), NoBody, -1, false},
		{"empty lines in front are skipped", "\r\n\n\r\n" + crlf("GET / HTTP/1.1", "Host: a"), crlf("GET / HTTP/1.1", "host: a"), NoBody, -1, false},
		{"folded values are unfolded", crlf("GET / HTTP/1.1", "Foo: a", " b", "\tc", "D: e"), crlf("GET / HTTP/1.1", "foo: a   b  \tc", "d: e"), NoBody, -1, false},
		{"a value that starts on the next line", crlf("GET / HTTP/1.1", "Foo:", "  b", "D: e"), crlf("GET / HTTP/1.1", "foo: b", "d: e"), NoBody, -1, false},
		{"a folded value with lone LFs", "GET / HTTP/1.1\nFoo: a\n b\n\n", crlf("GET / HTTP/1.1", "foo: a  b"), NoBody, -1, false},
		{"a continuation that is blank", crlf("GET / HTTP/1.1", "Foo: a", "  "), crlf("GET / HTTP/1.1", "foo: a"), NoBody, -1, false},
		{"empty values", crlf("GET / HTTP/1.1", "Foo:", "Host: "), crlf("GET / HTTP/1.1", "foo: ", "host: "), NoBody, -1, false},
		{"a length", crlf("POST / HTTP/1.1", "Content-Length: 003"), crlf("POST / HTTP/1.1", "content-length: 003"), Length, 3, false},
		{"a zero length", crlf("POST / HTTP/1.1", "Content-Length: 0"), crlf("POST / HTTP/1.1", "content-length: 0"), NoBody, 0, false},
		{"equal lengths in one line become one", crlf("POST / HTTP/1.1", "Content-Length: 3, 3 ,3"), crlf("POST / HTTP/1.1", "content-length: 3"), Length, 3, false},
		{"equal lengths in two lines become one", crlf("POST / HTTP/1.1", "Content-Length: 3", "Content-Length: 3"), crlf("POST / HTTP/1.1", "content-length: 3"), Length, 3, false},
		{"the largest length", crlf("POST / HTTP/1.1", "Content-Length: 9223372036854775807"), crlf("POST / HTTP/1.1", "content-length: 9223372036854775807"), Length, 1<<63 - 1, false},
		{"chunked", crlf("POST / HTTP/1.1", "Transfer-Encoding: CHUNKED"), crlf("POST / HTTP/1.1", "transfer-encoding: chunked"), Chunked, -1, false},
		{"chunked overrides a length, and ends the connection", crlf("POST / HTTP/1.1", "Content-Length: 3", "Transfer-Encoding: chunked"), crlf("POST / HTTP/1.1", "transfer-encoding: chunked"), Chunked, -1, true},
		{"equal hosts become one", crlf("GET / HTTP/1.1", "Host: a", "Host: a"), crlf("GET / HTTP/1.1", "host: a"), NoBody, -1, false},
		{"absolute form", crlf("GET http://A:80/x HTTP/1.1", "Host: a"), crlf("GET http://A:80/x HTTP/1.1", "host: a"), NoBody, -1, false},
		{"absolute form, port in host only", crlf("GET https://a/x HTTP/1.1", "Host: a:443"), crlf("GET https://a/x HTTP/1.1", "host: a:443"), NoBody, -1, false},
		{"absolute form with a query and no path", crlf("GET http://[::1]:8080?x HTTP/1.1", "Host: [::1]:8080"), crlf("GET http://[::1]:8080?x HTTP/1.1", "host: [::1]:8080"), NoBody, -1, false},
		{"absolute form without a host header", crlf("GET h2-x+1.0://a/x HTTP/1.1"), crlf("GET h2-x+1.0://a/x HTTP/1.1"), NoBody, -1, false},
		{"asterisk form", crlf("OPTIONS * HTTP/1.1", "Host: a"), crlf("OPTIONS * HTTP/1.1", "host: a"), NoBody, -1, false},
		{"connect", crlf("CONNECT a:443 HTTP/1.1", "Host: a", "Content-Length: 0"), crlf("CONNECT a:443 HTTP/1.1", "host: a"), NoBody, 0, false},
		{"upgrade", crlf("GET / HTTP/1.1", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Connection: keep-alive, Upgrade"), crlf("GET / HTTP/1.1", "upgrade: websocket", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==", "connection: upgrade"), NoBody, -1, false},
		{"upgrade without the option is dropped", crlf("GET / HTTP/1.1", "Upgrade: websocket"), crlf("GET / HTTP/1.1"), NoBody, -1, false},
		{"upgrade with a body is dropped", crlf("POST / HTTP/1.1", "Upgrade: websocket", "Connection: upgrade", "Content-Length: 1"), crlf("POST / HTTP/1.1", "content-length: 1"), Length, 1, false},
		{"upgrade to HTTP/2 in clear is dropped", crlf("GET / HTTP/1.1", "Upgrade: foo, h2c", "Connection: upgrade, HTTP2-Settings", "HTTP2-Settings: AA"), crlf("GET / HTTP/1.1"), NoBody, -1, false},
		{"upgrade in 1.0 is dropped", crlf("GET / HTTP/1.0", "Upgrade: x", "Connection: upgrade"), crlf("GET / HTTP/1.0"), NoBody, -1, true},
		{"control bytes other than NUL, CR, LF pass as in HAProxy", crlf("GET / HTTP/1.1", "Foo: a\x01\x7f\xffb"), crlf("GET / HTTP/1.1", "foo: a\x01\x7f\xffb"), NoBody, -1, false},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h, out, v := request(t, r.in)
			if v != Complete || out != r.out {
				t.Fatalf("%q\n got %v %q\nwant %v %q", r.in, v, out, Complete, r.out)
			}
			if h.Framing != r.framing || h.Length != r.length || h.KeepAlive == r.close {
				t.Errorf("%q: framing %v length %d keep-alive %v, want %v %d %v", r.in, h.Framing, h.Length, h.KeepAlive, r.framing, r.length, !r.close)
			}
			if h.Len != len(r.in) {
				t.Errorf("%q: head length %d, want %d", r.in, h.Len, len(r.in))
			}
		})
	}
}

func TestAmbiguousRequestsAreRefusedWithTheirReason(t *testing.T) {
	get := "GET / HTTP/1.1"
	post := "POST / HTTP/1.1"
	rows := []struct {
		name, in string
		want     Verdict
	}{
		{"CVE-2021-40346: a header name of any length is one name", crlf(post, "Content-Length0"+strings.Repeat("a", 255)+":", "Content-Length: 3", "Content-Length: 4"), BadContentLength},
		{"CVE-2023-25725: empty header name", crlf(get, ": a"), BadHeaderName},
		{"CVE-2023-40225: empty content-length", crlf(post, "Content-Length:"), BadContentLength},
		{"CVE-2023-40225: empty content-length beside another", crlf(post, "Content-Length: 3", "Content-Length: "), BadContentLength},
		{"CVE-2023-45539: # in the path", crlf("GET /#x HTTP/1.1"), BadTarget},
		{"CVE-2019-18277: vertical tab before chunked", crlf(post, "Transfer-Encoding: \vchunked", "Content-Length: 3"), BadTransferEncoding},
		{"CVE-2022-1705: obfuscated chunked", crlf(post, "Transfer-Encoding: xchunked"), BadTransferEncoding},
		{"CVE-2022-1705: chunked with a parameter", crlf(post, "Transfer-Encoding: chunked;q=1"), BadTransferEncoding},
		{"quoted chunked", crlf(post, "Transfer-Encoding: \"chunked\""), BadTransferEncoding},
		{"identity", crlf(post, "Transfer-Encoding: identity"), BadTransferEncoding},
		{"chunked before another coding", crlf(post, "Transfer-Encoding: chunked, gzip"), BadTransferEncoding},
		{"chunked with a trailing comma", crlf(post, "Transfer-Encoding: chunked,"), BadTransferEncoding},
		{"chunked twice in one line", crlf(post, "Transfer-Encoding: chunked, chunked"), BadTransferEncoding},
		{"chunked twice in two lines", crlf(post, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), BadTransferEncoding},
		{"empty transfer-encoding with chunked", crlf(post, "Transfer-Encoding:", "Transfer-Encoding: chunked"), BadTransferEncoding},
		{"empty transfer-encoding", crlf(post, "Transfer-Encoding: ", "Content-Length: 1"), BadTransferEncoding},
		{"another coding before chunked", crlf(post, "Transfer-Encoding: gzip, chunked"), UnsupportedCoding},
		{"transfer-encoding in HTTP/1.0 (CVE-2026-2835)", crlf("POST / HTTP/1.0", "Transfer-Encoding: chunked"), BadTransferEncoding},
		{"folded transfer-encoding is judged unfolded", crlf(post, "Transfer-Encoding: x", " chunked"), BadTransferEncoding},
		{"content-length of 2^63", crlf(post, "Content-Length: 9223372036854775808"), BadContentLength},
		{"content-length over 2^64", crlf(post, "Content-Length: 18446744073709551617"), BadContentLength},
		{"signed content-length", crlf(post, "Content-Length: +3"), BadContentLength},
		{"hexadecimal content-length", crlf(post, "Content-Length: 0x3"), BadContentLength},
		{"content-length with a trailing comma", crlf(post, "Content-Length: 3,"), BadContentLength},
		{"lengths that differ in one line", crlf(post, "Content-Length: 3, 4"), BadContentLength},
		{"lengths that differ in two lines", crlf(post, "Content-Length: 3", "Content-Length: 4"), BadContentLength},
		{"NUL in a value", crlf(get, "Foo: a\x00b"), BadHeaderValue},
		{"lone CR in a value", crlf(get, "Foo: a\rb"), BadHeaderValue},
		{"CR CR LF", "GET / HTTP/1.1\r\nFoo: a\r\r\n\r\n", BadHeaderValue},
		{"lone CR in a folded value", crlf(get, "Foo: a\r", " b"), BadHeaderValue},
		{"space before the colon", crlf(get, "Foo : a"), BadHeaderName},
		{"no colon", crlf(get, "Foo"), BadHeaderName},
		{"a name outside ASCII", crlf(get, "F\xc3oo: a"), BadHeaderName},
		{"NUL in a name", crlf(get, "F\x00oo: a"), BadHeaderName},
		{"a lone CR as a line", "GET / HTTP/1.1\r\n\r\r\n\r\n", BadHeaderName},
		{"a continuation without a header", crlf(get, " Host: a"), BadFolding},
		{"hosts that differ", crlf(get, "Host: a", "Host: b"), BadHost},
		{"a host that is none", crlf(get, "Host: a b"), BadHost},
		{"a host with a path", crlf(get, "Host: a/b"), BadHost},
		{"a host with user information", crlf(get, "Host: x@a"), BadHost},
		{"absolute form and host differ", crlf("GET http://a/x HTTP/1.1", "Host: b"), BadHost},
		{"absolute form and host differ in port", crlf("GET http://a:443/x HTTP/1.1", "Host: a"), BadHost},
		{"absolute form with user information", crlf("GET http://x@a/ HTTP/1.1", "Host: a"), BadTarget},
		{"absolute form without authority", crlf("GET http:///x HTTP/1.1", "Host: a"), BadTarget},
		{"absolute form with a bad scheme", crlf("GET h_p://a/x HTTP/1.1", "Host: a"), BadTarget},
		{"a target of no form", crlf("GET foo HTTP/1.1"), BadTarget},
		{"connect without a port", crlf("CONNECT a HTTP/1.1"), BadTarget},
		{"connect with an empty port", crlf("CONNECT a: HTTP/1.1"), BadTarget},
		{"connect with a path", crlf("CONNECT /:80 HTTP/1.1"), BadTarget},
		{"connect to another host", crlf("CONNECT a:80 HTTP/1.1", "Host: b"), BadHost},
		// Seen on HAProxy 2.6.12, which counts the key's characters too.
		{"websocket without a key", crlf("GET / HTTP/1.1", "Connection: keep-alive, Upgrade", "Upgrade: h2c, WebSocket"), BadWebSocketKey},
		{"websocket without a key, in HTTP/1.0", crlf("GET / HTTP/1.0", "Connection: upgrade", "Upgrade: websocket"), BadWebSocketKey},
		{"websocket with an empty key", crlf("POST / HTTP/1.1", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key:"), BadWebSocketKey},
		{"websocket with half a key", crlf("GET / HTTP/1.1", "Connection: upgrade", "Upgrade: foo", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ="), BadWebSocketKey},
		{"connect with a body", crlf("CONNECT a:80 HTTP/1.1", "Content-Length: 3"), BadConnect},
		{"a target outside ASCII", crlf("GET /\xc3\xa9 HTTP/1.1"), BadTarget},
		{"a control byte in the target", crlf("GET /\x01 HTTP/1.1"), BadTarget},
		{"a tab in the request line", crlf("GET /a\tb HTTP/1.1"), BadTarget},
		{"a NUL in the request line", crlf("GET /\x00 HTTP/1.1"), BadTarget},
		{"space behind the version", crlf("GET / HTTP/1.1 "), BadVersion},
		{"lower-case version", crlf("GET / http/1.1"), BadVersion},
		{"two digits of minor version", crlf("GET / HTTP/1.10"), BadVersion},
		{"HTTP/0.9 with a version", crlf("GET / HTTP/0.9"), BadVersion},
		{"HTTP/0.9 without a version", "GET /\r\n", BadStartLine},
		{"only a method", "GET\r\n\r\n", BadStartLine},
		{"a method that is no token", crlf("G(T / HTTP/1.1"), BadMethod},
		{"a request line that starts with a space", crlf(" GET / HTTP/1.1"), BadMethod},
		{"a TLS hello, before its line ends", "\x16\x03\x01\x02", BadMethod},
		{"too many headers", get + "\r\n" + strings.Repeat("a: b\r\n", MaxHeaders+1) + "\r\n", TooManyHeaders},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if _, out, v := request(t, r.in); v != r.want {
				t.Errorf("%q: %v (%q), want %v", r.in, v, out, r.want)
			}
		})
	}
}

// CVE-2021-33197 and CVE-2024-45410: a client names headers in connection so
// that they do not arrive.
func TestConnectionCannotRemoveWhatFramesRoutesOrIdentifies(t *testing.T) {
	in := crlf("POST / HTTP/1.1", "Connection: host, content-length, X-Forwarded-For, x-forwarded-host, X-Real-Ip, forwarded, authorization, gone",
		"host: a", "content-length: 3", "x-forwarded-for: 1.2.3.4", "x-forwarded-host: h", "x-real-ip: 1.2.3.4", "forwarded: for=1", "authorization: x", "gone: 1")
	want := crlf("POST / HTTP/1.1", "host: a", "content-length: 3", "x-forwarded-for: 1.2.3.4", "x-forwarded-host: h", "x-real-ip: 1.2.3.4", "forwarded: for=1", "authorization: x", "x-forwarded-for: 9.9.9.9")
	h, buf := new(Head), []byte(in)
	if v := h.ParseRequest(buf); v != Complete {
		t.Fatal(v)
	}
	got := string(h.AppendRequest(nil, buf, Edits{Add: []Field{{[]byte("x-forwarded-for"), []byte("9.9.9.9")}}}))
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestHeadsMayArriveInAnyPieces(t *testing.T) {
	for _, in := range []string{
		"\r\n" + crlf("POST /a HTTP/1.1", "Host: a", "Foo: a", "  b", "Content-Length: 3, 3") + "abc",
		"GET / HTTP/1.1\nHost: a\n\nrest",
		crlf("GET / HTTP/1.1", "Foo : a"),
		crlf("GET /x y HTTP/1.1"),
		crlf("G\tT / HTTP/1.1"),
	} {
		whole, want, wantVerdict := request(t, in)
		for cut := range len(in) {
			h, buf := new(Head), []byte(in)
			v := h.ParseRequest(buf[:cut])
			if v == Incomplete {
				v = h.ParseRequest(buf)
			}
			got := ""
			if v == Complete {
				got = string(h.AppendRequest(nil, buf, Edits{}))
			}
			if v != wantVerdict || got != want || v == Complete && (h.Len != whole.Len || h.Framing != whole.Framing) {
				t.Fatalf("%q cut at %d: %v %q, want %v %q", in, cut, v, got, wantVerdict, want)
			}
		}
	}
}

// A caller that keeps no Head for a partial head parses it again from the
// start: what the first parse changed in place must not change the second.
func TestAPartialHeadMayBeParsedAnew(t *testing.T) {
	in := "\r\n" + crlf("POST /a HTTP/1.1", "Host: a", "Foo: a", "  b", "\tc", "Content-Length: 3, 3", "Connection: x", "X: 1", "TE: gzip, trailers")
	_, want, _ := request(t, in)
	for cut := range len(in) {
		h, buf := new(Head), []byte(in)
		h.ParseRequest(buf[:cut])
		h.Reset()
		if v := h.ParseRequest(buf); v != Complete || string(h.AppendRequest(nil, buf, Edits{})) != want {
			t.Fatalf("cut at %d: %v %q, want %q", cut, v, h.AppendRequest(nil, buf, Edits{}), want)
		}
	}
}

func TestAVerdictSticks(t *testing.T) {
	h, buf := new(Head), []byte(crlf("GET / HTTP/1.1", "Connection: close"))
	for range 2 {
		if v := h.ParseRequest(buf); v != Complete || len(h.Headers) != 1 {
			t.Fatalf("verdict %v with %d headers, want %v with 1", v, len(h.Headers), Complete)
		}
	}
	h.Reset()
	for range 2 {
		if v := h.ParseResponse(buf, MethodGet, false); v != BadStartLine {
			t.Fatalf("verdict %v, want %v", v, BadStartLine)
		}
	}
}

func TestHeadersAreFoundByNameAndKind(t *testing.T) {
	h, buf := new(Head), []byte(crlf("GET / HTTP/1.1", "Connection: a", "A: 1", "Cookie: c", "B: 2", "Authorization: z", "X-Forwarded-For: 1"))
	h.ParseRequest(buf)
	if i := h.Find(buf, "b"); i != 3 {
		t.Errorf("b at %d, want 3", i)
	}
	if i := h.Find(buf, "a"); i != -1 {
		t.Errorf("dropped a at %d, want -1", i)
	}
	if i := h.FindKind(Cookie); i != 2 {
		t.Errorf("cookie at %d, want 2", i)
	}
	if i := h.FindKind(SetCookie); i != -1 {
		t.Errorf("set-cookie at %d, want -1", i)
	}
}

func TestExpectationsCountInHTTP11Only(t *testing.T) {
	for in, want := range map[string]bool{
		crlf("POST / HTTP/1.1", "Expect: 100-Continue", "Content-Length: 3"): true,
		crlf("POST / HTTP/1.0", "Expect: 100-continue", "Content-Length: 3"): false,
		crlf("POST / HTTP/1.1", "Expect: foo"):                               false,
	} {
		if h, _, _ := request(t, in); h.Expects100 != want {
			t.Errorf("%q: %v, want %v", in, h.Expects100, want)
		}
	}
}

func TestMethodsAreKnownByTheirExactName(t *testing.T) {
	for name, want := range map[string]Method{"GET": MethodGet, "HEAD": MethodHead, "POST": MethodPost, "PUT": MethodPut, "DELETE": MethodDelete,
		"OPTIONS": MethodOptions, "TRACE": MethodTrace, "PATCH": MethodPatch, "get": MethodOther, "PURGE": MethodOther} {
		if h, _, v := request(t, crlf(name+" / HTTP/1.1")); h.Method != want || v != Complete {
			t.Errorf("%s: %v %v, want %v", name, h.Method, v, want)
		}
	}
}

func TestEveryVerdictHasANameAndAStatus(t *testing.T) {
	seen := map[string]Verdict{}
	for v := Incomplete; v < verdicts; v++ {
		if other, twice := seen[v.String()]; v.String() == "" || twice {
			t.Errorf("verdict %d has the name %q of %d", v, v, other)
		}
		seen[v.String()] = v
		want, special := map[Verdict]int{UnsupportedCoding: 422, UnlikelyBody: 413}[v]
		if !special {
			want = 400
		}
		if v.Status() != want {
			t.Errorf("%v: status %d, want %d", v, v.Status(), want)
		}
	}
	if verdicts.String() != "unknown verdict" || !BadMethod.Bad() || Complete.Bad() {
		t.Error("bounds")
	}
}

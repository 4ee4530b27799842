package h1

import "testing"

func TestResponseHeadsAreReadAndFramed(t *testing.T) {
	ok := "HTTP/1.1 200 OK"
	rows := []struct {
		name, in string
		method   Method
		upgrade  bool
		out      string
		framing  Framing
		keep     bool
	}{
		{"a length", crlf(ok, "Content-Length: 2"), MethodGet, false, crlf(ok, "content-length: 2"), Length, true},
		{"a zero length", crlf(ok, "Content-Length: 0"), MethodGet, false, crlf(ok, "content-length: 0"), NoBody, true},
		{"chunked", crlf(ok, "Transfer-Encoding: Chunked"), MethodGet, false, crlf(ok, "transfer-encoding: chunked"), Chunked, true},
		{"chunked with a length", crlf(ok, "Transfer-Encoding: chunked", "Content-Length: 2"), MethodGet, false, crlf(ok, "transfer-encoding: chunked"), Chunked, false},
		{"until close", crlf(ok), MethodGet, false, crlf(ok), UntilClose, false},
		{"the server closes", crlf(ok, "Content-Length: 2", "Connection: close"), MethodGet, false, crlf(ok, "content-length: 2"), Length, false},
		{"1.0 closes", crlf("HTTP/1.0 200 OK", "Content-Length: 2"), MethodGet, false, crlf("HTTP/1.0 200 OK", "content-length: 2"), Length, false},
		{"1.0 keeps alive", crlf("HTTP/1.0 200 OK", "Content-Length: 2", "Connection: keep-alive"), MethodGet, false, crlf("HTTP/1.0 200 OK", "content-length: 2"), Length, true},
		{"to HEAD a length frames nothing", crlf(ok, "Content-Length: 2"), MethodHead, false, crlf(ok, "content-length: 2"), NoBody, true},
		{"to HEAD chunked frames nothing", crlf(ok, "Transfer-Encoding: chunked"), MethodHead, false, crlf(ok, "transfer-encoding: chunked"), NoBody, true},
		{"304 keeps its length and has no body", crlf("HTTP/1.1 304 Not Modified", "Content-Length: 2"), MethodGet, false, crlf("HTTP/1.1 304 Not Modified", "content-length: 2"), NoBody, true},
		{"204", crlf("HTTP/1.1 204 No Content"), MethodGet, false, crlf("HTTP/1.1 204 No Content"), NoBody, true},
		{"204 with a length", crlf("HTTP/1.1 204 No Content", "Content-Length: 2"), MethodGet, false, crlf("HTTP/1.1 204 No Content"), NoBody, false},
		{"204 with chunked", crlf("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"), MethodGet, false, crlf("HTTP/1.1 204 No Content"), NoBody, false},
		{"100", crlf("HTTP/1.1 100 Continue"), MethodPost, false, crlf("HTTP/1.1 100 Continue"), NoBody, true},
		{"103", crlf("HTTP/1.1 103 Early Hints", "Link: x"), MethodGet, false, crlf("HTTP/1.1 103 Early Hints", "link: x"), NoBody, true},
		{"101 asked for", crlf("HTTP/1.1 101 Switching", "Connection: Upgrade", "Upgrade: websocket", "Content-Length: 3"), MethodGet, true, crlf("HTTP/1.1 101 Switching", "upgrade: websocket", "connection: upgrade"), Tunnel, false},
		{"CVE-2024-23326: an upgrade answered with 200 is a message", crlf(ok, "Content-Length: 2", "Connection: upgrade", "Upgrade: websocket"), MethodGet, true, crlf(ok, "content-length: 2"), Length, true},
		{"426 says to what", crlf("HTTP/1.1 426 Upgrade Required", "Upgrade: TLS/1.0", "Connection: upgrade", "Content-Length: 2"), MethodGet, false, crlf("HTTP/1.1 426 Upgrade Required", "upgrade: TLS/1.0", "content-length: 2", "connection: upgrade"), Length, true},
		{"connect, 200", crlf(ok, "Content-Length: 2", "Transfer-Encoding: chunked"), MethodConnect, false, crlf(ok), Tunnel, false},
		{"connect, refused", crlf("HTTP/1.1 403 No", "Content-Length: 2"), MethodConnect, false, crlf("HTTP/1.1 403 No", "content-length: 2"), Length, true},
		{"no reason, no space", crlf("HTTP/1.1 200"), MethodHead, false, crlf("HTTP/1.1 200 "), NoBody, true},
		{"no reason", crlf("HTTP/1.1 200 "), MethodHead, false, crlf("HTTP/1.1 200 "), NoBody, true},
		{"several spaces", crlf("HTTP/1.1  200  O K"), MethodHead, false, crlf("HTTP/1.1 200 O K"), NoBody, true},
		{"spaces for a reason", crlf("HTTP/1.1 200  "), MethodHead, false, crlf("HTTP/1.1 200 "), NoBody, true},
		{"higher versions are 1.1", crlf("HTTP/2.0 200 OK", "Content-Length: 2"), MethodGet, false, crlf(ok, "content-length: 2"), Length, true},
		{"lone LF", "HTTP/1.1 200 OK\nA: b\n\n", MethodHead, false, crlf(ok, "a: b"), NoBody, true},
		{"an empty line in front", "\r\n" + crlf(ok), MethodHead, false, crlf(ok), NoBody, true},
		{"any code of three digits", crlf("HTTP/1.1 999 x", "Content-Length: 2"), MethodGet, false, crlf("HTTP/1.1 999 x", "content-length: 2"), Length, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			h, out, v := response(t, r.in, r.method, r.upgrade)
			if v != Complete || out != r.out {
				t.Fatalf("%q\n got %v %q\nwant %v %q", r.in, v, out, Complete, r.out)
			}
			if h.Framing != r.framing || h.KeepAlive != r.keep {
				t.Errorf("%q: framing %v keep-alive %v, want %v %v", r.in, h.Framing, h.KeepAlive, r.framing, r.keep)
			}
		})
	}
}

func TestMalformedResponsesAreRefusedWithTheirReason(t *testing.T) {
	ok := "HTTP/1.1 200 OK"
	rows := []struct {
		name, in string
		want     Verdict
	}{
		{"101 before anyone asked (CVE-2026-2833)", crlf("HTTP/1.1 101 Switching", "Connection: upgrade", "Upgrade: x"), BadUpgrade},
		{"another coding", crlf(ok, "Transfer-Encoding: gzip"), BadTransferEncoding},
		{"identity", crlf(ok, "Transfer-Encoding: identity"), BadTransferEncoding},
		{"a coding before chunked", crlf(ok, "Transfer-Encoding: gzip, chunked"), UnsupportedCoding},
		{"chunked in HTTP/1.0 (CVE-2026-2835)", crlf("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"), BadTransferEncoding},
		{"lengths that differ", crlf(ok, "Content-Length: 2", "Content-Length: 3"), BadContentLength},
		{"length over 2^63", crlf(ok, "Content-Length: 9223372036854775808"), BadContentLength},
		{"empty length", crlf(ok, "Content-Length: "), BadContentLength},
		{"a space before the colon", crlf(ok, "Foo : x"), BadHeaderName},
		{"NUL in a value", crlf(ok, "Foo: \x00"), BadHeaderValue},
		{"NUL in the reason", crlf("HTTP/1.1 200 O\x00K"), BadStartLine},
		{"CR in the reason", crlf("HTTP/1.1 200 O\rK"), BadStartLine},
		{"two digits", crlf("HTTP/1.1 99 OK"), BadStatus},
		{"four digits", crlf("HTTP/1.1 1000 OK"), BadStatus},
		{"a code under 100", crlf("HTTP/1.1 099 OK"), BadStatus},
		{"letters for a code", crlf("HTTP/1.1 2x0 OK"), BadStatus},
		{"no code", crlf("HTTP/1.1"), BadStatus},
		{"no space before the code", crlf("HTTP/1.1200 OK"), BadStatus},
		{"another protocol, before its line ends", "ICY 200", BadStartLine},
		{"another protocol", crlf("ICY 200 OK"), BadStartLine},
		{"a short line", crlf("HTTP/1"), BadStartLine},
		{"a bad version", crlf("HTTP/1.x 200 OK"), BadVersion},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if _, out, v := response(t, r.in, MethodGet, false); v != r.want {
				t.Errorf("%q: %v (%q), want %v", r.in, v, out, r.want)
			}
		})
	}
}

func TestInterimResponsesAreFollowedByAnother(t *testing.T) {
	for status, want := range map[int]bool{100: true, 101: false, 103: true, 199: true, 200: false} {
		if h := (&Head{Status: status}); h.Interim() != want {
			t.Errorf("%d: %v, want %v", status, h.Interim(), want)
		}
	}
}

// The table is what HAProxy 2.6.12 wrote on loopback.
func TestConnectionOptionsAreSaidOnlyWhereTheVersionDoesNotImplyThem(t *testing.T) {
	for _, r := range []struct {
		v    Version
		keep bool
		want Option
	}{{HTTP11, true, Implied}, {HTTP11, false, SayClose}, {HTTP10, true, SayKeepAlive}, {HTTP10, false, Implied}} {
		if got := RequestOption(r.v, r.keep); got != r.want {
			t.Errorf("request %v keep %v: %v, want %v", r.v, r.keep, got, r.want)
		}
	}
	for _, r := range []struct {
		client, v Version
		keep      bool
		want      Option
	}{
		{HTTP11, HTTP11, true, Implied}, {HTTP11, HTTP11, false, SayClose}, {HTTP11, HTTP10, true, SayKeepAlive}, {HTTP11, HTTP10, false, Implied},
		{HTTP10, HTTP11, true, SayKeepAlive}, {HTTP10, HTTP11, false, SayClose}, {HTTP10, HTTP10, true, SayKeepAlive}, {HTTP10, HTTP10, false, Implied},
	} {
		if got := ResponseOption(r.client, r.v, r.keep); got != r.want {
			t.Errorf("client %v response %v keep %v: %v, want %v", r.client, r.v, r.keep, got, r.want)
		}
	}
}

func TestEditsAreWrittenBehindTheMessagesOwnHeaders(t *testing.T) {
	h, buf := new(Head), []byte(crlf("HTTP/1.1 200 OK", "A: 1", "Transfer-Encoding: chunked", "B: 2"))
	h.ParseResponse(buf, MethodGet, false)
	got := string(h.AppendResponse(nil, buf, Edits{Add: []Field{{[]byte("c"), []byte("3")}}, Connection: SayClose, Unchunked: true}))
	if want := crlf("HTTP/1.1 200 OK", "a: 1", "b: 2", "c: 3", "connection: close"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = string(h.AppendResponse(nil, buf, Edits{Connection: SayKeepAlive}))
	if want := crlf("HTTP/1.1 200 OK", "a: 1", "transfer-encoding: chunked", "b: 2", "connection: keep-alive"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLayPutsTheHeadInFrontOfTheBody(t *testing.T) {
	buf := []byte("....oldhead|body")
	start, ok := Lay(buf, 12, []byte("new head|"))
	if !ok || string(buf[start:]) != "new head|body" {
		t.Errorf("%d %v %q", start, ok, buf[start:])
	}
	if _, ok := Lay(buf, 3, []byte("long")); ok {
		t.Error("a head longer than the room in front fitted")
	}
}

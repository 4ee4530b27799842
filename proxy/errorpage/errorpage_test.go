package errorpage

import (
	"strings"
	"testing"
)

// Bytes captured from HAProxy 2.6.12.
func TestDefaultPagesAreHAProxysBytes(t *testing.T) {
	for status, want := range map[int]string{
		503: "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n",
		407: "HTTP/1.1 407 Unauthorized\r\ncontent-length: 112\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<html><body><h1>407 Unauthorized</h1>\nYou need a valid user and password to access this content.\n</body></html>\n",
		408: "HTTP/1.1 408 Request Time-out\r\ncontent-length: 110\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<html><body><h1>408 Request Time-out</h1>\nYour browser didn't send a complete request in time.\n</body></html>\n",
	} {
		if got := string(Append(nil, Default(status), "", true)); got != want {
			t.Errorf("%d:\n got %q\nwant %q", status, got, want)
		}
	}
	// The other captured lengths stand for their texts.
	for status, length := range map[int]string{200: "58", 400: "90", 401: "112", 403: "93", 404: "83", 405: "146", 410: "114", 413: "106", 421: "104", 422: "116", 425: "80", 429: "117", 500: "97", 501: "136", 502: "107", 504: "92"} {
		if got := string(Default(status)); !strings.Contains(got, "\r\ncontent-length: "+length+"\r\n") {
			t.Errorf("%d: %q, want length %s", status, got, length)
		}
	}
	if Default(414) != nil {
		t.Error("414 has a page")
	}
}

func TestTheConnectionHeaderStandsBehindTheOthers(t *testing.T) {
	got := string(Append([]byte("x"), Default(400), "close", false))
	if want := "xHTTP/1.1 400 Bad request\r\ncontent-length: 90\r\ncache-control: no-cache\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatusesAreThoseAnErrorfileMayName(t *testing.T) {
	got := Statuses()
	if len(got) != 19 || got[0] != 200 || got[18] != 504 {
		t.Errorf("%v", got)
	}
}

func TestErrorfilesAreSentAsHAProxySendsThem(t *testing.T) {
	for _, r := range []struct {
		name, in, connection, out string
		sized                     bool
	}{
		{"Debian's", "HTTP/1.0 503 Service Unavailable\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\nbody\n", "close",
			"HTTP/1.0 503 Service Unavailable\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\nbody\n", false},
		{"lone LFs", "HTTP/1.1 503 X\nContent-Type: text/html\n\nbody\n", "close", "HTTP/1.1 503 X\r\ncontent-type: text/html\r\nconnection: close\r\n\r\nbody\n", false},
		{"another status", "HTTP/1.1 302 Found\nLocation: /\nContent-Length: 0\n\n", "", "HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", true},
		{"a length", "HTTP/1.1 503 X\nContent-Length: 3\n\nabc", "keep-alive", "HTTP/1.1 503 X\r\ncontent-length: 3\r\nconnection: keep-alive\r\n\r\nabc", true},
		{"no headers", "\nHTTP/1.1 503 X\n\n", "close", "HTTP/1.1 503 X\r\nconnection: close\r\n\r\n", false},
		{"no content", "", "close", "", false},
	} {
		p, err := Parse([]byte(r.in))
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		if got := string(Append(nil, p.Bytes, r.connection, true)); got != r.out || p.Sized != r.sized {
			t.Errorf("%s:\n got %q sized %v\nwant %q sized %v", r.name, got, p.Sized, r.out, r.sized)
		}
	}
	p, _ := Parse([]byte("HTTP/1.1 404 X\nContent-Length: 3\n\nabc"))
	if string(p.Bytes[p.Body:]) != "abc" || p.Status != 404 {
		t.Errorf("body %q status %d", p.Bytes[p.Body:], p.Status)
	}
}

func TestErrorfilesAreRefusedWithTheReason(t *testing.T) {
	for in, want := range map[string]string{
		"HTTP/1.1 404 X\nContent-Length: 99\n\nbody\n":            "body of 5 bytes does not match content-length 99",
		"HTTP/1.1 404 X\nContent-Length: 0\n\nbody\n":             "body of 5 bytes not expected",
		"HTTP/1.1 503 X\nTransfer-Encoding: chunked\n\n0\r\n\r\n": "chunked",
		"HTTP/1.1 503 X\nFoo : x\n\n":                             "malformed header name",
		"hello":                                                   "malformed start line",
		"HTTP/1.1 503 X\n":                                        "no empty line",
		"HTTP/1.1 204 X\n\nabc":                                   "body of 3 bytes not expected",
		"HTTP/1.1 103 X\n\n":                                      "status code 103",
		"HTTP/1.1 101 X\n\n":                                      "status code 101",
		"HTTP/1.1 503 X\nContent-Length: \n\nabc":                 "content-length",
	} {
		if _, err := Parse([]byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

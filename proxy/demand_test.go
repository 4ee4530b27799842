package proxy

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestDemandIsTheMostOfTheLastTwoSpans(t *testing.T) {
	const life = int64(5 * time.Second)
	var d demand
	at := func(second, begin, end, want int) {
		t.Helper()
		for range begin {
			d.begin(int64(second)*int64(time.Second)+life, life)
		}
		for range end {
			d.end()
		}
		if got := d.most(); got != want {
			t.Errorf("after %d s: %d, want %d", second, got, want)
		}
	}
	at(0, 10, 10, 10)
	at(4, 2, 2, 10)
	at(5, 3, 3, 10) // a new span: the one before had 10
	at(10, 1, 1, 3) // and the next: 3
	at(30, 1, 0, 1) // long after
	at(31, 4, 5, 5)
}

// Clients that ask once each leave one idle connection, not as many as they
// were, and no server waits for a close of what nobody will use.
func TestClientsThatAskOnceLeaveOneIdleConnection(t *testing.T) {
	ended := make(chan error, 10)
	addr := script(t, func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, five)
		_, err := c.Read(make([]byte, 1))
		ended <- err
	})
	r := serve(t, 1, section(addr))
	for range 5 {
		if got := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"); !strings.HasSuffix(got, "hello") {
			t.Fatalf("got %q", got)
		}
	}
	for range 4 {
		if err := <-ended; err == nil || err == io.EOF {
			t.Errorf("a connection nobody needs ended with %v, want a reset: the system would keep its port", err)
		}
	}
	if got := r.Server.backends[0].targets[0].idle.Load(); got != 1 {
		t.Errorf("%d idle connections, want 1", got)
	}
}

// Whoever said that nothing follows has the response whole, with the end of
// the stream behind it, however long it is.
func TestAClientThatClosesHasTheWholeResponse(t *testing.T) {
	body := strings.Repeat("x", 3<<20)
	r := serve(t, 1, section(script(t, says("HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n"+body))))
	for _, ask := range []string{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"} {
		c := r.dial()
		io.WriteString(c, ask)
		b, err := io.ReadAll(c)
		if err != nil || !strings.HasSuffix(string(b), body) {
			t.Errorf("%.16q: %d bytes, %v", ask, len(b), err)
		}
	}
}

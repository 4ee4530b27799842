package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestAClientThatExpectsA100IsToldToGoOn(t *testing.T) {
	got := make(chan string, 1)
	o := script(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		q, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		b, _ := io.ReadAll(q.Body)
		got <- q.Header.Get("Expect") + " " + string(b)
		io.WriteString(c, five)
	})
	r := serve(t, 1, section(o))
	c := r.dial()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	in := bufio.NewReader(c)
	if line, _ := in.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("before the body: %q", line)
	}
	in.ReadString('\n')
	io.WriteString(c, "body"+get) // and another request behind it
	if g := <-got; g != "100-continue body" {
		t.Errorf("the server got %q", g)
	}
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 200 || resp.Close {
		t.Errorf("got %v, %v; want 200 on a connection that goes on", resp, err)
	}
}

// The body may come before anybody asks for it: the 100 passes all the same.
func TestAClientThatDoesNotWaitForA100IsServed(t *testing.T) {
	o := script(t, func(c net.Conn) {
		for in := bufio.NewReader(c); ; {
			q, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			b, _ := io.ReadAll(q.Body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(b), b)
		}
	})
	r := serve(t, 1, section(o))
	const post = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
	got := r.exchange(post + "Content-Length: 4\r\n\r\nbody" + post + "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n")
	if strings.Count(got, "HTTP/1.1 100 ") != 2 || !strings.Contains(got, "\r\n\r\nbodyHTTP/1.1 100 ") || !strings.HasSuffix(got, "\r\n\r\nmore") {
		t.Errorf("got %q", got)
	}
}

func TestTrailersPassBothWays(t *testing.T) {
	got := make(chan string, 1)
	o := script(t, func(c net.Conn) {
		q, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		b, _ := io.ReadAll(q.Body)
		got <- string(b) + " " + q.Trailer.Get("X-Sum")
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 2\r\n\r\n")
	})
	r := serve(t, 1, section(o))
	c := r.dial()
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 1\r\n\r\n")
	if g := <-got; g != "body 1" {
		t.Errorf("the server got %q", g)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := io.ReadAll(resp.Body); string(b) != "hello" || resp.Trailer.Get("X-Sum") != "2" {
		t.Errorf("the client got %q and trailers %v", b, resp.Trailer)
	}
}

// Nothing that a response without a body announces is waited for.
func TestResponsesWithoutABodyLeaveTheConnectionInStep(t *testing.T) {
	for _, tc := range []struct{ method, response string }{
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n"},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n"},
		{"GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n"},
		{"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
	} {
		o := script(t, func(c net.Conn) {
			for in := bufio.NewReader(c); ; {
				q, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if q.URL.Path == "/next" {
					io.WriteString(c, five)
				} else {
					io.WriteString(c, tc.response)
				}
			}
		})
		r := serve(t, 1, section(o))
		got := r.exchange(tc.method + " / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if head, next, _ := strings.Cut(got, "\r\n\r\n"); !strings.HasPrefix(next, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(next, "\r\n\r\nhello") {
			t.Errorf("%s answered by %q: got %q, then %q", tc.method, tc.response, head, next)
		}
	}
}

func TestConnectBecomesATunnelOnlyWhenTheServerGrantsIt(t *testing.T) {
	const connect = "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"
	granted := script(t, func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		io.Copy(c, c)
	})
	r := serve(t, 1, section(granted))
	if got := r.exchange(connect + "any bytes"); !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.HasSuffix(got, "\r\n\r\nany bytes") {
		t.Errorf("granted: got %q", got)
	}
	o, heads := early(t, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 5\r\n\r\nhello")
	r = serve(t, 1, section(o))
	r.exchange(connect + "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	for _, want := range []string{"1 CONNECT a:80 HTTP/1.1", "1 GET /next HTTP/1.1"} {
		if got := <-heads; got != want {
			t.Errorf("refused: the server got %q, want %q", got, want)
		}
	}
}

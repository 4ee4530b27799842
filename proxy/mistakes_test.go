package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"herald/proxy/rule"
	"herald/proxy/settings"
)

// Each row is a mistake that another implementation made and that let a
// request be seen differently behind it: what the client gets and what the
// server sees of it.
func TestRequestsThatFooledOthers(t *testing.T) {
	post := func(headers, body string) string {
		return "POST /t HTTP/1.1\r\nHost: a\r\nX-Case: @\r\n" + headers + "\r\n" + body
	}
	for _, tc := range []struct{ name, send, client, server string }{
		{"CVE-2021-40346, a header name whose length overflows", post("Content-Length0"+strings.Repeat("a", 255)+":\r\nContent-Length: "+fmt.Sprint(len(smuggled))+"\r\n", smuggled), "200 200", "POST /t HTTP/1.1 +35 | GET /next HTTP/1.1 +0"},
		{"CVE-2023-25725, an empty header name hides what follows", post(":\r\nContent-Length: 5\r\n", "hello"), "400", ""},
		{"CVE-2023-40225, an empty content-length", post("Content-Length:\r\n", smuggled), "400", ""},
		{"CVE-2023-45539, a fragment in the path", "GET /static#.php HTTP/1.1\r\nHost: a\r\nX-Case: @\r\n\r\n", "400", ""},
		{"CVE-2019-18277, a blank nobody knows before chunked", post("Content-Length: 5\r\nTransfer-Encoding: \vchunked\r\n", end), "400", ""},
		{"CVE-2022-1705, a coding that only looks like chunked", post("Transfer-Encoding: xchunked\r\n", end), "400", ""},
		{"CVE-2025-22871, a lone LF behind a chunk size", post("Transfer-Encoding: chunked\r\n", "5\nhello\r\n0\r\n\r\n"), "400", ""},
		{"CVE-2023-39326, little data in long chunk extensions", post("Transfer-Encoding: chunked\r\n", strings.Repeat("1;"+strings.Repeat("x", 1000)+"\r\na\r\n", 40)+end), "400", ""},
		{"CVE-2026-2835, a transfer coding in HTTP/1.0", "POST /t HTTP/1.0\r\nHost: a\r\nX-Case: @\r\nTransfer-Encoding: chunked\r\n\r\n" + end, "400", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := observe(t)
			r := serve(t, 1, strict(o.addr))
			got := try(t, r.addr, o, []trial{{name: tc.name, send: tc.send}})[0]
			// The head may have gone before a later chunk was seen to be bad.
			server := got.server
			if tc.client == "400" && strings.HasSuffix(server, " cut") {
				server = ""
			}
			if got.client != tc.client || server != tc.server || got.unsafe != "" {
				t.Errorf("got %s, want %s %s", got, tc.client, tc.server)
			}
		})
	}
}

// CVE-2021-33197, CVE-2024-45410: "connection" must not take away what a
// proxy wrote about the client.
func TestConnectionCannotRemoveWhatWeSayAboutTheClient(t *testing.T) {
	got := make(chan string, 1)
	p := section(heard(t, got))
	p.ForwardFor = &settings.ForwardFor{Header: "X-Forwarded-For"}
	r := serve(t, 1, p)
	r.exchange("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\nConnection: close, x-forwarded-for, x-forwarded-proto, host, authorization\r\nX-Forwarded-Proto: https\r\n\r\n")
	head := <-got
	for _, want := range []string{"\r\nx-forwarded-for: 127.0.0.1\r\n", "\r\nhost: a\r\n", "\r\nx-forwarded-proto: https\r\n", "\r\nauthorization: x\r\n"} {
		if !strings.Contains(head, want) {
			t.Errorf("got %q, want %q in it", head, want)
		}
	}
}

// early answers every request head at once, whatever body is announced, and
// tells of the requests of each connection.
func early(t *testing.T, response string) (addr string, heads chan string) {
	heads = make(chan string, 16)
	var n atomic.Int64
	return script(t, func(c net.Conn) {
		id := n.Add(1)
		for in := bufio.NewReader(c); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			heads <- fmt.Sprintf("%d %s", id, strings.TrimSpace(line))
			for line != "\r\n" {
				if line, err = in.ReadString('\n'); err != nil {
					return
				}
			}
			io.WriteString(c, response)
		}
	}), heads
}

// CVE-2025-4366 and CVE-2024-24791: a server that answers before it has got
// the body leaves the rest of it on both connections. Neither may carry
// another request.
func TestARequestWhoseBodyWasNotReadEndsBothConnections(t *testing.T) {
	for name, tc := range map[string]struct{ headers, response string }{
		"an early answer":                      {"", five},
		"a refusal of an expectation":          {"Expect: 100-continue\r\n", "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"},
		"a final answer instead of a 100":      {"Expect: 100-continue\r\n", five},
		"an early answer that wants to go on":  {"", "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello"},
		"an early answer in chunks":            {"", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
		"an early answer with nothing in it":   {"", "HTTP/1.1 204 No Content\r\n\r\n"},
		"an early answer that nothing changed": {"", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			o, heads := early(t, tc.response)
			p := section(o)
			p.Reuse = settings.ReuseAlways
			r := serve(t, 1, p)
			c := r.dial()
			in := bufio.NewReader(c)
			fmt.Fprintf(c, "POST /t HTTP/1.1\r\nHost: a\r\n%sContent-Length: %d\r\n\r\n", tc.headers, len(smuggled))
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			if !resp.Close {
				t.Error("the client may go on")
			}
			io.WriteString(c, smuggled+get)
			if b, _ := io.ReadAll(in); len(b) > 0 {
				t.Errorf("behind the answer: %q", b)
			}
			if got := <-heads; got != "1 POST /t HTTP/1.1" {
				t.Errorf("first: %q", got)
			}
			r.exchange("GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			if got := <-heads; got != "2 GET /other HTTP/1.1" {
				t.Errorf("another client's request: got %q, want it on a connection of its own", got)
			}
		})
	}
}

// The same with an answer of our own: the rest of the body is no request.
func TestAnAnswerOfOurOwnBeforeTheBodyEndsTheConnection(t *testing.T) {
	r := serve(t, 1, section())
	c := r.dial()
	fmt.Fprintf(c, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", len(smuggled))
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 503 || !resp.Close {
		t.Fatalf("got %v, %v; want 503 and close", resp, err)
	}
	io.Copy(io.Discard, resp.Body)
	io.WriteString(c, smuggled)
	if b, _ := io.ReadAll(in); len(b) > 0 {
		t.Errorf("behind the answer: %q", b)
	}
}

const upgrading = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// CVE-2026-2833: what a client sends behind a request for an upgrade goes to
// the server when that has agreed, and is a request of its own otherwise.
func TestNothingIsTunnelledBeforeTheServerAgrees(t *testing.T) {
	agree := make(chan bool)
	got := make(chan string, 4)
	o := script(t, func(c net.Conn) {
		b := make([]byte, 4096)
		n, _ := c.Read(b)
		got <- string(b[:n])
		<-agree
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
		n, _ = io.ReadFull(c, b[:len(smuggled)])
		got <- string(b[:n])
	})
	r := serve(t, 1, section(o))
	c := r.dial()
	io.WriteString(c, upgrading+smuggled)
	if head := <-got; strings.Contains(head, "smuggled") || !strings.HasSuffix(head, "\r\n\r\n") {
		t.Errorf("before the 101 the server got %q", head)
	}
	agree <- true
	if rest := <-got; rest != smuggled {
		t.Errorf("behind the 101 the server got %q", rest)
	}
}

// CVE-2024-23326: an answer that is no 101 ends the talk of an upgrade; the
// connections go on with requests.
func TestAnUpgradeThatIsNotGrantedIsARequestLikeAnother(t *testing.T) {
	for _, response := range []string{five, "HTTP/1.1 200 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"} {
		o, heads := early(t, response)
		p := section(o)
		p.ForwardFor = &settings.ForwardFor{Header: "X-Forwarded-For"}
		r := serve(t, 1, p)
		c := r.dial()
		io.WriteString(c, upgrading+"GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		in := bufio.NewReader(c)
		for i, want := range []string{"1 GET /ws HTTP/1.1", "1 GET /next HTTP/1.1"} {
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%q: answer %d: %v", response, i, err)
			}
			if b, _ := io.ReadAll(resp.Body); string(b) != "hello" {
				t.Errorf("%q: answer %d is %q", response, i, b)
			}
			if got := <-heads; got != want {
				t.Errorf("%q: request %d: got %q, want %q", response, i, got, want)
			}
		}
	}
}

// A server must not become a tunnel that no client asked for.
func TestASwitchThatNobodyAskedForIsRefused(t *testing.T) {
	o, _ := early(t, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
	r := serve(t, 1, section(o))
	if got := r.exchange(get + smuggled); !strings.HasPrefix(got, "HTTP/1.1 502 ") {
		t.Errorf("got %q, want 502", got)
	}
}

// CVE-2019-14241 and CVE-2022-0711: readers of cookies that never came to the
// end of odd ones. Each is looked through for a cookie that is not there, in
// requests and responses, and passed on as it is.
func TestNoCookieIsReadForEver(t *testing.T) {
	odd := []string{"", ";", "=", "=;", ";;;;", "; ; ;", "a", "a=", "=a", "a==b", `a="`, `a=";b`, `a="b;c"`, "$Version=1; a=b; $Path=/", ",,,", "a=b,", ",=;\"",
		strings.Repeat(";", 8000), strings.Repeat("a=b;", 2000), strings.Repeat("=", 8000), strings.Repeat(`"`, 8000), strings.Repeat(`\"`, 4000)}
	var answer atomic.Pointer[string]
	p := section(script(t, func(c net.Conn) {
		readHeadOf(c)
		io.WriteString(c, *answer.Load())
	}))
	p.Captures = settings.Captures{Cookie: settings.Capture{Name: "SESSION", Len: 10}}
	for _, fetch := range []string{"req.cook(x)", "req.cook_cnt(x)", "cookie(x)", "req.cook"} {
		p.Rules.Backends = append(p.Rules.Backends, rule.Choice{Name: "web", If: when(t, "{ "+fetch+" -m str none }")})
	}
	r := serve(t, 1, p)
	for _, value := range odd {
		for _, header := range []string{"Set-Cookie", "Set-Cookie2"} {
			text := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n" + header + ": " + value + "\r\n\r\nok"
			answer.Store(&text)
			if got := r.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nCookie: " + value + "\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") || !strings.HasSuffix(got, "\r\n\r\nok") {
				t.Errorf("%s: %.30q: got %.100q", header, value, got)
			}
		}
	}
}

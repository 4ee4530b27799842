package proxy

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A flood of clients that stop after their first message cannot start more
// goroutines than there may be connections.
func TestHandshakesAreBoundedByMaxconn(t *testing.T) {
	const most, clients = 5, 40
	p := encrypted(section("127.0.0.1:1"))
	p.MaxConn = most
	r := serve(t, 1, p)
	var hello bytes.Buffer
	tls.Client(recorder{&hello}, trusting()).Handshake()
	before := runtime.NumGoroutine()
	for range clients {
		r.dial().Write(hello.Bytes())
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() < before+most {
		if time.Now().After(deadline) {
			t.Fatalf("%d handshakes are under way, want %d", runtime.NumGoroutine()-before, most)
		}
		runtime.Gosched()
	}
	if n, g := r.conns.now.Load(), runtime.NumGoroutine()-before; n > most || g > most {
		t.Errorf("%d connections and %d handshakes, at most %d", n, g, most)
	}
}

// A client of TLS 1.2 may not begin anew (RFC 5746, and CVE-2009-3555 and
// CVE-2011-1473 before it).
func TestRenegotiationIsRefused(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
	p := encrypted(section(origin(t, func(w http.ResponseWriter, q *http.Request) { io.WriteString(w, "hello") })))
	r := serve(t, 1, p)
	cmd := exec.Command("openssl", "s_client", "-connect", r.addr, "-tls1_2", "-noservername")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer stop.Stop()
	io.WriteString(in, "R\n")
	cmd.Wait() // it ends when it is refused
	if text := said.String(); !strings.Contains(text, "RENEGOTIATING") || !strings.Contains(text, "alert unexpected message") {
		t.Errorf("it said %s", text)
	}
	deadline := time.Now().Add(5 * time.Second)
	for r.conns.now.Load() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the connection stays")
		}
		runtime.Gosched()
	}
}

// A ClientHello that is not whole costs its bytes and no goroutine, also when
// it comes in records that each are.
func TestHalfAClientHelloStartsNothing(t *testing.T) {
	const clients = 50
	p := encrypted(section("127.0.0.1:1"))
	p.MaxConn = 2 * clients
	r := serve(t, 1, p)
	hello := firstMessage()
	half := hello[:len(hello)/2]
	before := runtime.NumGoroutine()
	for i := range clients {
		c := r.dial()
		c.Write(records(half[recordHeader:], 1+i*20))
	}
	waitFor(t, func() bool { return r.conns.now.Load() == clients })
	done := make(chan struct{})
	r.workers[0].l.Post(func() { close(done) }) // behind what the connections said
	<-done
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines for %d halves", n, clients)
	}
}

// firstMessage is a ClientHello in one record.
func firstMessage() []byte {
	var hello bytes.Buffer
	tls.Client(recorder{&hello}, trusting()).Handshake()
	return hello.Bytes()
}

// records puts a handshake message into records of so many bytes.
func records(message []byte, size int) (all []byte) {
	for len(message) > 0 {
		n := min(size, len(message))
		all = append(all, 22, 3, 1, byte(n>>8), byte(n))
		all = append(all, message[:n]...)
		message = message[n:]
	}
	return all
}

func TestAClientHelloIsWholeWithItsLastByte(t *testing.T) {
	message := firstMessage()[recordHeader:]
	for _, size := range []int{1, 2, 3, 4, 5, 100, len(message) - 1, len(message)} {
		all := records(message, size)
		for _, step := range []int{1, 7, len(all)} {
			var c coming
			for n := step; ; n += step {
				n = min(n, len(all))
				if got, want := c.whole(all[:n]), n == len(all); got != want {
					t.Fatalf("records of %d bytes, %d of %d bytes: whole is %v", size, n, len(all), got)
				}
				if n == len(all) {
					break
				}
			}
		}
	}
	for name, p := range map[string]string{
		"plain text":               "GET / HTTP/1.1\r\n",
		"an empty record":          "\x16\x03\x01\x00\x00",
		"a record too long":        "\x16\x03\x01\x50\x00",
		"another message":          "\x16\x03\x01\x00\x01\x02",
		"a message too long":       "\x16\x03\x01\x00\x04\x01\x01\x00\x01",
		"half of it, then another": "\x16\x03\x01\x00\x01\x01\x15\x03",
	} {
		if !new(coming).whole([]byte(p)) {
			t.Errorf("%s: crypto/tls is not asked", name)
		}
	}
}

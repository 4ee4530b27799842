package proxy

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"herald/proxy/testcert"
)

// A flood of clients that stop after their first message cannot start more
// goroutines than there may be connections.
func TestHandshakesAreBoundedByMaxconn(t *testing.T) {
	const most, clients = 5, 40
	p := encrypted(section("127.0.0.1:1"))
	p.MaxConn = most
	r := serve(t, 1, p)
	hello := testcert.ClientHello()
	before := runtime.NumGoroutine()
	for range clients {
		r.dial().Write(hello)
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

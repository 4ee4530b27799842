// Package reference runs the HAProxy that is installed, for tests that write
// down what it answers. Nothing but tests imports it.
//
//	addr := reference.Address(t)
//	reference.Run(t, "frontend f\n bind "+addr+"\n http-request return status 204\n")
//	body := reference.Ask(t, addr, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
package reference

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience is how long HAProxy may take to listen, or to answer.
const patience = 20 * time.Second

// Address is one of the loopback that nobody listens on.
func Address(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Run starts HAProxy with a configuration, and with env added to the
// environment; it ends with the test. Without HAProxy the test is skipped.
func Run(t testing.TB, config string, env ...string) {
	t.Helper()
	bin, err := exec.LookPath("haproxy")
	if err != nil {
		t.Skip("needs haproxy in the path")
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command(bin, "-c", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, "-db", "-f", file)
	cmd.Env = append(os.Environ(), env...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		cmd.Wait()
		if t.Failed() {
			t.Logf("haproxy said: %s", said.String())
		}
	})
}

// Dial connects, as often as it takes until somebody listens.
func Dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.SetDeadline(time.Now().Add(patience))
			return c
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// Ask sends one request and answers the body of the response.
func Ask(t testing.TB, addr, request string) string {
	t.Helper()
	c := Dial(t, addr)
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	return strings.TrimSpace(string(body))
}

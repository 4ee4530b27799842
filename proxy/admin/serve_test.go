package admin

import (
	"bufio"
	"context"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// listen starts a server on a unix socket and answers a way to connect.
func listen(t *testing.T, o Options) func() net.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := New(&fake{}, o)
	done := make(chan error)
	go func() { done <- s.Serve(l, Admin) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		goleak.VerifyNone(t)
	})
	return func() net.Conn {
		c, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(10 * time.Second))
		t.Cleanup(func() { c.Close() })
		return c
	}
}

func talk(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestASessionEndsAfterItsAnswerWithoutAHalfClose(t *testing.T) {
	dial := listen(t, Options{})
	for text, want := range map[string]string{
		"show version\n":                 "0.1.0\n\n",
		"show version\r\n":               "0.1.0\n\n",
		"show version\nshow cli level\n": "0.1.0\n\nadmin\n\n",
		"show version <<\nclear counters\n\nshow cli level\n": "0.1.0\n\nadmin\n\n",
		"quit\n": "",
	} {
		if got := talk(t, dial(), text); got != want {
			t.Errorf("%q: want %q, got %q", text, want, got)
		}
	}
}

func TestAnUnfinishedLineIsNotRun(t *testing.T) {
	c := listen(t, Options{})()
	io.WriteString(c, "show version")
	c.(*net.UnixConn).CloseWrite()
	if got, _ := io.ReadAll(c); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestALineThatIsTooLongEndsTheSession(t *testing.T) {
	c := listen(t, Options{})()
	go io.WriteString(c, strings.Repeat("x", maxLine+10)+"\n")
	if got, _ := io.ReadAll(c); len(got) != 0 {
		t.Errorf("got %.50q", got)
	}
}

func TestAPromptKeepsTheSessionUntilQuit(t *testing.T) {
	c := listen(t, Options{})()
	r := bufio.NewReader(c)
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
			t.Fatalf("want %q, got %q, %v", want, got, err)
		}
	}
	io.WriteString(c, "prompt\n")
	expect("\n> ")
	io.WriteString(c, "show version\n")
	expect("0.1.0\n\n> ")
	io.WriteString(c, "show cli level;show version\n")
	expect("admin\n\n> 0.1.0\n\n> ")
	io.WriteString(c, "quit\n")
	if rest, err := io.ReadAll(r); err != nil || len(rest) != 0 {
		t.Errorf("after quit: %q, %v", rest, err)
	}
}

func TestASilentSessionEndsAfterTheTimeout(t *testing.T) {
	c := listen(t, Options{Timeout: 20 * time.Millisecond})()
	if got, err := io.ReadAll(c); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOnlySoManySessionsAreServedAtOnce(t *testing.T) {
	dial := listen(t, Options{MaxSessions: 1})
	a, b := dial(), dial()
	io.WriteString(a, "prompt\n")
	if _, err := io.ReadFull(a, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(b, "show version\n")
	b.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if n, err := b.Read(make([]byte, 10)); err == nil {
		t.Fatalf("the second session was answered (%d bytes) beside the first", n)
	}
	b.SetReadDeadline(time.Now().Add(10 * time.Second))
	a.Close()
	if got, err := io.ReadAll(b); err != nil || string(got) != "0.1.0\n\n" {
		t.Errorf("after the first ended: %q, %v", got, err)
	}
}

func TestDrainTakesNoSessionsAndLeavesThoseOpen(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	s := New(&fake{}, Options{})
	done := make(chan error)
	go func() { done <- s.Serve(l, Admin) }()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	if _, err := io.WriteString(c, "prompt\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := r.ReadString(' '); err != nil || !strings.HasSuffix(got, "> ") {
		t.Fatalf("got %q, %v, want a prompt", got, err)
	}
	s.Drain()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s.Finish(over) // does not wait then
	if got := talk(t, c, "show version\nquit\n"); !strings.HasPrefix(got, "0.1.0") {
		t.Errorf("the session that is open: got %q", got)
	}
	s.Finish(t.Context())
	if err := s.Serve(l, Admin); err != nil {
		t.Errorf("a listener after that: %v", err)
	}
	s.Close()
}

func TestCloseEndsSessionsThatWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s := New(&fake{}, Options{})
	done := make(chan error)
	go func() { done <- s.Serve(l, User) }()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "prompt\n")
	if _, err := io.ReadFull(c, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("the session still speaks: %d, %v", n, err)
	}
	if err := s.Serve(l, User); err != nil {
		t.Errorf("Serve after Close: %v", err)
	}
	goleak.VerifyNone(t)
}

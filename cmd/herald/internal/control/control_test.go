package control

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func served(t *testing.T, answers map[string]Answer) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := Serve(l, answers)
	t.Cleanup(s.Close)
	return path
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestACommandIsAnswered(t *testing.T) {
	path := served(t, map[string]Answer{"status": func(context.Context) (any, error) { return []int{1, 2}, nil }})
	var got []int
	if err := Ask(within(t), path, "status", &got); err != nil || len(got) != 2 {
		t.Errorf("want the answer, got %v, %v", got, err)
	}
}

func TestFailuresAreToldToWhoAsked(t *testing.T) {
	path := served(t, map[string]Answer{
		"fail": func(context.Context) (any, error) { return nil, errors.New("because") },
		"odd":  func(context.Context) (any, error) { return make(chan int), nil },
	})
	for command, want := range map[string]string{"fail": "because", "nonsense": "unknown command", "odd": "unsupported type"} {
		var v any
		if err := Ask(within(t), path, command, &v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", command, want, err)
		}
	}
}

func TestOnlyTheOwnerMayAskAndAStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	old, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false)
	old.Close()
	var v any
	if err := Ask(within(t), path, "status", &v); !errors.Is(err, ErrNotRunning) {
		t.Errorf("want ErrNotRunning from a stale socket, got %v", err)
	}
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("want mode 0600, got %v, %v", info.Mode(), err)
	}
}

func TestNobodyThereIsSaidSo(t *testing.T) {
	var v any
	err := Ask(within(t), filepath.Join(t.TempDir(), "none"), "status", &v)
	if !errors.Is(err, ErrNotRunning) || !strings.Contains(err.Error(), "none") {
		t.Errorf("want ErrNotRunning with the path, got %v", err)
	}
}

func TestNonsenseIsAnsweredWithAnError(t *testing.T) {
	path := served(t, nil)
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.Write([]byte("GET / HTTP/1.1\r\n"))
	if got, err := io.ReadAll(c); err != nil || !strings.Contains(string(got), "read request") {
		t.Errorf("want a reply that says so, got %q, %v", got, err)
	}
}

func TestTheEndOfTheServerEndsASlowCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	s := Serve(l, map[string]Answer{"wait": func(ctx context.Context) (any, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	failed := make(chan error, 1)
	go func() { var v any; failed <- Ask(context.Background(), path, "wait", &v) }()
	<-begun
	s.Close()
	if err := <-failed; err == nil {
		t.Error("a command of a server that ended succeeded")
	}
}

func TestWhoAsksCanGiveUp(t *testing.T) {
	path := served(t, map[string]Answer{"wait": func(ctx context.Context) (any, error) { <-ctx.Done(); return nil, ctx.Err() }})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var v any
	if err := Ask(ctx, path, "wait", &v); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("want the deadline, got %v", err)
	}
}

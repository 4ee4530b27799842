package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// mine is a named namespace of this test.
func mine(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	name := fmt.Sprintf("heraldtest%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("needs ip netns: %s, %v", out, err)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	return name
}

func current() string {
	at, _ := os.Readlink("/proc/thread-self/ns/net")
	return at
}

func TestWhatIsDoneInANamespaceLeavesTheProcessWhereItIs(t *testing.T) {
	name, before := mine(t), current()
	var there, child string
	err := Do(name, func() error {
		there = current()
		out, err := exec.Command("readlink", "/proc/self/ns/net").Output()
		child = strings.TrimSpace(string(out))
		return err
	})
	if err != nil || there == before || child != there {
		t.Errorf("inside %q, its child %q, %v; outside %q", there, child, err, before)
	}
	for range 50 { // no thread of the namespace is used again
		done := make(chan string)
		go func() { done <- current() }()
		if now := <-done; now != before {
			t.Fatalf("a goroutine runs in %q, want %q", now, before)
		}
	}
}

func TestWithoutANameItIsDoneHere(t *testing.T) {
	want := errors.New("as it is")
	if err := Do("", func() error { return want }); err != want {
		t.Errorf("got %v", err)
	}
}

func TestANamespaceThatIsNotThereIsNamed(t *testing.T) {
	f := func() error { t.Error("called"); return nil }
	if err := Do("never-there", f); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "never-there") {
		t.Errorf("got %v", err)
	}
	if err := Do("../../proc/1/ns/net", f); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a path: got %v", err)
	}
}

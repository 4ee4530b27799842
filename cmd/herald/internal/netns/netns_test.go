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

// TestMain lets the test binary be a program that enters a namespace.
func TestMain(m *testing.M) {
	name := os.Getenv("NETNS_TEST_ENTER")
	switch {
	case name == "":
		os.Exit(m.Run())
	case Entered() != name:
		fmt.Println(Enter(name))
		os.Exit(1)
	}
	in := Entered()
	Forget()
	fmt.Printf("%s in %s, then %q, %q\n", in, current(), Entered(), os.Args)
}

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

func TestAProgramStartsAgainInItsNamespace(t *testing.T) {
	name := mine(t)
	var want string
	if err := Do(name, func() error { want = current(); return nil }); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "one", "two words")
	cmd.Env = append(os.Environ(), "NETNS_TEST_ENTER="+name)
	out, err := cmd.CombinedOutput()
	if got, want := string(out), fmt.Sprintf("%s in %s, then %q, %q\n", name, want, "", []string{os.Args[0], "one", "two words"}); err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
}

func TestANamespaceThatCannotBeEnteredIsNamed(t *testing.T) {
	for name, want := range map[string]string{"never-there": "no such file or directory", "..": `".." is no name in /run/netns`} {
		failed := make(chan error)
		go func() { failed <- Enter(name) }() // its thread ends with it
		if err := <-failed; err == nil || err.Error() != "enter network namespace "+name+": "+want && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	if Entered() != "" {
		t.Errorf("entered %q", Entered())
	}
}

package lockfile

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be the other daemon.
func TestMain(m *testing.M) {
	if path := os.Getenv("LOCKFILE_TEST_PATH"); path != "" {
		if _, err := Take(path); err != nil {
			os.Stdout.WriteString("refused\n")
			os.Exit(1)
		}
		os.Stdout.WriteString("held\n")
		io.Copy(io.Discard, os.Stdin) // until the test is gone
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestALockIsHeldByOneAndEndsWithItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "herald.lock")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LOCKFILE_TEST_PATH="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q", line)
	}
	if l, err := Take(path); err == nil {
		l.Release()
		t.Error("two hold the lock")
	} else if !strings.Contains(err.Error(), "pid "+strconv.Itoa(cmd.Process.Pid)) {
		t.Errorf("want the holder named, got %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	l, err := Take(path)
	if err != nil {
		t.Fatalf("a killed holder still blocks: %v", err)
	}
	l.Release()
	if l, err := Take(path); err != nil {
		t.Errorf("after a release: %v", err)
	} else {
		l.Release()
	}
}

func TestAStalePidFileIsReplacedAndOnlyOursIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.pid")
	os.WriteFile(path, []byte("1\n"), 0o600)
	remove, err := WritePid(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != strconv.Itoa(os.Getpid())+"\n" {
		t.Errorf("want this process's number, got %q", got)
	}
	os.WriteFile(path, []byte("2\n"), 0o600)
	remove()
	if _, err := os.Stat(path); err != nil {
		t.Errorf("another's pid file was removed: %v", err)
	}
	if remove, err = WritePid(path); err != nil {
		t.Fatal(err)
	}
	remove()
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 0 {
		t.Errorf("want nothing left, got %v", left)
	}
}

func TestAPidFileThatCannotBeWrittenIsNamed(t *testing.T) {
	if _, err := WritePid("/no/such/dir/x.pid"); err == nil || !strings.Contains(err.Error(), "/no/such/dir/x.pid") {
		t.Errorf("want the path named, got %v", err)
	}
}

// A lock is never taken through a link, and whatever stands in the way is
// named.
func TestALockThatCannotBeTakenIsNamed(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("precious"), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{link: unix.ELOOP, filepath.Join(file, "lock"): unix.ENOTDIR, filepath.Join(file, "deep", "lock"): unix.ENOTDIR, dir: unix.EISDIR} {
		if l, err := Take(path); !errors.Is(err, want) || !strings.Contains(err.Error(), file) && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, %v, want %v", path, l, err, want)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != "precious" {
		t.Errorf("the link was followed: %q", got)
	}
}

func TestAPidFileThatCannotTakeItsPlaceLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.pid")
	if err := os.MkdirAll(filepath.Join(path, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := WriteNumber(path, 7); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("want the path named, got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("want the directory alone, got %v", left)
	}
}

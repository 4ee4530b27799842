package dumpfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// CVE-2018-19044, CVE-2018-19045 and CVE-2018-19046: files at known places that others
// may have put a link to, or could read.
func TestALinkInTheWayIsReplacedNotFollowed(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "keepalived.stats")
	if err := os.WriteFile(victim, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"first", "second"} {
		if err := Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("got %q, %v, want %q", got, err, text)
		}
	}
	if got, _ := os.ReadFile(victim); string(got) != "precious" {
		t.Errorf("the link was followed: %q", got)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("want a plain file of mode 0600, got %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".keepalived*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestWhatCannotBeWrittenIsNamed(t *testing.T) {
	if err := Write("/nonexistent/x", nil); err == nil {
		t.Error("want an error")
	}
}

// On a full disk the text before stays whole, and nothing is left beside it.
func TestAFullDiskKeepsTheTextBefore(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("none", dir, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("needs to mount a small disk: %v", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	path := filepath.Join(dir, "keepalived.data")
	if err := Write(path, []byte("before")); err != nil {
		t.Fatal(err)
	}
	err := Write(path, bytes.Repeat([]byte("x"), 8192))
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("got %v, want that there is no room", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "before" {
		t.Errorf("got %q", got)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

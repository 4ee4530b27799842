package disk

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.conf")
	if err := os.WriteFile(file, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "d.conf"), 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := Files{}.Read(file)
	if err != nil || string(text) != "x\n" {
		t.Errorf("read: want x, got %q, %v", text, err)
	}
	for _, path := range []string{"/dev/null", dir, filepath.Join(dir, "none")} {
		if _, err := (Files{}).Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("read %s: want an error that names it, got %v", path, err)
		}
	}
	names, err := Files{}.Glob(filepath.Join(dir, "*.conf"))
	if err != nil || !slices.Equal(names, []string{file}) {
		t.Errorf("glob: want only %s, got %q, %v", file, names, err)
	}
	if _, err := (Files{}).Glob("["); err == nil {
		t.Error("glob [: want an error, got none")
	}
}

func TestHugeFilesAreRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "huge")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, MaxSize+1); err != nil {
		t.Fatal(err)
	}
	if _, err := (Files{}).Read(file); err == nil {
		t.Error("want an error, got none")
	}
}

func TestFilesThatCannotBeReadAreNamed(t *testing.T) {
	for path, want := range map[string]string{
		"/proc/sys/net/ipv4/route/flush": "permission denied",  // only to be written, by root too
		"/proc/self/mem":                 "input/output error", // nothing lies at address 0
	} {
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			t.Skipf("needs %s", path)
		}
		if text, err := (Files{}).Read(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("read %s: want %s and its name, got %q, %v", path, want, text, err)
		}
	}
}

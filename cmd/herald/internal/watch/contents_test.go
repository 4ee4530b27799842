package watch

import (
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestContentsAreFollowed(t *testing.T) {
	dir := t.TempDir()
	plain, late, link := filepath.Join(dir, "plain"), filepath.Join(dir, "later", "file"), filepath.Join(dir, "link")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(plain, "one")
	for _, n := range []string{"1", "2"} {
		os.Mkdir(filepath.Join(dir, n), 0o700)
		write(filepath.Join(dir, n, "target"), "target "+n)
	}
	os.Symlink("1/target", link)
	shelf := filepath.Join(dir, "shelf")
	os.Mkdir(shelf, 0o700)
	write(filepath.Join(shelf, "known"), "known")
	write(filepath.Join(shelf, "unknown"), "unknown")
	sum := func(text string) string { s := sha256.Sum256([]byte(text)); return string(s[:]) }
	told := make(chan map[string][]byte, 10)
	f, err := Contents(map[string]string{plain: sum("one"), late: "", link: sum("before"), shelf + "/": "", filepath.Join(shelf, "known"): sum("known")}, func(now map[string][]byte) { told <- now })
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	last := map[string][]byte{} // what was told of each
	expect := func(what, path, want string, there bool) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for {
			if got, is := last[path]; is && string(got) == want && (got != nil) == there {
				return
			}
			select {
			case now := <-told:
				maps.Copy(last, now)
			case <-deadline:
				t.Fatalf("%s is not told", what)
			}
		}
	}
	expect("a change before the beginning", link, "target 1", true)
	expect("a file that came between", filepath.Join(shelf, "unknown"), "unknown", true)
	write(filepath.Join(shelf, "new"), "new")
	expect("a file that comes into a directory", filepath.Join(shelf, "new"), "new", true)
	os.Remove(filepath.Join(shelf, "known"))
	expect("a file that leaves a directory", filepath.Join(shelf, "known"), "", false)
	write(plain, "two")
	expect("a change", plain, "two", true)
	write(plain+".new", "three")
	os.Rename(plain+".new", plain)
	expect("a file in its place", plain, "three", true)
	os.Symlink("2/target", link+".new")
	os.Rename(link+".new", link)
	expect("another link", link, "target 2", true)
	write(filepath.Join(dir, "2", "target"), "target 2, changed")
	expect("a change behind a link", link, "target 2, changed", true)
	os.Mkdir(filepath.Dir(late), 0o700)
	write(late, "late")
	expect("a file in a new directory", late, "late", true)
	os.Remove(plain)
	expect("a file that goes", plain, "", false)
}

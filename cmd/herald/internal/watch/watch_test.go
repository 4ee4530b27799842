package watch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"herald/cmd/herald/internal/ipc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched starts a watch of one file and returns its first number and the
// later ones.
func watched(t *testing.T, f ipc.File) (int, <-chan int) {
	t.Helper()
	changes := make(chan int, 100)
	w, now, err := Files([]ipc.File{f}, func(now map[string]int) { changes <- now[f.Name] })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return now[f.Name], changes
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// becomes waits until the number is want; steps between do not matter.
func becomes(t *testing.T, changes <-chan int, want int) {
	t.Helper()
	for limit := time.After(10 * time.Second); ; {
		select {
		case n := <-changes:
			if n == want {
				return
			}
		case <-limit:
			t.Fatalf("the number never became %d", want)
		}
	}
}

func TestAFileMayComeChangeBeReplacedAndGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	first, changes := watched(t, ipc.File{Name: "n", Path: path})
	if first != 0 {
		t.Errorf("a missing file: got %d, want 0", first)
	}
	write(t, path, "12\n")
	becomes(t, changes, 12)
	write(t, path, " -7 \nmore")
	becomes(t, changes, -7)
	other := path + ".new"
	write(t, other, "3")
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	becomes(t, changes, 3)
	write(t, path, "no number")
	becomes(t, changes, 0)
	write(t, path, "5")
	becomes(t, changes, 5)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	becomes(t, changes, 0)
}

func TestADirectoryMayComeAndGo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	_, changes := watched(t, ipc.File{Name: "n", Path: filepath.Join(dir, "n")})
	for n := 1; n <= 2; n++ {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "n"), "4")
		becomes(t, changes, 4)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		becomes(t, changes, 0)
	}
}

func TestAFileIsInitialised(t *testing.T) {
	for _, c := range []struct {
		name, before string
		file         ipc.File
		want         int
	}{
		{"none there", "", ipc.File{Init: true, Value: 9}, 9},
		{"one there", "3", ipc.File{Init: true, Value: 9}, 3},
		{"one to overwrite", "3", ipc.File{Init: true, Value: 9, Overwrite: true}, 9},
		{"not wanted", "", ipc.File{Value: 9}, 0},
	} {
		c.file.Name, c.file.Path = "n", filepath.Join(t.TempDir(), "n")
		if c.before != "" {
			write(t, c.file.Path, c.before)
		}
		if got, _ := watched(t, c.file); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestWhatCannotBeWrittenIsNamedAndTheRestIsWatched(t *testing.T) {
	w, now, err := Files([]ipc.File{{Name: "a", Path: "/proc/nowhere/a", Init: true}}, func(map[string]int) {})
	if err == nil || now["a"] != 0 {
		t.Errorf("got %v, %v, want an error and 0", now, err)
	}
	w.Close()
}

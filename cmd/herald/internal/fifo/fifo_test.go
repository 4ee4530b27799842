package fifo

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *Writer {
	t.Helper()
	w, err := Open(path, os.Getuid(), os.Getgid())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func TestLinesReachAReaderThatComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	w := open(t, path)
	if err := w.Write("INSTANCE \"VI_1\" BACKUP 100\n"); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	again := open(t, path) // the process after a reload
	if err := again.Write("INSTANCE \"VI_1\" MASTER 100\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(r)
	for _, want := range []string{"INSTANCE \"VI_1\" BACKUP 100\n", "INSTANCE \"VI_1\" MASTER 100\n"} {
		if got, err := lines.ReadString('\n'); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	if info, _ := os.Stat(path); info.Mode() != os.ModeNamedPipe|0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestAPipeNobodyReadsLosesLinesAndSaysSoOnce(t *testing.T) {
	w := open(t, filepath.Join(t.TempDir(), "fifo"))
	told := 0
	for range 5000 {
		if err := w.Write(strings.Repeat("x", 99) + "\n"); err != nil {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
}

func TestSomethingElseAtThePathIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if w, err := Open(path, os.Getuid(), os.Getgid()); err == nil || !strings.Contains(err.Error(), "no FIFO") {
		t.Errorf("got %v, %v", w, err)
	}
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if w, err := Open(link, os.Getuid(), os.Getgid()); err == nil {
		t.Errorf("followed a link: %v", w)
	}
}

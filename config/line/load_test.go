package line

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"herald/config"
)

var disk = Files{ReadFile: os.ReadFile, Stat: os.Stat, ReadDir: os.ReadDir}

func TestDirectoryStandsForItsCfgFilesInOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.cfg", "a.cfg", ".hidden.cfg", "c.txt", "10.cfg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "d.cfg"), 0o700); err != nil {
		t.Fatal(err)
	}
	var diags config.Diagnostics
	var got []string
	for _, text := range Load(disk, []string{filepath.Join(dir, "c.txt"), dir}, &diags) {
		if filepath.Base(text.Name) != string(text.Bytes) {
			t.Errorf("%s holds %q", text.Name, text.Bytes)
		}
		got = append(got, filepath.Base(text.Name))
	}
	if want := []string{"c.txt", "10.cfg", "a.cfg", "b.cfg"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if len(diags.List()) > 0 {
		t.Errorf("unexpected %v", diags.List())
	}
}

func TestUnreadablePathsAreReportedByName(t *testing.T) {
	empty := t.TempDir()
	files := disk
	files.ReadDir = func(name string) ([]os.DirEntry, error) {
		if name == empty {
			return nil, nil
		}
		return nil, errors.New("broken disk")
	}
	var diags config.Diagnostics
	texts := Load(files, []string{"/nonexistent/a.cfg", t.TempDir(), empty}, &diags)
	l := diags.List()
	if len(texts) != 0 || len(l) != 3 {
		t.Fatalf("got %v, %v, want three findings and no text", texts, l)
	}
	if l[0].Severity != config.Error || l[0].Pos.File != "/nonexistent/a.cfg" || l[1].Severity != config.Error || l[2].Severity != config.Warning {
		t.Errorf("got %v", l)
	}
	files.ReadFile = func(string) ([]byte, error) { return nil, errors.New("broken disk") }
	files.Stat = func(string) (os.FileInfo, error) { return os.Stat("load_test.go") }
	diags = config.Diagnostics{}
	Load(files, []string{"x.cfg"}, &diags)
	if !diags.HasErrors() {
		t.Error("an unreadable file is not an error")
	}
}

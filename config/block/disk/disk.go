// Package disk reads configuration files from the file system for
// config/block. It reads nothing but regular files and decides nothing.
//
//	tree := block.Parse(disk.Files{}, block.Options{Path: path}, &diags)
package disk

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MaxSize is the largest file that is read, in bytes. The largest published
// keepalived.conf are a few hundred kilobytes.
const MaxSize = 32 << 20

// Files is the file system of this process.
type Files struct{}

// Read returns the content of the regular file at path.
func (Files) Read(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: opening a FIFO would wait
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(text) > MaxSize {
		return nil, fmt.Errorf("read %s: larger than %d bytes", path, MaxSize)
	}
	return text, nil
}

// Glob returns the regular files that match pattern, sorted.
func (Files) Glob(pattern string) ([]string, error) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern %s: %w", pattern, err)
	}
	regular := names[:0]
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			regular = append(regular, name)
		}
	}
	return regular, nil
}

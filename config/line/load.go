package line

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"herald/config"
)

// Files is the part of a file system that Load needs: os.ReadFile, os.Stat
// and os.ReadDir, or what a test puts in their place.
type Files struct {
	ReadFile func(name string) ([]byte, error)
	Stat     func(name string) (fs.FileInfo, error)
	ReadDir  func(name string) ([]fs.DirEntry, error)
}

// Load reads the files at paths in order. A directory stands for its regular
// *.cfg files in lexical order, hidden ones left out (management guide, "-f").
// What cannot be read is reported as an error at its path.
func Load(files Files, paths []string, diags *config.Diagnostics) []Text {
	var texts []Text
	for _, path := range paths {
		info, err := files.Stat(path)
		if err != nil {
			diags.Errorf(config.Pos{File: path}, path, "read configuration: %v", err)
			continue
		}
		names := []string{path}
		if info.IsDir() {
			names = directory(files, path, diags)
		}
		for _, name := range names {
			content, err := files.ReadFile(name)
			if err != nil {
				diags.Errorf(config.Pos{File: name}, name, "read configuration: %v", err)
				continue
			}
			texts = append(texts, Text{Name: name, Bytes: content})
		}
	}
	return texts
}

func directory(files Files, path string, diags *config.Diagnostics) []string {
	entries, err := files.ReadDir(path)
	if err != nil {
		diags.Errorf(config.Pos{File: path}, path, "read configuration directory: %v", err)
		return nil
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !strings.HasSuffix(e.Name(), ".cfg") {
			continue
		}
		name := filepath.Join(path, e.Name())
		// Stat follows a symbolic link, which e.Type does not.
		if info, err := files.Stat(name); err == nil && !info.Mode().IsRegular() {
			continue
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		diags.Warnf(config.Pos{File: path}, path, "directory holds no *.cfg file")
	}
	slices.Sort(names)
	return names
}

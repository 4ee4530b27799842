// Package dumpfile writes a file into a directory that everybody may write
// to, such as /tmp, without following what somebody put there.
//
// The text goes to a new file with a name nobody can guess, opened so that a
// link is never followed (O_EXCL), with mode 0600, and takes the place of the
// old one by a rename: a reader finds the old text or the new, never half.
//
//	err := dumpfile.Write("/tmp/keepalived.stats", text)
package dumpfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Write makes text the content of path.
func Write(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// Package lockfile keeps a second daemon from starting on the same run
// directory, and writes pid files.
//
// The lock is the kernel's (flock(2)), not a number in a file: it goes with
// the process however that ends, so nothing stale blocks a start. Pid files
// are for other programs to read and decide nothing here.
//
//	l, err := lockfile.Take("/run/herald/herald.lock")
//	if err != nil {
//		return err // says who holds it
//	}
//	defer l.Release()
package lockfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock is a lock held. It belongs to the process that took it: the file is
// close-on-exec, so no child carries it on.
type Lock struct{ file *os.File }

// Take takes the lock at path, making its directory, or says who holds it.
// The file stays when the lock is released: removing it would let two hold
// "the" lock.
func Take(path string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("take lock: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("take lock: %w", err)
	}
	if err := flock(f); err != nil {
		who, _ := os.ReadFile(path)
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("herald runs already with this run directory (pid %s holds %s)", strings.TrimSpace(string(who)), path)
		}
		return nil, fmt.Errorf("take lock %s: %w", path, err)
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintln(f, os.Getpid()) // for the message above, and for people
	}
	return &Lock{file: f}, nil
}

// Release gives the lock up.
func (l *Lock) Release() { l.file.Close() }

func flock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var locked error
	if err := raw.Control(func(fd uintptr) { locked = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		return err
	}
	return locked
}

// WritePid writes this process's number to path, whatever stood there, by a
// rename: a reader never finds half a number. The result removes the file
// when it still holds this number.
func WritePid(path string) (remove func(), err error) { return WriteNumber(path, os.Getpid()) }

// WriteNumber is WritePid for another process.
func WriteNumber(path string, pid int) (remove func(), err error) {
	text := strconv.Itoa(pid) + "\n"
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("write pid file %s: %w", path, err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return nil, fmt.Errorf("write pid file %s: %w", path, err)
	}
	return func() {
		if now, err := os.ReadFile(path); err == nil && string(now) == text {
			os.Remove(path)
		}
	}, nil
}

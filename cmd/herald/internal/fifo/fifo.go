// Package fifo writes lines to a named pipe somebody may read. It never
// waits: what does not fit into a pipe nobody reads is lost, and counted.
//
//	f, err := fifo.Open("/run/notify", uid, gid)
//	f.Write("INSTANCE \"VI_1\" MASTER 100\n")
package fifo

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Writer is an open FIFO. Its methods may be called from any goroutine.
type Writer struct {
	path string

	mu   sync.Mutex
	fd   int
	lost int
}

// Open makes the FIFO where there is none, with mode 0600 and the owner given,
// and opens it for writing without waiting for a reader. A FIFO that exists is
// taken as it is: a reader that waits there keeps its end. Anything else at
// the path is an error.
func Open(path string, uid, gid int) (*Writer, error) {
	err := unix.Mkfifo(path, 0o600)
	switch {
	case err == nil:
		if err := unix.Lchown(path, uid, gid); err != nil {
			return nil, fmt.Errorf("give FIFO %s to user %d: %w", path, uid, err)
		}
	case !errors.Is(err, unix.EEXIST):
		return nil, fmt.Errorf("make FIFO %s: %w", path, err)
	}
	// Open for both, or opening fails while nobody reads (fifo(7)).
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, fmt.Errorf("open FIFO %s: %w", path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
		unix.Close(fd)
		return nil, fmt.Errorf("open FIFO %s: %w", path, errors.Join(err, errNoFifo))
	}
	return &Writer{path: path, fd: fd}, nil
}

var errNoFifo = errors.New("it is no FIFO")

// Write writes one line. The error, of the first line lost since one was
// written, says why.
func (w *Writer) Write(line string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	// A line is shorter than PIPE_BUF: all of it or nothing (pipe(7)).
	_, err := unix.Write(w.fd, []byte(line))
	if err == nil {
		w.lost = 0
		return nil
	}
	if w.lost++; w.lost > 1 {
		return nil
	}
	return fmt.Errorf("FIFO %s: lines are lost: %w", w.path, os.NewSyscallError("write", err))
}

// Close closes the FIFO and leaves it where it is.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	fd := w.fd
	w.fd = -1
	return unix.Close(fd)
}

// Package watch reads numbers out of files and tells when they change
// (keepalived.conf(5), track_file).
//
// It knows files by their directories: a file may be missing, may come, and
// may be replaced by another of its name. It reads regular files only, and of
// those no more than a number is long.
//
//	f, now, err := watch.Files(list, func(now map[string]int) { ... })
//	defer f.Close()
package watch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

// again is how often a directory that does not exist is looked for.
const again = time.Second

// events are what may change what a name in a directory stands for.
const events = unix.IN_CLOSE_WRITE | unix.IN_MODIFY | unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// Watcher watches until Close. Its fields belong to its goroutine.
type Watcher struct {
	list    []ipc.File
	changed func(map[string]int)
	inotify *os.File
	now     map[string]int
	watched map[string]bool // directories
	ended   chan struct{}
}

// Files writes the files that say so, reads all of them, and calls changed,
// which must not block, from then on with all numbers whenever one changes.
func Files(list []ipc.File, changed func(map[string]int)) (*Watcher, map[string]int, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, nil, os.NewSyscallError("inotify_init1", err)
	}
	w := &Watcher{list: list, changed: changed, inotify: os.NewFile(uintptr(fd), "inotify"), watched: map[string]bool{}, ended: make(chan struct{})}
	var failed []error
	for _, f := range list {
		if err := initialise(f); err != nil {
			failed = append(failed, err)
		}
	}
	w.follow()
	w.now = w.numbers()
	go w.run()
	return w, maps.Clone(w.now), errors.Join(failed...)
}

// Close ends the watch and waits for its goroutine.
func (w *Watcher) Close() {
	w.inotify.Close()
	<-w.ended
}

// run is the goroutine: every event, and every missing directory once a
// second, means reading all files again.
func (w *Watcher) run() {
	defer close(w.ended)
	buf := make([]byte, 4096)
	for {
		if missing := w.follow(); missing {
			w.inotify.SetReadDeadline(time.Now().Add(again))
		} else {
			w.inotify.SetReadDeadline(time.Time{})
		}
		// What changed before a directory was watched counts too.
		if now := w.numbers(); !maps.Equal(now, w.now) {
			w.now = now
			w.changed(maps.Clone(now))
		}
		n, err := w.inotify.Read(buf)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		w.forget(buf[:max(n, 0)])
	}
}

// follow watches the directories that exist and reports whether one does not.
func (w *Watcher) follow() (missing bool) {
	for _, f := range w.list {
		dir := filepath.Dir(f.Path)
		if w.watched[dir] {
			continue
		}
		_, err := unix.InotifyAddWatch(int(w.fd()), dir, events)
		w.watched[dir] = err == nil
		missing = missing || err != nil
	}
	return missing
}

// fd is the descriptor; Fd of os.File would make it blocking.
func (w *Watcher) fd() (fd uintptr) {
	if raw, err := w.inotify.SyscallConn(); err == nil {
		raw.Control(func(d uintptr) { fd = d })
	}
	return fd
}

// forget watches all directories anew after one of them went away: which one
// the event does not say by name. Watching one twice is no harm.
func (w *Watcher) forget(list []byte) {
	for len(list) >= unix.SizeofInotifyEvent {
		mask := binary.NativeEndian.Uint32(list[4:])
		if mask&(unix.IN_DELETE_SELF|unix.IN_MOVE_SELF|unix.IN_IGNORED|unix.IN_Q_OVERFLOW) != 0 {
			clear(w.watched)
			return
		}
		size := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(list[12:]))
		list = list[min(size, len(list)):]
	}
}

func (w *Watcher) numbers() map[string]int {
	now := make(map[string]int, len(w.list))
	for _, f := range w.list {
		now[f.Name] = number(f.Path)
	}
	return now
}

// number reads the number a file begins with; 0 when there is none.
func number(path string) int {
	// A FIFO must not hold us up.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return 0
	}
	text, err := io.ReadAll(io.LimitReader(f, 32))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 32)
	if err != nil {
		return 0
	}
	return int(n)
}

// initialise writes the number of a file that is to have one.
func initialise(f ipc.File) error {
	if !f.Init {
		return nil
	}
	// Links are not followed: the place may be writable by others.
	flags := os.O_WRONLY | os.O_CREATE | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	if f.Overwrite {
		flags |= os.O_TRUNC
	} else {
		flags |= os.O_EXCL
	}
	file, err := os.OpenFile(f.Path, flags, 0o644)
	if errors.Is(err, os.ErrExist) && !f.Overwrite {
		return nil
	}
	if err != nil {
		return fmt.Errorf("track_file %s: %w", f.Name, err)
	}
	_, err = fmt.Fprintf(file, "%d\n", f.Value)
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("track_file %s: %w", f.Name, err)
	}
	return nil
}

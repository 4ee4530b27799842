package watch

import (
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// largest is how large a followed file may be; a longer one counts as gone.
const largest = 4 << 20

// settle is how long nothing may have changed before files are read: a
// certificate and its key are written one after the other.
const settle = 200 * time.Millisecond

// Follower follows the contents of files until Close. Its fields belong to
// its goroutine.
type Follower struct {
	paths   []string // sorted
	changed func(map[string][]byte)
	inotify *os.File
	known   map[string]content
	watched map[string]bool // directories
	ended   chan struct{}
}

// content is what a file was when it was last looked at.
type content struct {
	id  stamp
	sum string // SHA-256; empty: it was not there
}

// stamp changes when the file does.
type stamp struct {
	device, inode uint64
	size          int64
	modified      syscall.Timespec
}

// Contents calls changed, which must not block, with every file that is not
// what its sum says (SHA-256; empty for a missing one), and then with every
// one that comes, goes (nil) or changes. A path that ends in "/" is a
// directory, and means every file in it. Links are followed, and may be
// exchanged.
func Contents(sums map[string]string, changed func(map[string][]byte)) (*Follower, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	f := &Follower{paths: slices.Sorted(maps.Keys(sums)), changed: changed, inotify: os.NewFile(uintptr(fd), "inotify"), known: map[string]content{},
		watched: map[string]bool{}, ended: make(chan struct{})}
	for path, sum := range sums {
		if !strings.HasSuffix(path, "/") {
			f.known[path] = content{sum: sum}
		}
	}
	f.watchAll(fd)
	if now := f.look(); len(now) > 0 { // it changed since it was read
		changed(now)
	}
	go f.run(fd)
	return f, nil
}

// Close ends it and waits for its goroutine.
func (f *Follower) Close() {
	f.inotify.Close()
	<-f.ended
}

// run is the goroutine. Whatever happens, it waits until nothing happens any
// more, and then looks at all files.
func (f *Follower) run(fd int) {
	defer close(f.ended)
	buf := make([]byte, 16<<10)
	for {
		f.inotify.SetReadDeadline(time.Time{})
		if f.missing() {
			f.inotify.SetReadDeadline(time.Now().Add(again))
		}
		_, err := f.inotify.Read(buf)
		for err == nil { // until it is quiet
			f.inotify.SetReadDeadline(time.Now().Add(settle))
			_, err = f.inotify.Read(buf)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		clear(f.watched) // a directory may be another by now; watching one twice is no harm
		f.watchAll(fd)
		if now := f.look(); len(now) > 0 {
			f.changed(now)
		}
	}
}

// directories are where a change of path shows: its own, and that of what it
// is a link to.
func directories(path string) []string {
	list := []string{filepath.Dir(path)}
	if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
		list = append(list, filepath.Dir(target))
	}
	return list
}

// files are the paths with what lies in the directories among them now, and
// what lay there.
func (f *Follower) files() []string {
	set := map[string]bool{}
	for path := range f.known {
		set[path] = true
	}
	for _, path := range f.paths {
		if !strings.HasSuffix(path, "/") {
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if !e.IsDir() {
				set[path+e.Name()] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (f *Follower) watchAll(fd int) {
	for _, path := range append(f.files(), f.paths...) {
		for _, dir := range directories(path) {
			if _, done := f.watched[dir]; done {
				continue
			}
			_, err := unix.InotifyAddWatch(fd, dir, events|unix.IN_CREATE|unix.IN_ATTRIB)
			f.watched[dir] = err == nil
		}
	}
}

// missing reports whether some directory is not there to be watched.
func (f *Follower) missing() bool {
	for _, ok := range f.watched {
		if !ok {
			return true
		}
	}
	return false
}

// look answers the files that are not what they were.
func (f *Follower) look() map[string][]byte {
	now := map[string][]byte{}
	for _, path := range f.files() {
		id, there := stat(path)
		old := f.known[path]
		if there == (old.sum != "") && id == old.id {
			continue
		}
		c := content{id: id}
		var b []byte
		if there {
			if b = contents(path); b != nil {
				sum := sha256.Sum256(b)
				c.sum = string(sum[:])
			}
		}
		if c.sum != old.sum {
			now[path] = b
		}
		f.known[path] = c
	}
	return now
}

func stat(path string) (stamp, bool) {
	var s syscall.Stat_t
	if syscall.Stat(path, &s) != nil || s.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return stamp{}, false
	}
	return stamp{s.Dev, s.Ino, s.Size, s.Mtim}, true
}

// contents reads a regular file; nil when it cannot be had.
func contents(path string) []byte {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > largest {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(file, largest))
	if err != nil {
		return nil
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// Package census counts running processes and tells when a number changes
// (keepalived.conf(5), vrrp_track_process).
//
// The kernel's process connector tells of births, where it is to be had: in
// the first network and process namespace. Elsewhere /proc is looked through
// every second. The end of a process that counts is known at once everywhere,
// by a pidfd. Zombies do not count.
//
//	c, now, err := census.Take(list, func(now ipc.Counts) { ... })
//	defer c.Close()
package census

import (
	"errors"
	"maps"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

const (
	// lookEvery is how often /proc is looked through without the connector,
	// and lookBusy times what that takes at least.
	lookEvery = time.Second
	lookBusy  = 20
	// lookAfter is how often with it: nothing should be found.
	lookAfter = time.Minute
	// maxPidfds bounds the descriptors; the ends of more are found by looking.
	maxPidfds = 512
)

// Census counts until Close. Its fields belong to its goroutine.
type Census struct {
	list    []ipc.Program
	command bool // command lines are needed
	changed func(ipc.Counts)
	told    ipc.Counts

	epoll, wake int
	connector   int    // -1 without one
	question    uint32 // ours to it
	connected   bool   // it has answered
	procs       map[int]*process
	pidfds      map[int]int // to the process
	next        time.Time   // to look through /proc
	ended       chan struct{}
}

// process is one that counts.
type process struct {
	of    []bool // each program
	pidfd int    // -1 without one
	seen  bool   // in this look
}

// Take counts, and calls changed, which must not block, from then on with all
// numbers whenever one changes.
func Take(list []ipc.Program, changed func(ipc.Counts)) (*Census, ipc.Counts, error) {
	return take(list, changed, connect)
}

func take(list []ipc.Program, changed func(ipc.Counts), connect func(question uint32) (int, error)) (*Census, ipc.Counts, error) {
	c := &Census{list: list, changed: changed, connector: -1, question: uint32(os.Getpid()), procs: map[int]*process{}, pidfds: map[int]int{}, ended: make(chan struct{})}
	c.command = slices.ContainsFunc(list, func(p ipc.Program) bool { return p.Full })
	var err error
	if c.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("epoll_create1", err)
	}
	if c.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(c.epoll)
		return nil, nil, os.NewSyscallError("eventfd", err)
	}
	c.add(c.wake)
	if fd, err := connect(c.question); err == nil {
		c.connector = fd
		c.add(fd)
	}
	c.look()
	c.told = c.counts()
	go c.run()
	return c, maps.Clone(c.told), nil
}

// Close ends the census and waits for its goroutine.
func (c *Census) Close() {
	unix.Write(c.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-c.ended
	for fd := range c.pidfds {
		unix.Close(fd)
	}
	for _, fd := range []int{c.connector, c.wake, c.epoll} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

func (c *Census) add(fd int) error {
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// run is the goroutine.
func (c *Census) run() {
	defer close(c.ended)
	events, buf := make([]unix.EpollEvent, 64), make([]byte, 4096)
	for {
		wait := max(time.Until(c.next).Milliseconds()+1, 0)
		n, err := unix.EpollWait(c.epoll, events, int(wait))
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		for _, e := range events[:max(n, 0)] {
			switch fd := int(e.Fd); fd {
			case c.wake:
				return
			case c.connector:
				c.hear(buf)
			default:
				if pid, known := c.pidfds[fd]; known && over(fd) {
					c.drop(pid)
				}
			}
		}
		if !time.Now().Before(c.next) {
			c.look()
		}
		if now := c.counts(); !maps.Equal(now, c.told) {
			c.told = now
			c.changed(maps.Clone(now))
		}
	}
}

// hear acts on what the connector says.
func (c *Census) hear(buf []byte) {
	lost, err := hear(c.connector, buf, func(e event) {
		switch {
		case e.what == happenedNone:
			if e.answered == c.question && e.failed == 0 && !c.connected {
				c.connected, c.next = true, time.Time{} // what came before
			}
		case !c.connected:
			// It speaks to somebody else, perhaps of another namespace.
		case e.what == happenedFork && e.thread == e.pid && c.procs[e.parent] != nil:
			c.examine(e.pid)
		case e.what == happenedExec, e.what == happenedComm && e.thread == e.pid:
			c.examine(e.pid)
		case e.what == happenedExit && e.thread == e.pid && c.procs[e.pid] != nil:
			c.examine(e.pid)
		}
	})
	if err != nil {
		unix.Close(c.connector)
		c.connector, c.connected = -1, false
	}
	if lost || err != nil {
		c.next = time.Time{}
	}
}

// look looks through /proc.
func (c *Census) look() {
	began := time.Now()
	for _, p := range c.procs {
		p.seen = false
	}
	for _, pid := range pids() {
		c.examine(pid)
	}
	for pid, p := range c.procs {
		if !p.seen {
			c.drop(pid)
		}
	}
	pause := max(lookEvery, lookBusy*time.Since(began))
	if c.connected {
		pause = max(pause, lookAfter)
	}
	c.next = time.Now().Add(pause)
}

// examine finds out what a process is now.
func (c *Census) examine(pid int) {
	of := c.programs(pid)
	p := c.procs[pid]
	if p != nil && (of == nil || p.pidfd >= 0 && over(p.pidfd) || p.pidfd < 0 && zombie(pid)) {
		c.drop(pid)
		p = nil
	}
	if of == nil {
		return
	}
	if p != nil {
		p.of, p.seen = of, true
		return
	}
	p = &process{of: of, pidfd: -1, seen: true}
	if len(c.pidfds) < maxPidfds {
		if fd, err := unix.PidfdOpen(pid, 0); err == nil {
			p.pidfd = fd
		}
	}
	// The number may be another process's by now, and a zombie is none.
	if p.of = c.programs(pid); p.of == nil || p.pidfd >= 0 && over(p.pidfd) || p.pidfd < 0 && zombie(pid) {
		if p.pidfd >= 0 {
			unix.Close(p.pidfd)
		}
		return
	}
	c.procs[pid] = p
	if p.pidfd >= 0 {
		c.pidfds[p.pidfd] = pid
		c.add(p.pidfd)
	}
}

// programs tells of which programs a process is one; nil means of none.
func (c *Census) programs(pid int) []bool {
	comm, ok := nameOf(pid)
	if !ok {
		return nil
	}
	var argv []string
	if c.command {
		argv = commandOf(pid)
	}
	var of []bool
	for i, p := range c.list {
		if matches(p, comm, argv) {
			if of == nil {
				of = make([]bool, len(c.list))
			}
			of[i] = true
		}
	}
	return of
}

func (c *Census) drop(pid int) {
	if p := c.procs[pid]; p != nil && p.pidfd >= 0 {
		delete(c.pidfds, p.pidfd)
		unix.Close(p.pidfd)
	}
	delete(c.procs, pid)
}

func (c *Census) counts() ipc.Counts {
	now := make(ipc.Counts, len(c.list))
	for i, p := range c.list {
		now[p.Name] = 0
		for _, q := range c.procs {
			if q.of[i] {
				now[p.Name]++
			}
		}
	}
	return now
}

// Package poll is how the VRRP loop waits: for packets on its sockets, for the
// word of another goroutine, for a moment. It decides nothing.
//
// Hundreds of times a second something is to be done that takes microseconds,
// so waiting has to be cheap. One epoll descriptor carries the sockets, a clock
// (timerfd) and a bell (eventfd), and the runtime's poller carries that: the
// thread that wakes goes on with the loop. A goroutine for each socket and a
// timer of the runtime would hand every packet over between threads, and wake
// the runtime's monitor with each system call; that cost five to ten times as
// much.
//
//	p, err := poll.Open()
//	defer p.Close()
//	err = p.Add(fd, func() { readable = true })
//	for {
//		p.Wait(next)
//		...
//	}
package poll

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batch is how many descriptors are told ready by one system call.
const batch = 16

// Poller waits. Wait, Add and Remove belong to one goroutine; Ring may be
// called from any.
type Poller struct {
	epoll, clock, bell int
	file               *os.File // of epoll
	raw                syscall.RawConn
	ready              map[int32]func()
	look               func(uintptr) bool // collect, made once

	events [batch]unix.EpollEvent
	count  int       // of events
	armed  time.Time // when the clock strikes; zero means not

	mu     sync.Mutex // holds Ring off while Close closes the bell
	closed bool
	asleep atomic.Bool
	rung   atomic.Bool
}

// Open makes a Poller.
func Open() (*Poller, error) {
	p := &Poller{epoll: -1, clock: -1, bell: -1, ready: map[int32]func(){}}
	p.look = func(uintptr) bool { return p.collect() || p.rung.Load() }
	if err := p.open(); err != nil {
		p.closeAll()
		return nil, fmt.Errorf("open a poller: %w", err)
	}
	return p, nil
}

func (p *Poller) open() (err error) {
	if p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if p.clock, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return os.NewSyscallError("timerfd_create", err)
	}
	if p.bell, err = unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	// Neither is ever read: each stroke is an edge of its own.
	for _, fd := range []int{p.clock, p.bell} {
		if err := p.Add(fd, func() {}); err != nil {
			return err
		}
	}
	// os.NewFile hands only non-blocking descriptors to the runtime's poller.
	if err := unix.SetNonblock(p.epoll, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	p.file = os.NewFile(uintptr(p.epoll), "epoll")
	p.raw, err = p.file.SyscallConn()
	return err
}

// Add has ready called from Wait whenever something arrived on fd: the edge,
// so what was there before is not told, and whoever is told reads until
// nothing is left.
func (p *Poller) Add(fd int, ready func()) error {
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)}
	if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	p.ready[int32(fd)] = ready
	return nil
}

// Remove forgets a descriptor; it has to be called before fd is closed.
func (p *Poller) Remove(fd int) {
	delete(p.ready, int32(fd))
	// It fails only for what is not there.
	_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, &unix.EpollEvent{})
}

// Ring ends Wait, or the next one when none is under way.
func (p *Poller) Ring() {
	p.rung.Store(true)
	if !p.asleep.Swap(false) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		one := uint64(1)
		_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, uintptr(p.bell), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
	}
}

// Wait returns at a moment (never, when zero), when something arrived, or when
// it is rung for, whatever is first. What has arrived has been told by then.
func (p *Poller) Wait(until time.Time) {
	for !p.wait(until) {
	}
}

// wait reports false when it was for nothing: a clock set for an earlier
// moment than is wanted now.
func (p *Poller) wait(until time.Time) bool {
	p.count = 0
	if until.IsZero() || time.Until(until) > 0 {
		p.set(until)
		p.asleep.Store(true)
		if err := p.raw.Read(p.look); err != nil {
			return true // closed
		}
		p.asleep.Store(false)
	} else {
		p.collect()
	}
	// Who rings from here on is heard by the next wait, who rang before is
	// found by the caller now.
	early := !p.rung.Swap(false)
	for _, e := range p.events[:p.count] {
		if int(e.Fd) == p.clock {
			p.armed = time.Time{}
			continue
		}
		early = false
		if ready, known := p.ready[e.Fd]; known {
			ready()
		}
	}
	return !early || !until.IsZero() && time.Until(until) <= 0
}

// Rest returns after d, or somewhat earlier. What arrives or is rung for
// meanwhile is told by the next Wait. The scheduler is not told of it: d is
// about a millisecond at most.
func (p *Poller) Rest(d time.Duration) {
	t := unix.NsecToTimespec(max(0, d.Nanoseconds()))
	_, _, _ = syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&t)), 0, 0)
}

// collect asks what is ready, without waiting.
func (p *Poller) collect() bool {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll), uintptr(unsafe.Pointer(&p.events)), batch, 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if p.count = int(n); errno != 0 {
			p.count = 0
		}
		return p.count > 0
	}
}

// set winds the clock. One that strikes earlier is left as it is while more
// than half of the time is left: most moments are put off before they come, and
// winding costs as much as a packet, but waking for nothing ten times that.
func (p *Poller) set(until time.Time) {
	if until.IsZero() {
		return
	}
	left := time.Until(until)
	if !p.armed.IsZero() && !p.armed.After(until) && until.Sub(p.armed) < left/2 {
		return
	}
	p.armed = until
	// 0 would stop the clock.
	value := unix.ItimerSpec{Value: unix.NsecToTimespec(max(1, left.Nanoseconds()))}
	_, _, _ = syscall.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(p.clock), 0, uintptr(unsafe.Pointer(&value)), 0, 0, 0)
}

// Close ends the Poller; Ring does nothing from then on.
func (p *Poller) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.closeAll()
}

func (p *Poller) closeAll() error {
	var errs []error
	if p.file != nil {
		errs = append(errs, p.file.Close())
	} else if p.epoll >= 0 {
		errs = append(errs, unix.Close(p.epoll))
	}
	for _, fd := range []int{p.clock, p.bell} {
		if fd >= 0 {
			errs = append(errs, unix.Close(fd))
		}
	}
	return errors.Join(errs...)
}

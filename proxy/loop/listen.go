package loop

import (
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Accepter takes accepted connections.
type Accepter interface {
	// Reserve is asked before each accept whether there is room for one more
	// connection. When it answers false it has paused the listener.
	Reserve() bool
	// Release gives back a reservation that no connection came for.
	Release()
	// Accepted owns fd, which is non-blocking. peer is the zero value on a
	// unix socket.
	Accepted(fd int, peer netip.AddrPort)
	// Starved tells that the system is out of descriptors or memory (EMFILE,
	// ENFILE, ENOBUFS, ENOMEM); the listener rests a moment.
	Starved(syscall.Errno)
}

// Listener is a listening socket on a loop.
type Listener struct {
	Socket
	accepter Accepter
	timer    Timer
	paused   bool
}

// Listen accepts from fd, a non-blocking listening socket, until Close.
func (l *Loop) Listen(fd int, a Accepter) (*Listener, error) {
	li := &Listener{accepter: a}
	if err := l.watch(&li.Socket, fd, li, unix.EPOLLIN); err != nil {
		return nil, err
	}
	return li, nil
}

// Ready accepts; the loop calls it. A listener is level-triggered, so what
// the budget leaves is offered again.
func (li *Listener) Ready(Event) {
	l := li.loop
	for range l.opts.AcceptBudget {
		if li.paused || li.fd < 0 || !li.accepter.Reserve() {
			return
		}
		l.peerN = uint32(len(l.peer))
		fd, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(li.fd), uintptr(unsafe.Pointer(&l.peer)), uintptr(unsafe.Pointer(&l.peerN)),
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch errno {
		case 0:
			if l.peerN < 8 {
				l.peer[0], l.peer[1] = 0, 0 // a unix peer has no name
			}
			li.accepter.Accepted(int(fd), l.peer.decode())
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			li.accepter.Release()
			li.accepter.Starved(errno)
			li.Rest(starvedPause)
			return
		case unix.EAGAIN:
			li.accepter.Release()
			return
		default: // ECONNABORTED, EINTR and errors of the new connection: the next one may be good
			li.accepter.Release()
		}
	}
}

// Expired ends a rest; the loop calls it.
func (li *Listener) Expired(*Timer) { li.Resume() }

// Pause stops accepting; connections wait in the system's queue.
func (li *Listener) Pause() {
	if li.loop != nil {
		li.loop.Disarm(&li.timer)
	}
	li.watch(true, 0)
}

// Rest is Pause for so many nanoseconds, or until Resume.
func (li *Listener) Rest(ns int64) {
	li.Pause()
	if li.fd >= 0 {
		li.loop.Arm(&li.timer, li.loop.now+ns, li)
	}
}

// Resume accepts again after Pause.
func (li *Listener) Resume() { li.watch(false, unix.EPOLLIN) }

func (li *Listener) watch(paused bool, mask uint32) {
	if li.fd < 0 || li.paused == paused {
		return
	}
	li.paused = paused
	ev := unix.EpollEvent{Events: mask, Fd: int32(li.slot), Pad: int32(li.loop.slots[li.slot].gen)}
	epollCtl(li.loop.epfd, unix.EPOLL_CTL_MOD, int(li.fd), &ev)
}

// Close stops accepting for good and closes the descriptor.
func (li *Listener) Close() {
	if li.loop != nil {
		li.loop.Drop(&li.timer)
	}
	li.Socket.Close()
}

package loop

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Event says what became possible on a socket.
type Event uint8

// Events, as a set.
const (
	// Readable: a receive will not wait; also at the end of the stream.
	Readable Event = 1 << iota
	// Writable: a send will not wait, or a connect has ended.
	Writable
	// Hangup: the peer sends no more. Bytes may still lie in front of the end.
	Hangup
	// Failed: the connection broke, or a connect failed; see Err.
	Failed
)

// Handler is told what became possible. Edge-triggered: an event comes once,
// and again only after a call answered EAGAIN or fell short.
type Handler interface {
	Ready(Event)
}

// Socket is a registered descriptor. Embed it in what owns the connection;
// it belongs to one loop. The zero value is not registered.
type Socket struct {
	loop    *Loop
	handler Handler
	layer   Layer // nil: bytes go to and from the descriptor as they are
	fd      int32
	slot    uint32
	can     Event
}

// closedFD is the descriptor of a closed socket, virtualFD of one that has
// none.
const (
	closedFD  = -1
	virtualFD = -2
)

// FD is the descriptor; negative after Close and for a virtual socket.
func (s *Socket) FD() int { return int(s.fd) }

// Open reports whether the socket is registered, or virtual, and not closed.
func (s *Socket) Open() bool { return s.loop != nil && s.fd != closedFD }

// Can is the set of events that still hold: Readable until a receive came up
// short, Writable until a send did.
func (s *Socket) Can() Event { return s.can }

// Handle replaces the handler.
func (s *Socket) Handle(h Handler) { s.handler = h }

func (s *Socket) deliver(mask uint32) {
	var ev Event
	if mask&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		ev |= Readable
	}
	if mask&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		ev |= Writable
	}
	if mask&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0 {
		ev |= Hangup
	}
	if mask&unix.EPOLLERR != 0 {
		ev |= Failed
	}
	s.can |= ev
	if w, ok := s.layer.(Waker); ok {
		if ev = w.Wake(s, ev); ev == 0 {
			return
		}
	}
	s.handler.Ready(ev)
}

// Recv receives into p. It returns 0, 0 at the end of the stream and EAGAIN
// when nothing has arrived. A receive that fills less than p means drained,
// so Can loses Readable, unless the end of the stream is known to follow.
func (s *Socket) Recv(p []byte) (int, syscall.Errno) {
	if s.layer != nil {
		return s.layer.Recv(s, p)
	}
	return s.RawRecv(p)
}

// RawRecv is Recv below the layer.
func (s *Socket) RawRecv(p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			if errno == unix.EAGAIN {
				s.can &^= Readable
			}
			return 0, errno
		case int(n) < len(p) && s.can&(Hangup|Failed) == 0:
			s.can &^= Readable
		}
		return int(n), 0
	}
}

// Peek is RawRecv that leaves the bytes where they are.
func (s *Socket) Peek(p []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_PEEK, 0, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			if errno == unix.EAGAIN {
				s.can &^= Readable
			}
			return 0, errno
		}
		return int(n), 0
	}
}

// Recv8 reads the counter of an event descriptor.
func (s *Socket) Recv8(b *[8]byte) {
	syscall.RawSyscall(unix.SYS_READ, uintptr(s.fd), uintptr(unsafe.Pointer(b)), 8)
}

// Send sends as much of p as the system takes, EAGAIN when nothing. A short
// send clears Writable: the next event says when to go on.
func (s *Socket) Send(p []byte) (int, syscall.Errno) {
	if s.layer != nil {
		return s.layer.Send(s, p, false)
	}
	return s.RawSend(p)
}

// RawSend is Send below the layer.
func (s *Socket) RawSend(p []byte) (int, syscall.Errno) {
	return s.send(p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

// SendMore is Send when more bytes follow at once: the system may wait for
// them to fill a segment.
func (s *Socket) SendMore(p []byte) (int, syscall.Errno) {
	if s.layer != nil {
		return s.layer.Send(s, p, true)
	}
	return s.send(p, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL|unix.MSG_MORE)
}

func (s *Socket) send(p []byte, flags uintptr) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)), flags, 0, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			if errno == unix.EAGAIN {
				s.can &^= Writable
			}
			return 0, errno
		case int(n) < len(p):
			s.can &^= Writable
		}
		return int(n), 0
	}
}

// Err is the pending error of the socket (SO_ERROR), and clears it.
func (s *Socket) Err() syscall.Errno {
	if s.fd < 0 {
		return 0
	}
	v, err := unix.GetsockoptInt(int(s.fd), unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return unix.EBADF
	}
	return syscall.Errno(v)
}

// CloseWrite ends our side of the stream and keeps the other.
func (s *Socket) CloseWrite() {
	if s.layer != nil {
		s.layer.CloseWrite(s)
		return
	}
	s.RawCloseWrite()
}

// RawCloseWrite is CloseWrite below the layer; nothing on a virtual socket.
func (s *Socket) RawCloseWrite() {
	if s.fd < 0 {
		return
	}
	syscall.RawSyscall(unix.SYS_SHUTDOWN, uintptr(s.fd), unix.SHUT_WR, 0)
}

// Close closes the descriptor. Events still under way for it are dropped. A
// second Close does nothing.
func (s *Socket) Close() {
	if !s.Open() {
		return
	}
	if layer := s.layer; layer != nil {
		s.layer = nil
		layer.Close(s)
	}
	if s.fd == virtualFD {
		s.fd = closedFD
		return
	}
	fd := s.fd
	s.loop.release(s)
	syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
}

// Reset closes the descriptor and sends a reset in place of an orderly end.
func (s *Socket) Reset() {
	if s.fd >= 0 && s.Open() {
		setsockopt(int(s.fd), unix.SOL_SOCKET, unix.SO_LINGER, unsafe.Pointer(&unix.Linger{Onoff: 1}), unsafe.Sizeof(unix.Linger{}))
	}
	s.Close()
}

// Forget takes the socket out of the loop without closing its descriptor,
// which it returns.
func (s *Socket) Forget() int {
	fd := int(s.fd)
	epollCtl(s.loop.epfd, unix.EPOLL_CTL_DEL, fd, &unix.EpollEvent{})
	s.loop.release(s)
	return fd
}

// NoDelay sends small segments at once (TCP_NODELAY). On other sockets than
// TCP it does nothing.
func NoDelay(fd int) { setInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) }

// DelayAck lets the acknowledgements of TCP wait for bytes of ours to go with,
// 40 ms at most (TCP_QUICKACK off): for a connection that answers at once, or
// asks at once. What a listening socket accepts inherits it, and a socket that
// is to connect does not acknowledge the handshake by itself either.
func DelayAck(fd int) { setInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) }

// AckNow acknowledges at once what has come, and what comes for a while: a
// peer may wait for that with the rest (Nagle's algorithm, RFC 9293 section
// 3.7.4).
func AckNow(fd int) { setInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) }

// KeepAlive lets the system probe an idle TCP peer (SO_KEEPALIVE): after idle
// seconds, every interval seconds, count times. 0 means the system's.
func KeepAlive(fd, count, idle, interval int) {
	setInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	for _, o := range [3]struct{ option, value int }{{unix.TCP_KEEPCNT, count}, {unix.TCP_KEEPIDLE, idle}, {unix.TCP_KEEPINTVL, interval}} {
		if o.value > 0 {
			setInt(fd, unix.IPPROTO_TCP, o.option, int32(o.value))
		}
	}
}

func setInt(fd, level, option int, value int32) {
	setsockopt(fd, level, option, unsafe.Pointer(&value), unsafe.Sizeof(value))
}

func setsockopt(fd, level, option int, value unsafe.Pointer, size uintptr) {
	syscall.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(option), uintptr(value), size, 0)
}

func epollCtl(epfd, op, fd int, ev *unix.EpollEvent) syscall.Errno {
	_, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(epfd), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(ev)), 0, 0)
	return errno
}

// Handler is what the loop tells of the socket's events.
func (s *Socket) Handler() Handler { return s.handler }

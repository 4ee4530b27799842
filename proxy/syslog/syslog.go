// Package syslog sends finished log lines: to a unix datagram socket, by UDP,
// or to an inherited descriptor. It never blocks its caller, never grows a
// queue, and decides nothing: a line that cannot go now is dropped and
// counted.
//
//	s, err := syslog.Open("unixgram", "/dev/log") // before chroot
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	s.Send(line) // from any goroutine or loop
//	n := s.Dropped()
package syslog

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// retryEvery is how often a lost target is looked for: a stopped reader must
// not cost a connect per line.
const retryEvery = time.Second

// Sender sends lines to one target. Send is safe for concurrent use; Close is
// called once, after the last Send.
type Sender struct {
	// fd keeps its number for the sender's life: a new connection is put in
	// its place with dup3, so that a concurrent Send sees the old or the new
	// one, never another file.
	fd      int
	send    func(fd int, line []byte) unix.Errno
	connect func() (fd int, err error) // nil when there is nothing to connect
	resend  bool                       // UDP: the error may belong to an earlier line
	segment atomic.Int32               // how long lines may be that go as one message

	sent, dropped atomic.Uint64
	reconnecting  sync.Mutex // beside tried
	tried         time.Time  // last attempt to connect
}

// Open makes a sender for network "unixgram" (a path), "udp" (HOST:PORT or
// HOST, port 514) or "fd" ("stdout", "stderr", or a number, whose descriptor
// is duplicated). A target that nobody listens on yet is no error: sending
// looks for it again, at most once a second, by the same path.
func Open(network, address string) (*Sender, error) {
	switch network {
	case "unixgram":
		return dial(unix.AF_UNIX, &unix.SockaddrUnix{Name: address}, false)
	case "udp":
		family, to, err := resolve(address)
		if err != nil {
			return nil, fmt.Errorf("open log target udp %s: %w", address, err)
		}
		return dial(family, to, true)
	case "fd":
		return inherit(address)
	}
	return nil, fmt.Errorf("open log target %s: unknown network %q", address, network)
}

// dial makes a sender on a connected datagram socket.
func dial(family int, to unix.Sockaddr, resend bool) (*Sender, error) {
	s := &Sender{send: sendSocket, resend: resend}
	s.connect = func() (int, error) { return connectSocket(family, to) }
	fd, err := s.connect()
	if err != nil {
		// Keep the place: the target may come later.
		if fd, err = newSocket(family); err != nil {
			return nil, err
		}
	}
	s.fd = fd
	if resend {
		s.segment.Store(segmentLimit(fd))
	}
	return s, nil
}

func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open log socket: %w", err)
	}
	return fd, nil
}

func connectSocket(family int, to unix.Sockaddr) (int, error) {
	fd, err := newSocket(family)
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, to); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("connect log socket: %w", err)
	}
	return fd, nil
}

// resolve reads HOST:PORT; it may ask the resolver, so it runs at start only.
func resolve(address string) (family int, to unix.Sockaddr, err error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), "514")
	}
	a, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return 0, nil, err
	}
	if ip4 := a.IP.To4(); ip4 != nil {
		return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip4)}, nil
	}
	if a.IP == nil {
		return 0, nil, fmt.Errorf("no address to send to")
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(a.IP.To16())}, nil
}

// inherit makes a sender on a descriptor this process already has.
func inherit(name string) (*Sender, error) {
	number := map[string]int{"stdout": 1, "stderr": 2}[name]
	if number == 0 {
		var err error
		if number, err = strconv.Atoi(name); err != nil || number < 0 {
			return nil, fmt.Errorf("open log target fd %q: want stdout, stderr or a number", name)
		}
	}
	var st unix.Stat_t
	if err := unix.Fstat(number, &st); err != nil {
		return nil, fmt.Errorf("open log target fd %s: %w", name, err)
	}
	s := &Sender{fd: -1, send: writeFile}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		s.send = sendSocket
	case unix.S_IFREG:
	default:
		// O_NONBLOCK belongs to the open file, which others share: open it
		// anew instead of changing it under them.
		if fd, err := unix.Open("/proc/self/fd/"+strconv.Itoa(number), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err == nil {
			s.fd = fd
			return s, nil
		}
		s.send = writeWhenReady
	}
	fd, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate log target fd %s: %w", name, err)
	}
	s.fd = fd
	return s, nil
}

// Send sends one line as it is, and reports whether it went. It never blocks;
// the line may be reused when it returns.
func (s *Sender) Send(line []byte) bool {
	if len(line) == 0 {
		return true
	}
	errno := s.send(s.fd, line)
	switch errno {
	case unix.ECONNREFUSED, unix.ENOTCONN, unix.EDESTADDRREQ, unix.ECONNRESET, unix.EPIPE, unix.ENOENT:
		// A connected UDP socket reports the refusal of an earlier line, so
		// this one has not been tried; a unix socket's reader is gone.
		if s.resend && errno == unix.ECONNREFUSED || s.reconnect() {
			errno = s.send(s.fd, line)
		}
	}
	if errno != 0 {
		s.dropped.Add(1)
		return false
	}
	s.sent.Add(1)
	return true
}

// reconnect looks for the target's new reader, at most once in retryEvery.
func (s *Sender) reconnect() bool {
	if s.connect == nil || !s.reconnecting.TryLock() {
		return false
	}
	defer s.reconnecting.Unlock()
	if time.Since(s.tried) < retryEvery {
		return false
	}
	s.tried = time.Now()
	fd, err := s.connect()
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Dup3(fd, s.fd, unix.O_CLOEXEC) == nil
}

// Sent returns how many lines went since Open.
func (s *Sender) Sent() uint64 { return s.sent.Load() }

// Dropped returns how many lines did not go since Open.
func (s *Sender) Dropped() uint64 { return s.dropped.Load() }

// Close closes the sender's descriptor.
func (s *Sender) Close() error {
	if err := unix.Close(s.fd); err != nil {
		return fmt.Errorf("close log target: %w", err)
	}
	return nil
}

// sendSocket sends one datagram, or one piece of a stream. It is a raw system
// call: it cannot block, so the scheduler need not know.
func sendSocket(fd int, line []byte) unix.Errno {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&line[0])), uintptr(len(line)), flags, 0, 0)
	return unix.Errno(errno)
}

// writeFile writes to a file, a terminal or a non-blocking pipe. A line up to
// PIPE_BUF goes whole or not at all (pipe(7)).
func writeFile(fd int, line []byte) unix.Errno {
	n, err := unix.Write(fd, line)
	switch {
	case err != nil:
		errno, _ := err.(unix.Errno)
		return errno
	case n < len(line):
		return unix.EAGAIN
	}
	return 0
}

// writeWhenReady writes to a pipe that could not be opened anew: a ready pipe
// takes PIPE_BUF bytes without blocking.
func writeWhenReady(fd int, line []byte) unix.Errno {
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	if n, err := unix.Poll(ready, 0); err != nil || n == 0 || ready[0].Revents&unix.POLLOUT == 0 {
		return unix.EAGAIN
	}
	const pipeBuf = 4096
	return writeFile(fd, line[:min(len(line), pipeBuf)])
}

package loop

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Pipe carries bytes from one socket to another within the system. It belongs
// to the loop it was taken from.
type Pipe struct{ r, w int }

// pipeSize is what a pipe may hold: the most an unprivileged process may ask
// for by default (pipe(7), pipe-max-size).
const pipeSize = 1 << 20

// keepPipes is how many free pipes a loop keeps.
const keepPipes = 32

// TakePipe answers an empty pipe, or nil when the system has none left.
func (l *Loop) TakePipe() *Pipe {
	if n := len(l.pipes); n > 0 {
		p := l.pipes[n-1]
		l.pipes = l.pipes[:n-1]
		return p
	}
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return nil
	}
	unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize) // refused, it stays smaller
	return &Pipe{fds[0], fds[1]}
}

// GivePipe takes a pipe back. One that still holds bytes is closed.
func (l *Loop) GivePipe(p *Pipe, empty bool) {
	if empty && len(l.pipes) < keepPipes {
		l.pipes = append(l.pipes, p)
		return
	}
	p.close()
}

func (p *Pipe) close() {
	unix.Close(p.r)
	unix.Close(p.w)
}

// Fill moves up to n bytes from the socket, which has no layer, into an empty
// pipe. It answers 0, 0 at the end of the stream and EAGAIN when nothing has
// arrived; a short answer does not mean drained.
func (s *Socket) Fill(p *Pipe, n int) (int, syscall.Errno) {
	k, errno := splice(int(s.fd), p.w, n, 0)
	if errno == unix.EAGAIN {
		s.can &^= Readable
	}
	return k, errno
}

// Drain moves up to n bytes, which the pipe holds, to the socket; EAGAIN when
// it takes none. A short answer does not mean that it is full. more says that
// bytes follow at once.
func (s *Socket) Drain(p *Pipe, n int, more bool) (int, syscall.Errno) {
	flags := 0
	if more {
		flags = unix.SPLICE_F_MORE
	}
	k, errno := splice(p.r, int(s.fd), n, flags)
	if errno == unix.EAGAIN {
		s.can &^= Writable
	}
	return k, errno
}

func splice(from, to, n, flags int) (int, syscall.Errno) {
	for {
		k, _, errno := syscall.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n), uintptr(unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK|flags))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		return int(k), 0
	}
}

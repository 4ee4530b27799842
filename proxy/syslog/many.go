package syslog

import (
	"encoding/binary"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// runsAtOnce is how many messages one sendmmsg(2) takes from us, and
	// linesAtOnce how many lines the kernel cuts one message into: what every
	// version with UDP_SEGMENT allows (udp(7)).
	runsAtOnce  = 32
	linesAtOnce = 64
	// bytesAtOnce is less than a UDP datagram over IPv4 or IPv6 may have.
	bytesAtOnce = 60 << 10
	segmentSpan = 24 // CMSG_SPACE of a uint16
)

// mmsghdr is struct mmsghdr of sendmmsg(2).
type mmsghdr struct {
	unix.Msghdr
	n uint32
	_ uint32
}

// letter is what one call sends: runs of lines, each a message of its own.
type letter struct {
	headers [runsAtOnce]mmsghdr
	vectors [runsAtOnce]unix.Iovec
	control [runsAtOnce][segmentSpan]byte
	lines   [runsAtOnce]int // in each message
}

// letters are for those who send just now: one points into itself, and would be
// garbage of every turn of a loop.
var letters = sync.Pool{New: func() any { return new(letter) }}

// Gathers reports whether it is worth keeping lines for SendMany: whether they
// leave together for less.
func (s *Sender) Gathers() bool { return s.resend }

// SendMany sends the lines that stand one behind the other in text, each
// ending at its entry of ends, in order and one datagram each, and returns how
// many did not go. Lines of one length that follow each other pass through the
// system as one (UDP_SEGMENT of udp(7)) where it can do so. Like Send it never
// blocks, and text may be reused.
func (s *Sender) SendMany(text []byte, ends []int) (lost int) {
	begin := 0
	if len(ends) > 1 && s.resend {
		l := letters.Get().(*letter)
		defer letters.Put(l)
		for len(ends) > 0 {
			k := l.fill(text, begin, ends, int(s.segment.Load()))
			sent, errno := l.post(s.fd, k)
			if sent == 0 {
				// What the first run met decides nothing for those behind it.
				n := l.lines[0]
				if n > 1 && uncut(errno) {
					s.segment.Store(min(s.segment.Load(), int32(ends[0]-begin-1)))
				}
				lost += s.sendEach(text, begin, ends[:n])
				begin, ends = ends[n-1], ends[n:]
				continue
			}
			for _, n := range l.lines[:sent] {
				begin, ends = ends[n-1], ends[n:]
				s.sent.Add(uint64(n))
			}
		}
		return lost
	}
	return s.sendEach(text, begin, ends)
}

// uncut reports that the system cannot cut lines of this length: they are
// longer than fits into the frames of the way there, or the way is through a
// device that computes no checksums.
func uncut(errno unix.Errno) bool {
	return errno == unix.EINVAL || errno == unix.EMSGSIZE || errno == unix.EIO || errno == unix.EOPNOTSUPP
}

// sendEach sends lines one by one.
func (s *Sender) sendEach(text []byte, begin int, ends []int) (lost int) {
	for _, end := range ends {
		if !s.Send(text[begin:end]) {
			lost++
		}
		begin = end
	}
	return lost
}

// fill makes messages of as many lines as it takes, and returns how many
// messages: runs of lines of one length, of at most segment bytes.
func (l *letter) fill(text []byte, begin int, ends []int, segment int) (k int) {
	for len(ends) > 0 && k < runsAtOnce {
		size := ends[0] - begin
		n := 1
		if size <= segment {
			for n < len(ends) && n < linesAtOnce && ends[n]-ends[n-1] == size && (n+1)*size <= bytesAtOnce {
				n++
			}
		}
		l.lines[k] = n
		v := &l.vectors[k]
		v.Base = &text[begin]
		v.SetLen(ends[n-1] - begin)
		h := &l.headers[k]
		h.Iov, h.Iovlen, h.Control = v, 1, nil
		h.SetControllen(0)
		if n > 1 {
			l.control[k] = segmentOf(uint16(size))
			h.Control = &l.control[k][0]
			h.SetControllen(segmentSpan)
		}
		begin, ends = ends[n-1], ends[n:]
		k++
	}
	return k
}

// segmentOf is the control message that has the system cut a message.
func segmentOf(size uint16) (c [segmentSpan]byte) {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&c[0]))
	h.Level, h.Type = unix.SOL_UDP, unix.UDP_SEGMENT
	h.SetLen(unix.CmsgLen(2))
	binary.NativeEndian.PutUint16(c[unix.CmsgLen(0):], size)
	return c
}

// post sends k messages and returns how many went, or why the first did not.
// Like sendSocket it is a raw system call.
func (l *letter) post(fd, k int) (int, unix.Errno) {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&l.headers)), uintptr(k), flags, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// segmentLimit is how long a line may be that the system is to cut from a
// longer message, as far as is known before one was sent: 0 where it knows no
// UDP_SEGMENT, whose control message it would then overlook.
func segmentLimit(fd int) int32 {
	if _, err := unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT); err != nil {
		return 0
	}
	return 65000
}

package loop

import (
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// cell is a layer that keeps one message.
type cell struct {
	held   []byte
	ended  bool
	closed int
}

func (c *cell) Recv(s *Socket, p []byte) (int, syscall.Errno) {
	if len(c.held) == 0 {
		if c.ended {
			return 0, 0
		}
		s.Withhold(Readable)
		return 0, unix.EAGAIN
	}
	n := copy(p, c.held)
	c.held = c.held[n:]
	return n, 0
}

func (c *cell) Send(s *Socket, p []byte, more bool) (int, syscall.Errno) {
	if len(c.held) > 0 {
		s.Withhold(Writable)
		return 0, unix.EAGAIN
	}
	c.held = append(c.held, p...)
	s.Offer(Readable)
	return len(p), 0
}

func (c *cell) CloseWrite(*Socket) { c.ended = true }
func (c *cell) Close(*Socket)      { c.closed++ }

type told []Event

func (o *told) Ready(ev Event) { *o = append(*o, ev) }

func TestAVirtualSocketIsItsLayer(t *testing.T) {
	l := turning(t)
	on(l, func() {
		var s Socket
		var events told
		c := &cell{}
		l.Virtual(&s, c, &events)
		if !s.Open() || s.FD() >= 0 || s.Err() != 0 {
			t.Errorf("open %v, descriptor %d, error %v", s.Open(), s.FD(), s.Err())
		}
		if n, errno := s.Send([]byte("hello")); n != 5 || errno != 0 {
			t.Errorf("send: %d, %v", n, errno)
		}
		if len(events) != 1 || events[0] != Readable || s.Can()&Readable == 0 {
			t.Errorf("told %v, can %b", events, s.Can())
		}
		if _, errno := s.SendMore([]byte("x")); errno != unix.EAGAIN {
			t.Errorf("a full layer answers %v", errno)
		}
		buf := make([]byte, 3)
		for _, want := range []string{"hel", "lo"} {
			if n, _ := s.Recv(buf); string(buf[:n]) != want || s.Can()&Readable == 0 {
				t.Errorf("received %q, want %q; can %b", buf[:n], want, s.Can())
			}
		}
		if _, errno := s.Recv(buf); errno != unix.EAGAIN || s.Can()&Readable != 0 {
			t.Errorf("an empty layer answers %v, can %b", errno, s.Can())
		}
		s.CloseWrite()
		if n, errno := s.Recv(buf); n != 0 || errno != 0 {
			t.Errorf("the end: %d, %v", n, errno)
		}
		s.Reset()
		s.Close()
		if s.Open() || c.closed != 1 {
			t.Errorf("open %v after Close, the layer was closed %d times", s.Open(), c.closed)
		}
	})
}

// upper is a layer over a descriptor.
type upper struct{}

func (upper) Recv(s *Socket, p []byte) (int, syscall.Errno) { return s.RawRecv(p) }
func (upper) Send(s *Socket, p []byte, more bool) (int, syscall.Errno) {
	q := make([]byte, len(p))
	for i, b := range p {
		q[i] = b &^ 0x20
	}
	return s.RawSend(q)
}
func (upper) CloseWrite(s *Socket) { s.RawCloseWrite() }
func (upper) Close(*Socket)        {}

func TestALayerOverADescriptor(t *testing.T) {
	l := turning(t)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	on(l, func() {
		var s Socket
		var events told
		if err := l.Register(&s, fds[0], &events); err != nil {
			t.Error(err)
			return
		}
		s.Put(upper{})
		if n, errno := s.Send([]byte("abc")); n != 3 || errno != 0 {
			t.Errorf("send: %d, %v", n, errno)
		}
		s.CloseWrite()
		s.Close()
	})
	buf := make([]byte, 10)
	if n, err := unix.Read(fds[1], buf); err != nil || string(buf[:n]) != "ABC" {
		t.Errorf("the peer read %q, %v", buf[:n], err)
	}
	if n, err := unix.Read(fds[1], buf); err != nil || n != 0 {
		t.Errorf("the end: %d, %v", n, err)
	}
}

package loop

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// pair registers one end of a connection and returns the other.
func pair(t *testing.T, l *Loop, h Handler, s *Socket) *os.File {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Register(s, fds[0], h); err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[1]), "peer")
	t.Cleanup(func() { f.Close() })
	return f
}

func TestAPipeCarriesBytesBetweenSockets(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	var in, out Socket
	from, to := pair(t, l, &told{}, &in), pair(t, l, &told{}, &out)
	in.Allow(Readable)
	out.Allow(Writable)
	p := l.TakePipe()
	if n, errno := in.Fill(p, 100); n != 0 || errno != unix.EAGAIN || in.Can()&Readable != 0 {
		t.Errorf("nothing has arrived: got %d, %v, can %b", n, errno, in.Can())
	}
	sent := bytes.Repeat([]byte("0123456789"), 10000)
	go func() { from.Write(sent); from.Close() }()
	var got []byte
	buf := make([]byte, 64<<10)
	for {
		n, errno := in.Fill(p, 3000)
		if errno == unix.EAGAIN {
			continue
		}
		if n == 0 {
			break
		}
		for n > 0 {
			k, errno := out.Drain(p, n, true)
			if errno != 0 || k == 0 {
				t.Fatalf("drain: %d, %v", k, errno)
			}
			n -= k
		}
		k, err := to.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:k]...)
	}
	out.Close()
	rest, _ := io.ReadAll(to)
	if got = append(got, rest...); !bytes.Equal(got, sent) {
		t.Errorf("got %d bytes, want the %d that were sent", len(got), len(sent))
	}
}

func TestAPipeIntoAFullSocketSaysSo(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	var in, out Socket
	from, to := pair(t, l, &told{}, &in), pair(t, l, &told{}, &out)
	out.Allow(Writable)
	whole := make([]byte, 1<<20)
	n, errno := out.Send(whole)
	if n == len(whole) || errno != 0 || out.Can()&Writable != 0 {
		t.Fatalf("a send of %d: got %d, %v, can %b, want part of it", len(whole), n, errno, out.Can())
	}
	out.Allow(Writable)
	for errno == 0 {
		_, errno = out.SendMore(whole)
	}
	if errno != unix.EAGAIN || out.Can()&Writable != 0 {
		t.Errorf("a full socket: got %v, can %b", errno, out.Can())
	}
	out.Allow(Writable)
	from.Write([]byte("x"))
	p := l.TakePipe()
	in.Fill(p, 1)
	if n, errno := out.Drain(p, 1, false); n != 0 || errno != unix.EAGAIN || out.Can()&Writable != 0 {
		t.Errorf("drain into a full socket: got %d, %v, can %b", n, errno, out.Can())
	}
	to.Close()
	if _, errno := out.Drain(p, 1, false); errno != unix.EPIPE && errno != unix.ECONNRESET {
		t.Errorf("drain to nobody: got %v", errno)
	}
	if n, errno := in.Fill(&Pipe{-1, -1}, 1); n != 0 || errno != unix.EBADF {
		t.Errorf("no pipe: got %d, %v", n, errno)
	}
	l.GivePipe(p, false)
	if _, err := unix.FcntlInt(uintptr(p.r), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("a pipe with bytes in it is kept: %v", err)
	}
}

func TestFreePipesAreKeptUpToABound(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var taken []*Pipe
	for range keepPipes + 3 {
		taken = append(taken, l.TakePipe())
	}
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max})
	none := l.TakePipe()
	_, failed := New(Options{})
	unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	if none != nil || !errors.Is(failed, unix.EMFILE) {
		t.Errorf("without descriptors: got %v and %v, want none and %v", none, failed, unix.EMFILE)
	}
	for _, p := range taken {
		l.GivePipe(p, true)
	}
	if len(l.pipes) != keepPipes {
		t.Errorf("%d are kept, want %d", len(l.pipes), keepPipes)
	}
	if last := l.pipes[len(l.pipes)-1]; l.TakePipe() != last {
		t.Error("a free pipe is not taken again")
	}
	first := l.pipes[0]
	l.close()
	if _, err := unix.FcntlInt(uintptr(first.w), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("a free pipe outlives its loop: %v", err)
	}
}

func TestReceivesAndSendsOnDescriptorsAlone(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0) // blocking: the calls must not wait all the same
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	buf := make([]byte, 10)
	if n, errno := Receive(fds[0], buf); n != 0 || errno != unix.EAGAIN {
		t.Errorf("nothing there: got %d, %v", n, errno)
	}
	if n, errno := Transmit(fds[1], []byte("hello")); n != 5 || errno != 0 {
		t.Errorf("send: got %d, %v", n, errno)
	}
	if n, errno := Receive(fds[0], buf); string(buf[:n]) != "hello" || errno != 0 {
		t.Errorf("receive: got %q, %v", buf[:n], errno)
	}
	var errno syscall.Errno
	for errno == 0 {
		_, errno = Transmit(fds[0], make([]byte, 1<<16))
	}
	if errno != unix.EAGAIN {
		t.Errorf("full: got %v", errno)
	}
	unix.Close(fds[1])
	if _, errno := Transmit(fds[0], buf); errno != unix.EPIPE {
		t.Errorf("nobody there: got %v", errno)
	}
	if _, errno := Receive(-1, buf); errno != unix.EBADF {
		t.Errorf("no descriptor: got %v", errno)
	}
}

func TestASocketLeavesItsLoopAlive(t *testing.T) {
	l, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	var s Socket
	heard := &told{}
	peer := pair(t, l, &told{}, &s)
	s.Handle(heard)
	if s.Handler() != Handler(heard) || s.Layer() != nil {
		t.Error("the handler is not the one that was set, or a layer is there")
	}
	peer.Write([]byte("hello"))
	buf := make([]byte, 10)
	s.Allow(Readable)
	for range 2 {
		if n, errno := s.Peek(buf); string(buf[:n]) != "hello" || errno != 0 {
			t.Errorf("peek: got %q, %v", buf[:n], errno)
		}
	}
	if n, errno := s.Recv(buf); string(buf[:n]) != "hello" || errno != 0 || s.Can()&Readable != 0 {
		t.Errorf("receive: got %q, %v, can %b", buf[:n], errno, s.Can())
	}
	for name, recv := range map[string]func([]byte) (int, syscall.Errno){"peek": s.Peek, "receive": s.Recv} {
		s.Allow(Readable)
		if _, errno := recv(buf); errno != unix.EAGAIN || s.Can()&Readable != 0 {
			t.Errorf("%s of nothing: got %v, can %b", name, errno, s.Can())
		}
	}
	s.CloseWrite()
	if n, err := peer.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("the peer, after our end: got %d, %v", n, err)
	}
	fd := s.Forget()
	defer unix.Close(fd)
	if s.Open() {
		t.Error("open after it was forgotten")
	}
	if errno := s.Err(); errno != 0 {
		t.Errorf("its error: got %v, want none", errno)
	}
	s.RawCloseWrite() // nothing
	peer.Write([]byte("more"))
	l.Stop()
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if n, err := unix.Read(fd, buf); len(*heard) != 0 || string(buf[:max(n, 0)]) != "more" {
		t.Errorf("heard %v, and the descriptor has %q, %v; want nothing, and what was sent", *heard, buf[:max(n, 0)], err)
	}
	var bad Socket
	l2, _ := New(Options{AfterEvents: func() { *heard = append(*heard, Hangup) }})
	if err := l2.Register(&bad, -1, heard); !errors.Is(err, unix.EBADF) || bad.Open() {
		t.Errorf("no descriptor: got %v, open %v", err, bad.Open())
	}
	if _, err := l2.Listen(-1, nil); !errors.Is(err, unix.EBADF) {
		t.Errorf("no listener: got %v", err)
	}
	if len(l2.free) != 1 {
		t.Errorf("%d slots are free, want the one that was tried twice", len(l2.free))
	}
	l2.Again(counted{&bad})
	l2.Stop()
	if err := l2.Run(); err != nil || len(*heard) == 0 {
		t.Errorf("run: %v; told after the events: %v", err, *heard)
	}
}

type counted struct{ *Socket }

func (counted) Ready(Event) {}

func TestWhatTheSystemKnowsOfAConnection(t *testing.T) {
	l := turning(t)
	to, _ := accepting(t, "tcp4", "127.0.0.1:0")
	h, errno := dialled(l, to, nil)
	if errno != 0 {
		t.Fatal(errno)
	}
	on(l, func() {
		if i, ok := TCPInfo(h.FD()); !ok || i.State != unix.BPF_TCP_ESTABLISHED {
			t.Errorf("got %+v, %v, want an established connection", i, ok)
		}
		h.Close()
	})
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	if _, ok := TCPInfo(fds[0]); ok {
		t.Error("a unix socket has what TCP knows")
	}
	for _, fd := range []int{fds[0], -1} {
		if got := LocalAddr(fd); got != (netip.AddrPort{}) {
			t.Errorf("descriptor %d: got %v, want none", fd, got)
		}
	}
}

func TestAListenerOfAUnixSocketHasPeersWithoutName(t *testing.T) {
	l := turning(t)
	path := t.TempDir() + "/s"
	fd := socketOf(t, unix.AF_UNIX)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 8)); err != nil {
		t.Fatal(err)
	}
	own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &echoPort{l: l, room: 4, starved: make(chan syscall.Errno, 1), closed: make(chan struct{}, 4), peers: make(chan netip.AddrPort, 4)}
	on(l, func() {
		if p.li, err = l.Listen(own, p); err != nil {
			t.Error(err)
		}
	})
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if peer := <-p.peers; peer != (netip.AddrPort{}) {
		t.Errorf("the peer is %v, want no address", peer)
	}
	c.Close()
	<-p.closed
	on(l, func() { p.li.Rest(1e9); p.li.Close(); p.li.Close() })
	if _, err := unix.FcntlInt(uintptr(own), unix.F_GETFD, 0); !errors.Is(err, unix.EBADF) {
		t.Errorf("the listener is still open: %v", err)
	}
	on(l, p.li.Resume) // nothing any more
}

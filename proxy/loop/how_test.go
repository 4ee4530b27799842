package loop

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// held is an end of a connection that stays open until it is closed.
type held struct {
	Socket
	ready chan syscall.Errno
}

func (h *held) Ready(Event) {
	if h.Can()&Writable != 0 {
		select {
		case h.ready <- h.Err():
		default:
		}
	}
}

// dialled dials by how and waits for the end of it.
func dialled(l *Loop, to string, how *How) (*held, syscall.Errno) {
	a := TCP(netip.MustParseAddrPort(to))
	h := &held{ready: make(chan syscall.Errno, 1)}
	on(l, func() {
		if errno := l.DialBy(&h.Socket, &a, how, h); errno != 0 {
			h.ready <- errno
		}
	})
	return h, <-h.ready
}

// accepting counts nothing and keeps what it accepts until the test ends.
func accepting(t *testing.T, network, addr string) (string, chan net.Addr) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Skipf("needs %s: %v", addr, err)
	}
	peers, done := make(chan net.Addr, 16), make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			peers <- c.RemoteAddr()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), peers
}

func TestAConnectionComesFromWhereItIsTold(t *testing.T) {
	l := turning(t)
	four, peers4 := accepting(t, "tcp4", "127.0.0.1:0")
	six, peers6 := accepting(t, "tcp6", "[::1]:0")
	from := func(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
	for _, tt := range []struct {
		name  string
		to    string
		peers chan net.Addr
		how   How
		want  syscall.Errno
		host  string
	}{
		{"an address", four, peers4, How{From: from("127.0.0.2:0")}, 0, "127.0.0.2"},
		{"a device", four, peers4, How{Interface: "lo"}, 0, "127.0.0.1"},
		{"IPv6", six, peers6, How{From: from("[::1]:0")}, 0, "::1"},
		{"no such device", four, peers4, How{Interface: "herald-none"}, unix.ENODEV, ""},
		{"an address of nobody", four, peers4, How{From: from("192.0.2.77:0")}, unix.EADDRNOTAVAIL, ""},
		{"the other family", six, peers6, How{From: from("127.0.0.2:0")}, unix.EINVAL, ""},
	} {
		h, errno := dialled(l, tt.to, &tt.how)
		if errno != tt.want || tt.want != 0 && h.Open() {
			t.Errorf("%s: got %v (open: %v), want %v", tt.name, errno, h.Open(), tt.want)
		}
		if errno != 0 {
			continue
		}
		peer := (<-tt.peers).(*net.TCPAddr).AddrPort()
		if peer.Addr().String() != tt.host {
			t.Errorf("%s: the peer saw %v, want %s", tt.name, peer, tt.host)
		}
		on(l, func() {
			if got := LocalAddr(h.FD()); got != peer {
				t.Errorf("%s: our end is %v, the peer saw %v", tt.name, got, peer)
			}
			h.Close()
		})
	}
}

// Ports of a range are taken in any order until none is left for the same
// destination; those others hold are passed over.
func TestARangeOfPortsIsUsedUp(t *testing.T) {
	l := turning(t)
	to, peers := accepting(t, "tcp4", "127.0.0.1:0")
	busy, err := net.Listen("tcp4", "127.0.0.3:0") // a port of that address is taken
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	first := busy.Addr().(*net.TCPAddr).AddrPort()
	if first.Port() > 65000 {
		t.Skip("needs three ports behind the one it got")
	}
	how := &How{From: first, LastPort: first.Port() + 3}
	var ports []uint16
	for range 3 {
		h, errno := dialled(l, to, how)
		if errno != 0 {
			t.Fatalf("after %v of %d-%d: %v", ports, first.Port(), how.LastPort, errno)
		}
		defer on(l, h.Reset)
		ports = append(ports, (<-peers).(*net.TCPAddr).AddrPort().Port())
	}
	slices.Sort(ports)
	if want := []uint16{first.Port() + 1, first.Port() + 2, first.Port() + 3}; !slices.Equal(ports, want) {
		t.Errorf("ports %v, want %v", ports, want)
	}
	if _, errno := dialled(l, to, how); errno != unix.EADDRNOTAVAIL && errno != unix.EADDRINUSE {
		t.Errorf("a fourth: got %v, want no address", errno)
	}
	one := &How{From: netip.AddrPortFrom(first.Addr(), first.Port()+1)}
	if _, errno := dialled(l, to, one); errno != unix.EADDRNOTAVAIL && errno != unix.EADDRINUSE {
		t.Errorf("a port that is in use: got %v, want no address", errno)
	}
	if got := (&How{From: first, LastPort: first.Port() + 400}).tries(); got != portTries {
		t.Errorf("of 400 ports %d are tried, want %d", got, portTries)
	}
}

func socketOf(t *testing.T, family int) int {
	t.Helper()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func TestWhatIsSetOnASocket(t *testing.T) {
	how := &How{FastOpen: true, UserTimeout: 1234, Buffers: Buffers{Receive: 20000, Send: 30000}, From: netip.MustParseAddrPort("127.0.0.2:0"), Interface: "lo"}
	fd := socketOf(t, unix.AF_INET)
	if err := how.Prepare(fd, unix.AF_INET); err != nil {
		t.Fatal(err)
	}
	NoDelay(fd)
	KeepAlive(fd, 3, 40, 5)
	for _, tt := range []struct {
		name                string
		level, option, want int
	}{
		{"TCP_FASTOPEN_CONNECT", unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1}, {"TCP_USER_TIMEOUT", unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 1234},
		{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, 40000}, {"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, 60000},
		{"IP_BIND_ADDRESS_NO_PORT", unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1}, {"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1}, {"TCP_KEEPCNT", unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3},
		{"TCP_KEEPIDLE", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, 40}, {"TCP_KEEPINTVL", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, 5},
	} {
		if got, err := unix.GetsockoptInt(fd, tt.level, tt.option); err != nil || got != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got, err, tt.want)
		}
	}
	if name, err := unix.GetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE); err != nil || strings.TrimRight(name, "\x00") != "lo" {
		t.Errorf("SO_BINDTODEVICE: got %q, %v, want lo", name, err)
	}
	six := socketOf(t, unix.AF_INET6)
	if err := (&How{From: netip.MustParseAddrPort("[::1]:0")}).Prepare(six, unix.AF_INET6); err != nil {
		t.Fatal(err)
	}
	if got, err := unix.GetsockoptInt(six, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT); err != nil || got != 1 {
		t.Errorf("IP_BIND_ADDRESS_NO_PORT of IPv6: got %d, %v, want 1", got, err)
	}
	for want, ack := range map[int]func(int){0: DelayAck, 1: AckNow} {
		ack(fd)
		if got, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK); err != nil || got != want {
			t.Errorf("TCP_QUICKACK: got %d, %v, want %d", got, err, want)
		}
	}
	if err := how.Prepare(-1, unix.AF_INET); !errors.Is(err, unix.EBADF) {
		t.Errorf("no descriptor: got %v, want %v", err, unix.EBADF)
	}
}

// A client's address is nobody's here: only a transparent socket takes it.
func TestAForeignSourceNeedsATransparentSocket(t *testing.T) {
	for _, tt := range []struct {
		family        int
		from          string
		level, option int
	}{
		{unix.AF_INET, "192.0.2.77:0", unix.SOL_IP, unix.IP_TRANSPARENT}, {unix.AF_INET6, "[2001:db8::77]:0", unix.SOL_IPV6, unix.IPV6_TRANSPARENT},
	} {
		fd := socketOf(t, tt.family)
		err := (&How{From: netip.MustParseAddrPort(tt.from), Foreign: true}).Prepare(fd, tt.family)
		if errors.Is(err, unix.EPERM) {
			t.Skip("needs CAP_NET_RAW")
		}
		if got := LocalAddr(fd); err != nil || got.Addr().String() != netip.MustParseAddrPort(tt.from).Addr().String() {
			t.Errorf("%s: bound to %v, %v", tt.from, got, err)
		}
		if got, err := unix.GetsockoptInt(fd, tt.level, tt.option); err != nil || got != 1 {
			t.Errorf("%s: transparent is %d, %v, want 1", tt.from, got, err)
		}
	}
}

// shelf hands out one socket, then says what it was told to.
type shelf struct {
	fds   []int
	errno syscall.Errno
}

func (s *shelf) Take(int) (int, syscall.Errno) {
	if len(s.fds) == 0 {
		return -1, s.errno
	}
	fd := s.fds[0]
	s.fds = s.fds[1:]
	return fd, 0
}

func (s *shelf) Await(family int) (int, error) {
	fd, errno := s.Take(family)
	if errno != 0 {
		return fd, errno
	}
	return fd, nil
}

func TestSocketsOfOthersAreDialled(t *testing.T) {
	l := turning(t)
	to, peers := accepting(t, "tcp4", "127.0.0.1:0")
	marked := func() int { // a socket nobody but the shelf could have made
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 9}})
		}
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	how := &How{Sockets: &shelf{fds: []int{marked()}, errno: unix.EAGAIN}}
	h, errno := dialled(l, to, how)
	if peer := (<-peers).(*net.TCPAddr).AddrPort().Addr().String(); errno != 0 || peer != "127.0.0.9" {
		t.Errorf("got %v from %s, want a connection from the shelf's socket", errno, peer)
	}
	on(l, h.Close)
	if _, errno := dialled(l, to, how); errno != unix.EAGAIN {
		t.Errorf("an empty shelf: got %v, want %v", errno, unix.EAGAIN)
	}
	dialer := net.Dialer{Timeout: 5 * time.Second, Control: (&How{Sockets: &shelf{fds: []int{marked()}, errno: unix.EMFILE}}).Control}
	c, err := dialer.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	if peer := (<-peers).(*net.TCPAddr).AddrPort().Addr().String(); peer != "127.0.0.9" {
		t.Errorf("by net: from %s, want the shelf's socket", peer)
	}
	c.Close()
	dialer.Control = (&How{Sockets: &shelf{errno: unix.EMFILE}}).Control
	if _, err := dialer.Dial("tcp", to); !errors.Is(err, unix.EMFILE) {
		t.Errorf("by net, none to be had: got %v, want %v", err, unix.EMFILE)
	}
	dialer.Control = (&How{From: netip.MustParseAddrPort("127.0.0.2:0")}).Control
	if c, err := dialer.Dial("tcp", to); err != nil {
		t.Error(err)
	} else if peer := (<-peers).(*net.TCPAddr).AddrPort().Addr().String(); peer != "127.0.0.2" {
		t.Errorf("by net: from %s, want 127.0.0.2", peer)
	} else {
		c.Close()
	}
	six, peers6 := accepting(t, "tcp6", "[::1]:0")
	dialer.Control = (&How{From: netip.MustParseAddrPort("[::1]:0"), Foreign: true}).Control
	if c, err := dialer.Dial("tcp", six); err == nil {
		<-peers6
		c.Close()
	} else if !errors.Is(err, unix.EPERM) {
		t.Errorf("by net, IPv6: %v", err)
	}
}

func TestAbstractNamesArePadded(t *testing.T) {
	if _, ok := Abstract(strings.Repeat("a", 107)); ok {
		t.Error("a name of 107 bytes leaves no room for the end: want it refused")
	}
	name := strings.Repeat("b", 90) + "-herald-loop"
	a, ok := Abstract(name)
	if want := "\x01\x00\x00" + name + strings.Repeat("\x00", 107-len(name)); !ok || string(a.raw[:a.len]) != want {
		t.Errorf("got %q, want %q", a.raw[:a.len], want)
	}
	l := turning(t)
	h := &held{ready: make(chan syscall.Errno, 1)}
	on(l, func() {
		if errno := l.Dial(&h.Socket, &a, h); errno != unix.ECONNREFUSED || h.Open() {
			t.Errorf("nobody there: got %v, open %v, want %v", errno, h.Open(), unix.ECONNREFUSED)
		}
	})
}

package sockets

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/netns"
)

func open(t *testing.T, s ipc.Socket, sharing Sharing) *Group {
	t.Helper()
	g, err := Open(s, sharing)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// free returns an address nobody listens on.
func free(t *testing.T, network, host string) string {
	t.Helper()
	l, err := net.Listen(network, net.JoinHostPort(host, "0"))
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	defer l.Close()
	return l.Addr().String()
}

func option(t *testing.T, fd, level, name int) int {
	t.Helper()
	v, err := unix.GetsockoptInt(fd, level, name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSocketsAreSharedFreeBoundAndNonBlocking(t *testing.T) {
	addr := free(t, "tcp4", "127.0.0.1")
	g := open(t, ipc.Socket{Network: "tcp", Address: addr, Count: 3}, Exclusive)
	if len(g.FDs) != 3 {
		t.Fatalf("want 3 sockets, got %v", g.FDs)
	}
	for _, fd := range g.FDs {
		if option(t, fd, unix.SOL_SOCKET, unix.SO_REUSEPORT) != 1 || option(t, fd, unix.SOL_IP, unix.IP_FREEBIND) != 1 ||
			option(t, fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN) != 1 || option(t, fd, unix.SOL_TCP, unix.TCP_DEFER_ACCEPT) != 0 {
			t.Error("want a listening socket with SO_REUSEPORT and IP_FREEBIND and without TCP_DEFER_ACCEPT")
		}
		if fl, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); fl&unix.O_NONBLOCK == 0 {
			t.Error("the socket blocks")
		}
		if fl, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); fl&unix.FD_CLOEXEC == 0 {
			t.Error("the socket would be inherited")
		}
	}
	if err := g.Grow(5); err != nil || len(g.FDs) != 5 {
		t.Errorf("want 5 sockets after growing, got %d, %v", len(g.FDs), err)
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("nothing listens: %v", err)
	}
	c.Close()
	g.Close()
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("something listens after closing")
	}
}

func TestAnAddressThatIsNotHereCanBeBound(t *testing.T) {
	open(t, ipc.Socket{Network: "tcp", Address: "192.0.2.77:18081"}, Exclusive)
}

// TestAPortOfAnotherProxyIsRefused: SO_REUSEPORT on both sides would share
// the connections out.
func TestAPortOfAnotherProxyIsRefused(t *testing.T) {
	addr := free(t, "tcp4", "127.0.0.1")
	open(t, ipc.Socket{Network: "tcp", Address: addr}, Exclusive)
	if g, err := Open(ipc.Socket{Network: "tcp", Address: addr}, Exclusive); err == nil {
		g.Close()
		t.Fatal("a port somebody listens on was taken")
	} else if !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "another proxy") {
		t.Errorf("want the address and advice, got %v", err)
	}
	_, port, _ := net.SplitHostPort(addr)
	if g, err := Open(ipc.Socket{Network: "tcp", Address: ":" + port}, Shared); err != nil {
		t.Errorf("the same port on every address, ours: %v", err)
	} else {
		g.Close()
	}
}

func TestAnIPv6SocketTakesIPv4OnlyWhenAsked(t *testing.T) {
	for only, want := range map[bool]bool{false: true, true: false} {
		_, port, _ := net.SplitHostPort(free(t, "tcp6", "::1"))
		g := open(t, ipc.Socket{Network: "tcp", Address: "[::]:" + port, V6Only: only}, Exclusive)
		c, err := net.Dial("tcp4", "127.0.0.1:"+port)
		if (err == nil) != want {
			t.Errorf("v6only %t: IPv4 gave %v", only, err)
		}
		if err == nil {
			c.Close()
		}
		g.Close()
	}
}

func TestBadAddressesAreNamed(t *testing.T) {
	for _, s := range []ipc.Socket{
		{Network: "tcp", Address: "nowhere"}, {Network: "udp", Address: ":53"}, {Network: "tcp", Address: "127.0.0.1:0", Interface: "no-such-if"},
		{Network: "unix", Address: "/no/such/directory/sock"}, {Network: "unix", Address: "/" + strings.Repeat("x", 107)},
		{Network: "tcp", Address: "[fe80::1%no-such-if]:80"},
	} {
		if g, err := Open(s, Exclusive); err == nil {
			g.Close()
			t.Errorf("%+v was opened", s)
		} else if !strings.Contains(err.Error(), s.Address) {
			t.Errorf("want the address %s in the error, got %v", s.Address, err)
		}
	}
}

func TestPortsAreRead(t *testing.T) {
	for address, want := range map[string]uint16{":80": 80, "*:81": 81, "[::]:82": 82, "x": 0} {
		if got := Port(ipc.Socket{Network: "tcp", Address: address}); got != want {
			t.Errorf("%s: want %d, got %d", address, want, got)
		}
	}
	if got := Port(ipc.Socket{Network: "unix", Address: "/x"}); got != 0 {
		t.Errorf("a unix socket has port %d", got)
	}
}

func TestAUnixSocketReplacesAStaleOneWithItsModeAndOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	stale.(*net.UnixListener).SetUnlinkOnClose(false)
	stale.Close()
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		gid = 1
	}
	g := open(t, ipc.Socket{Network: "unix", Address: path, Mode: 0o606, Owner: &uid, Group: &gid}, Exclusive)
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	if st.Mode&0o777 != 0o606 || int(st.Uid) != uid || int(st.Gid) != gid {
		t.Errorf("want mode 0606 of %d:%d, got %#o of %d:%d", uid, gid, st.Mode&0o777, st.Uid, st.Gid)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	g.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("the path is still there: %v", err)
	}
}

func TestAPathTakenOverByAnotherStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	old := open(t, ipc.Socket{Network: "unix", Address: path}, Exclusive)
	open(t, ipc.Socket{Network: "unix", Address: path}, Exclusive)
	old.Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("closing the old socket removed the path of the new: %v", err)
	}
}

func TestAFileIsNotReplacedByASocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if g, err := Open(ipc.Socket{Network: "unix", Address: path}, Exclusive); err == nil {
		g.Close()
		t.Error("a file was replaced")
	}
}

func TestASocketListensInItsNamespace(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	name := fmt.Sprintf("heraldsockets%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
		t.Skipf("needs ip netns: %s, %v", out, err)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() })
	if out, err := exec.Command("ip", "-n", name, "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	addr := free(t, "tcp4", "127.0.0.1")
	here := open(t, ipc.Socket{Network: "tcp", Address: addr}, Exclusive)
	there := open(t, ipc.Socket{Network: "tcp", Address: addr, NetNamespace: name, Count: 2}, Exclusive)
	if len(here.FDs) != 1 || len(there.FDs) != 2 {
		t.Fatalf("got %v and %v, want one socket here and two there", here.FDs, there.FDs)
	}
	here.Close()
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the socket in the namespace is heard here")
	}
	if err := netns.Do(name, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		to, _ := sockaddr(netip.MustParseAddrPort(addr))
		return unix.Connect(fd, to)
	}); err != nil {
		t.Errorf("connect in the namespace: %v", err)
	}
	if _, err := Open(ipc.Socket{Network: "tcp", Address: addr, NetNamespace: "heraldnone"}, Exclusive); err == nil || !strings.Contains(err.Error(), "network namespace heraldnone") {
		t.Errorf("got %v, want the name of the namespace", err)
	}
}

// Each step of opening may fail; what was made is gone then, and the reason
// is told.
func TestSocketsThatCannotBeMadeLeaveNothing(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	open := func() int { fds, _ := os.ReadDir("/proc/self/fd"); return len(fds) }
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	for _, s := range []ipc.Socket{
		{Network: "tcp", Address: "127.0.0.1:0"}, {Network: "unix", Address: filepath.Join(dir, "s")}, {Network: "abns", Address: "herald-sockets-none"},
	} {
		unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max})
		g, err := Open(s, Exclusive)
		unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
		if g != nil && len(g.FDs) > 0 || err == nil || !strings.Contains(err.Error(), s.Address) || !strings.Contains(err.Error(), "too many open files") {
			t.Errorf("%s without descriptors: got %v, %v", s.Network, g, err)
		}
	}
	before := open()
	for want, s := range map[string]ipc.Socket{
		"something that is not a socket is there": {Network: "unix", Address: taken},
		"longer than 107 bytes":                   {Network: "abns", Address: strings.Repeat("a", 108)},
	} {
		if g, err := Open(s, Exclusive); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %v, %v, want %s", s, g, err, want)
		}
	}
	g, err := Open(ipc.Socket{Network: "abns", Address: fmt.Sprintf("herald-sockets-%d", os.Getpid()), Backlog: 7}, Exclusive)
	if err != nil {
		t.Fatal(err)
	}
	if second, err := Open(g.Spec, Exclusive); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a name twice: got %v, %v", second, err)
	}
	if got := g.Descriptors(); len(got) != 1 || option(t, got[0], unix.SOL_SOCKET, unix.SO_ACCEPTCONN) != 1 {
		t.Errorf("descriptors %v, want one that listens", got)
	}
	g.Close()
	if after := open(); after != before {
		t.Errorf("%d descriptors are open, before %d", after, before)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left in the directory: %v", left)
	}
}

// A group that cannot grow keeps what it has.
func TestAGroupThatCannotGrowKeepsItsSockets(t *testing.T) {
	g := open(t, ipc.Socket{Network: "tcp", Address: free(t, "tcp4", "127.0.0.1"), Backlog: 3, Transparent: os.Geteuid() == 0}, Exclusive)
	if os.Geteuid() == 0 && option(t, g.FDs[0], unix.SOL_IP, unix.IP_TRANSPARENT) != 1 {
		t.Error("not transparent")
	}
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: old.Max})
	err := g.Grow(3)
	unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
	if err == nil || !strings.HasSuffix(err.Error(), "(socket 2 of 3)") || len(g.FDs) != 1 {
		t.Errorf("got %v and %v, want the first alone", err, g.FDs)
	}
	if err := g.Grow(3); err != nil || len(g.FDs) != 3 {
		t.Errorf("later: got %v and %v, want three", err, g.FDs)
	}
}

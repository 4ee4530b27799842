package firewall

import (
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

// isolated moves this test's thread into a network namespace of its own, with
// two addresses of each family on lo. The thread ends with the test.
func isolated(t *testing.T) *Firewall {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for a network namespace")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("needs a network namespace: %v", err)
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"192.0.2.1/32", "192.0.2.2/32", "2001:db8::1/128", "2001:db8::2/128"} {
		a, err := netlink.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		if a.IP.To4() == nil {
			a.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrAdd(lo, a); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open()
	if err != nil {
		t.Skipf("needs nftables: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// answers reports whether a UDP packet to the address arrives, one every 50 ms
// for a while: the kernel makes routes to new IPv6 addresses a moment later.
// Sockets are made by this thread, in its namespace.
func answers(t *testing.T, address string, while time.Duration) bool {
	t.Helper()
	family, sa := unix.AF_INET, unix.Sockaddr(nil)
	ip := netip.MustParseAddr(address)
	if ip.Is4() {
		sa = &unix.SockaddrInet4{Addr: ip.As4(), Port: 9}
	} else {
		family, sa = unix.AF_INET6, &unix.SockaddrInet6{Addr: ip.As16(), Port: 9}
	}
	open := func() int {
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	server, client := open(), open()
	defer unix.Close(server)
	defer unix.Close(client)
	if err := unix.Bind(server, sa); err != nil {
		t.Fatal(err)
	}
	tv := unix.NsecToTimeval(int64(50 * time.Millisecond))
	unix.SetsockoptTimeval(server, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv)
	for end := time.Now().Add(while); ; {
		unix.Sendto(client, []byte("?"), 0, sa) // EPERM when the way out is closed
		if _, _, err := unix.Recvfrom(server, make([]byte, 1), 0); err == nil {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func silent(list ...string) (all []settings.Address) {
	for _, text := range list {
		all = append(all, settings.Address{Prefix: netip.MustParsePrefix(text), Device: "lo"})
	}
	return all
}

func tables(t *testing.T, f *Firewall) (n int) {
	t.Helper()
	all, err := f.conn.ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.Name == table {
			n++
		}
	}
	return n
}

func TestASilentAddressAnswersNothingAndTheOthersDo(t *testing.T) {
	f := isolated(t)
	for _, step := range []struct {
		silent []string
		open   []string
		tables int
	}{
		{nil, []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}, 0},
		{[]string{"192.0.2.1/24", "2001:db8::1/64"}, []string{"192.0.2.2", "2001:db8::2"}, 2},
		{[]string{"192.0.2.2/32", "192.0.2.1/32"}, []string{"2001:db8::1", "2001:db8::2"}, 1},
		{[]string{"192.0.2.2/32", "fe80::1/64"}, []string{"192.0.2.1"}, 2},
		{nil, []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}, 0},
	} {
		if err := f.Silence(silent(step.silent...)); err != nil {
			t.Fatal(err)
		}
		if got := tables(t, f); got != step.tables {
			t.Errorf("silent %v: %d tables, want %d", step.silent, got, step.tables)
		}
		for _, a := range step.open {
			if !answers(t, a, 5*time.Second) {
				t.Errorf("silent %v: %s does not answer", step.silent, a)
			}
		}
		for _, p := range step.silent {
			if a := netip.MustParsePrefix(p).Addr(); !a.IsLinkLocalUnicast() && answers(t, a.String(), 50*time.Millisecond) {
				t.Errorf("silent %v: %s answers", step.silent, a)
			}
		}
	}
}

func TestOtherTablesStay(t *testing.T) {
	f := isolated(t)
	f.conn.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "theirs"})
	if err := f.conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Silence(silent("192.0.2.1/32")); err != nil {
		t.Fatal(err)
	}
	if err := f.Silence(nil); err != nil {
		t.Fatal(err)
	}
	if all, err := f.conn.ListTables(); err != nil || len(all) != 1 || all[0].Name != "theirs" {
		t.Errorf("got %v, %v, want theirs alone", all, err)
	}
}

func TestANameIsPadded(t *testing.T) {
	if got := name("eth0"); len(got) != 16 || string(got[:4]) != "eth0" || got[4] != 0 {
		t.Errorf("got %q", got)
	}
}

package withdraw

import (
	"net"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/cmd/herald/internal/ipc"
)

// inNamespace moves the test's thread into a network namespace of its own;
// the thread ends with the test.
func inNamespace(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it changes addresses in a network namespace of its own")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespace: %v", err)
	}
}

func TestAddressesAreRemovedAndOthersStay(t *testing.T) {
	inNamespace(t)
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"192.0.2.1/32", "192.0.2.2/32"} {
		a, _ := netlink.ParseAddr(text)
		a.Broadcast = net.IPv4zero
		a.Label = "lo:1"
		if err := netlink.AddrAdd(lo, a); err != nil {
			t.Fatal(err)
		}
	}
	list := []ipc.Address{{Prefix: "192.0.2.1/32", Interface: "lo", Label: "lo:1"}, {Prefix: "192.0.2.9/32", Interface: "lo"}, {Prefix: "192.0.2.3/32", Interface: "gone0"}}
	if err := Addresses(list); err != nil {
		t.Errorf("want what is not there to be no error, got %v", err)
	}
	left, err := netlink.AddrList(lo, unix.AF_INET)
	if err != nil || len(left) != 1 || !left[0].IP.Equal(net.IPv4(192, 0, 2, 2)) {
		t.Errorf("want 192.0.2.2 alone to stay, got %v, %v", left, err)
	}
}

func TestAnAddressThatIsNoneIsNamedAndTheRestRemoved(t *testing.T) {
	inNamespace(t)
	err := Addresses([]ipc.Address{{Prefix: "nonsense", Interface: "lo"}})
	if err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("want the word named, got %v", err)
	}
}

package kernel

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"herald/vrrp/settings"
)

// lifetimes lists the valid lifetime of an address, -1 when it is not there.
func lifetimes(t *testing.T, link netlink.Link, want settings.Address) int {
	t.Helper()
	list, err := netlink.AddrList(link, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if p, ok := prefixOf(a.IPNet); ok && p == want.Prefix {
			return a.ValidLft
		}
	}
	return -1
}

func TestAnAddressLivesOnlyAsLongAsItIsRenewed(t *testing.T) {
	k, eth := isolated(t)
	changed := make(chan struct{}, 100)
	list := []settings.Address{ten}
	if err := k.Renew(list, 2*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := lifetimes(t, eth, ten); got != 2 && got != 1 {
		t.Errorf("lifetime %d, want 2", got)
	}
	// A renewal within a hundredth of a second looks as young as the address.
	for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; {
		if err := k.Renew(list, 2*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	stop, err := k.Watch(func() { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := k.Renew(list, 4*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := lifetimes(t, eth, ten); got != 4 && got != 3 {
		t.Errorf("lifetime %d after the renewal, want 4", got)
	}
	if err := k.Renew(list, time.Second); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed: // the kernel took it away, which is the first news
	case <-time.After(10 * time.Second):
		t.Fatal("it is still there")
	}
	if got := lifetimes(t, eth, ten); got != -1 {
		t.Errorf("lifetime %d when something changed, want it gone: a renewal is no news", got)
	}
	// Forever again.
	if err := k.Renew(list, 4*time.Second); err != nil {
		t.Fatal(err)
	}
	if err := k.Renew(list, 0); err != nil {
		t.Fatal(err)
	}
	if got := lifetimes(t, eth, ten); got < 1<<30 && got != 0 {
		t.Errorf("lifetime %d, want forever", got)
	}
}

func TestWhatCannotBeRenewedDoesNotKeepTheOthers(t *testing.T) {
	k, eth := isolated(t)
	if err := k.Renew([]settings.Address{{Prefix: ten.Prefix, Device: "nope"}, ten}, 4*time.Second); err == nil {
		t.Error("want the missing device named")
	}
	if got := lifetimes(t, eth, ten); got < 3 {
		t.Errorf("lifetime %d, want 4", got)
	}
}

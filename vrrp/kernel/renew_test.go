package kernel

import (
	"bytes"
	"net/netip"
	"strings"
	"sync/atomic"
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
	for end := time.After(10 * time.Second); lifetimes(t, eth, ten) != -1; {
		select {
		case <-changed: // the kernel took it away, or the link-local address is ready
		case <-end:
			t.Fatal("it is still there")
		}
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

func TestManyAreRenewedAtOnceAndOneRefusedIsNamed(t *testing.T) {
	k, eth := isolated(t)
	var list []settings.Address
	for i := range 200 {
		list = append(list, settings.Address{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 2, 0, byte(i)}), 32), Device: "eth0"})
	}
	refused := settings.Address{Prefix: netip.MustParsePrefix("2001:db8::1/64"), Peer: netip.MustParseAddr("10.0.0.1"), Device: "eth0"}
	list[100] = refused
	for _, lifetime := range []time.Duration{7 * time.Second, 9 * time.Second} {
		err := k.Renew(list, lifetime)
		if err == nil || !strings.HasPrefix(err.Error(), "add 2001:db8::1/64 to eth0: ") || strings.Count(err.Error(), "add ") != 1 {
			t.Errorf("got %v, want the one that cannot be had", err)
		}
		for _, i := range []int{0, 63, 64, 99, 101, 199} {
			if got := lifetimes(t, eth, list[i]); got != int(lifetime/time.Second) && got != int(lifetime/time.Second)-1 {
				t.Errorf("%v: lifetime %d, want %v", list[i].Prefix, got, lifetime)
			}
		}
	}
}

func TestNobodyIsWokenForRenewals(t *testing.T) {
	k, _ := isolated(t)
	six := settings.Address{Prefix: netip.MustParsePrefix("2001:db8::1/64"), Device: "eth0"}
	list := []settings.Address{ten, six}
	if err := k.Renew(list, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; { // older than a hundredth of a second
		if err := k.Renew(list, 30*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	var told atomic.Int32
	changed := make(chan struct{}, 100)
	stop, err := listen(1<<(unix.RTNLGRP_IPV4_IFADDR-1)|1<<(unix.RTNLGRP_IPV6_IFADDR-1), filter,
		func(b []byte) bool {
			// The link-local address has news of its own.
			if !bytes.Contains(b, ten.Prefix.Addr().AsSlice()) && !bytes.Contains(b, six.Prefix.Addr().AsSlice()) {
				return false
			}
			told.Add(1)
			return true
		}, func() { changed <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for range 100 {
		if err := k.Renew(list, 30*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Delete(ten); err != nil {
		t.Fatal(err)
	}
	<-changed
	if got := told.Load(); got != 1 {
		t.Errorf("told %d times, want the deletion only", got)
	}
}

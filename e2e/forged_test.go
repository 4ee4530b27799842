package e2e_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"herald/e2e/lab"

	"golang.org/x/sys/unix"
)

// advert is a version 2 advertisement of the published instance 1 (RFC 3768
// section 5.1) that would depose any master, before it is spoilt.
func advert() []byte {
	p := []byte{0x21, 1, 255, 1, 0, 1, 0, 0, 10, 1, 1, 10, 0, 0, 0, 0, 0, 0, 0, 0}
	return seal(p)
}

// seal computes the checksum over the whole message (RFC 1071).
func seal(p []byte) []byte {
	p[6], p[7] = 0, 0
	var sum uint32
	for i := 0; i+1 < len(p); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(p[6:], ^uint16(sum))
	return p
}

// forgery is one kind of bad packet and the counter it belongs to.
type forgery struct {
	name    string
	ttl     int
	packet  func() []byte
	counter string
}

var forgeries = []forgery{
	{"TTL 254", 254, advert, "ttl"},
	{"checksum", 255, func() []byte { p := advert(); p[7] ^= 1; return p }, "checksum"},
	{"version 4", 255, func() []byte { p := advert(); p[0] = 0x41; return seal(p) }, "version"},
	{"type 2", 255, func() []byte { p := advert(); p[0] = 0x22; return seal(p) }, "type"},
	{"VRID 77", 255, func() []byte { p := advert(); p[1] = 77; return seal(p) }, "vrid"},
	{"length 7", 255, func() []byte { return advert()[:7] }, "length"},
	{"count 9", 255, func() []byte { p := advert(); p[3] = 9; return seal(p) }, "length"},
	{"authentication type 1", 255, func() []byte { p := advert(); p[4] = 1; return seal(p) }, "auth mismatch"},
}

// forger opens a socket on the client that sends VRRP packets to the inside
// network.
func forger(t *testing.T, l *lab.Lab) int {
	t.Helper()
	fd := -1
	err := l.Client().InNetwork(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 112)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		iface, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		return os.NewSyscallError("setsockopt", unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(iface.Index)}))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func forge(fd int, f forgery) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, f.ttl),
		unix.Sendto(fd, f.packet(), 0, &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 18}}))
}

func TestForgedAdvertisementsAreCountedByReason(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	fd := forger(t, c.Lab)
	since := time.Now()
	for _, f := range forgeries {
		before := make([]uint64, 3)
		for i, n := range c.Controllers() {
			before[i] = instances(t, n)["1"].rejected()[f.counter]
		}
		for range 3 {
			if err := forge(fd, f); err != nil {
				t.Fatal(err)
			}
		}
		for i, n := range c.Controllers() {
			limited, cancel := context.WithTimeout(ctx, 3*time.Second)
			if err := c.WaitFor(limited, "the counter", func() bool {
				return instances(t, n)["1"].rejected()[f.counter] == before[i]+3
			}); err != nil {
				got := instances(t, n)["1"]
				t.Errorf("%s: %s on %s grew by %d for 3 forged packets; %v, last %q", f.name, f.counter, n.Name(),
					got.rejected()[f.counter]-before[i], got.rejected(), got.Counters.LastRejected)
			}
			cancel()
		}
	}
	if moves := c.Changes(since); len(moves) > 0 {
		t.Errorf("addresses moved: %v", moves)
	}
}

// TestForgedAdvertisementsTouchNoTimer floods the backups with forged
// advertisements of the highest priority while the master is killed: were one
// taken for an advertisement, no backup would notice.
func TestForgedAdvertisementsTouchNoTimer(t *testing.T) {
	t.Parallel()
	ctx, c := start(t, lab.Setup{Priorities: ranked}, all(lab.Herald))
	fd := forger(t, c.Lab)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				if err := forge(fd, forgeries[i%len(forgeries)]); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	o, err := c.Failover(ctx, 0, lab.Kill)
	t.Log(o)
	if err != nil {
		t.Fatal(err)
	}
	limit := 3*time.Second + time.Duration(256-103)*time.Second/256 + slack
	for addr, took := range o.Taken {
		if took > limit {
			t.Errorf("%s was taken after %v, want at most %v", addr, took, limit)
		}
	}
}

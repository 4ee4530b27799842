package arp

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

func TestAProbeNamesNoSender(t *testing.T) {
	got, err := ProbeFrame(net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("10.1.1.10"))
	want := unhex(t, "ffffffffffff 020000000001 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 0a01010a")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
	if _, err := ProbeFrame(net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("fe80::1")); err == nil {
		t.Error("IPv6: got no error")
	}
}

const reply = "020000000001 020000000002 0806 0001 0800 06 04 0002 020000000002 0a01010a 020000000001 00000000"

func TestOnlyRepliesAreAnswers(t *testing.T) {
	addr, mac, ok := Answer(unhex(t, reply))
	if !ok || addr != netip.MustParseAddr("10.1.1.10") || mac != [6]byte{2, 0, 0, 0, 0, 2} {
		t.Errorf("got %v %x %t", addr, mac, ok)
	}
	for name, frame := range map[string][]byte{"nothing": nil, "an announcement": unhex(t, captured), "cut": unhex(t, reply)[:30], "no ARP": bytes.Repeat([]byte{8}, 60)} {
		if _, _, ok := Answer(frame); ok {
			t.Errorf("%s is an answer", name)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02"))
	f.Fuzz(func(_ *testing.T, frame []byte) { Answer(frame) })
}

func TestAProbeIsAnsweredFromTheWire(t *testing.T) {
	eth, wire := isolated(t)
	peer, err := packet.Listen(&net.Interface{Name: "wire0", Index: wire.Attrs().Index, HardwareAddr: wire.Attrs().HardwareAddr}, packet.Raw, unix.ETH_P_ARP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	answers := make(chan [6]byte, 10)
	p := NewProber(func(device string, addr netip.Addr, mac [6]byte) {
		if device == "eth0" && addr == netip.MustParseAddr("10.1.1.10") {
			answers <- mac
		}
	})
	defer p.Close()
	mac := [6]byte(eth.Attrs().HardwareAddr)
	if err := p.Probe("eth0", eth.Attrs().Index, mac, netip.MustParseAddr("10.1.1.10")); err != nil {
		t.Fatal(err)
	}
	peer.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, 100)
	n, _, err := peer.ReadFrom(buf)
	want, _ := ProbeFrame(mac[:], netip.MustParseAddr("10.1.1.10"))
	if err != nil || !bytes.Equal(buf[:n], want) {
		t.Fatalf("on the wire: %x, %v, want %x", buf[:n], err, want)
	}
	// An announcement passes by, then the answer: only the answer is told.
	for _, frame := range [][]byte{unhex(t, captured), unhex(t, reply)} {
		if _, err := peer.WriteTo(frame, &packet.Addr{HardwareAddr: eth.Attrs().HardwareAddr}); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case got := <-answers:
		if got != [6]byte{2, 0, 0, 0, 0, 2} {
			t.Errorf("answered by %x", got)
		}
	case <-time.After(5 * time.Second):
		t.Error("the answer was not told")
	}
	if err := p.Probe("gone", 99, mac, netip.MustParseAddr("10.1.1.10")); err == nil {
		t.Error("an interface that does not exist: got no error")
	}
}

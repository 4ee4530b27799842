package ndp

import (
	"encoding/hex"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// golden is the form captured from keepalived 2.2.7 for fe80::10 at
// 12:62:23:42:38:1b, with the checksum of these bytes (RFC 4443 section 2.3).
const golden = "333300000001 12622342381b 86dd 60000000 0020 3a ff fe800000000000000000000000000010 ff020000000000000000000000000001 " +
	"88 00 CKSM 20000000 fe800000000000000000000000000010 02 01 12622342381b"

func TestTheFrameIsKeepaliveds(t *testing.T) {
	hardware := net.HardwareAddr{0x12, 0x62, 0x23, 0x42, 0x38, 0x1b}
	got, err := Frame(hardware, netip.MustParseAddr("fe80::10"), false)
	if err != nil {
		t.Fatal(err)
	}
	text := hex.EncodeToString(got)
	want := strings.ReplaceAll(golden, " ", "")
	at := strings.Index(want, "CKSM")
	if len(text) != len(want) || text[:at]+"CKSM"+text[at+4:] != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if sum := checksum(got); sum != 0xffff {
		t.Errorf("the checksum sums to %04x, want ffff", sum)
	}
	router, _ := Frame(hardware, netip.MustParseAddr("fe80::10"), true)
	if router[14+40+4] != 0xa0 {
		t.Errorf("flags of a router: got %02x, want a0", router[14+40+4])
	}
	if _, err := Frame(hardware, netip.MustParseAddr("10.1.1.10"), false); err == nil {
		t.Error("IPv4 address: got no error")
	}
}

// checksum sums the pseudo-header (RFC 8200 section 8.1) and the message.
func checksum(frame []byte) uint32 {
	sum := uint32(58 + len(frame) - 54)
	for b := frame[22:]; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return sum
}

func TestAnAnnouncementSaysWhatFailed(t *testing.T) {
	s := NewSender()
	defer s.Close()
	err := s.Announce("eth9", 99, [6]byte{}, netip.MustParseAddr("fe80::10"))
	if err == nil || !strings.Contains(err.Error(), "announce fe80::10 on eth9: not an Ethernet interface") {
		t.Errorf("got %v", err)
	}
}

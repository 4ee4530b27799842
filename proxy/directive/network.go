package directive

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
)

// readNetmask reads ADDRESS/NETMASK, both IPv4 in dotted form.
func readNetmask(text string) (string, error) {
	address, mask, ok := strings.Cut(text, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return "", fmt.Errorf("%q is not an address", address)
	}
	m, err := netip.ParseAddr(mask)
	if !ok || err != nil || !m.Is4() || !ip.Is4() {
		return "", fmt.Errorf("%q is not a network mask", mask)
	}
	four := m.As4()
	v := binary.BigEndian.Uint32(four[:])
	ones := bits.LeadingZeros32(^v)
	if bits.OnesCount32(v) != ones {
		return "", fmt.Errorf("network mask %q has holes", mask)
	}
	return netip.PrefixFrom(ip, ones).Masked().String(), nil
}

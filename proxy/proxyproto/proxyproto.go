// Package proxyproto reads and writes the header of the PROXY protocol,
// versions 1 and 2 (HAProxy's doc/proxy-protocol.txt): who is at the ends of a
// connection that another proxy accepted.
//
// It opens no connection and keeps no state. Parse may be called again with
// the same bytes and more behind them.
//
//	h, n, err := proxyproto.Parse(received)
//	switch {
//	case errors.Is(err, proxyproto.ErrIncomplete): // wait for more
//	case err != nil:                               // err says why, in HAProxy's words
//	case h.Proxied:                                // h.Source, h.Destination
//	}
//	out = proxyproto.AppendV1(out, source, destination)
//	out = proxyproto.AppendV2(out, source, destination, tlvs)
package proxyproto

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strconv"
)

// MaxV1 is the longest header of version 1 in bytes, its CRLF included
// (section 2.1).
const MaxV1 = 107

// MaxV2 is the longest header of version 2 that is read: what follows the
// addresses may take 64 KB by its format, more than anybody sends.
const MaxV2 = 16 << 10

// signature begins a header of version 2 (section 2.2).
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// fixed is the length of what precedes the addresses in version 2.
const fixed = len(signature) + 4

// Errors of Parse. All but ErrIncomplete carry the text HAProxy logs.
var (
	ErrIncomplete = errors.New("Truncated PROXY protocol header received")
	ErrNoHeader   = errors.New("Received something which does not look like a PROXY protocol header")
	ErrProtocol   = errors.New("Received an unhandled protocol in the PROXY protocol header")
	ErrInvalid    = errors.New("Received an invalid PROXY protocol header")
)

// Header is what a header tells.
type Header struct {
	// Proxied says that Source and Destination hold; else the header speaks of
	// the connection it came on: LOCAL, UNKNOWN, or a family without addresses
	// here.
	Proxied             bool
	Source, Destination netip.AddrPort
	// TLVs are the fields behind the addresses, all of them well formed and
	// their checksum right. They lie in the parsed bytes.
	TLVs []byte
}

// Parse reads a header from the start of p. n is its length.
func Parse(p []byte) (h Header, n int, err error) {
	const v1 = "PROXY"
	switch {
	case len(p) == 0:
		return h, 0, ErrIncomplete
	case p[0] == signature[0]:
		if k := min(len(p), len(signature)); string(p[:k]) != signature[:k] {
			return h, 0, ErrNoHeader
		}
		return parseV2(p)
	}
	if k := min(len(p), len(v1)); string(p[:k]) != v1[:k] {
		return h, 0, ErrNoHeader
	}
	return parseV1(p)
}

// parseV1 reads "PROXY TCP4|TCP6|UNKNOWN ...\r\n". What follows UNKNOWN is
// ignored (section 2.1).
func parseV1(p []byte) (h Header, n int, err error) {
	end := bytes.IndexByte(p[:min(len(p), MaxV1)], '\n')
	switch {
	case end < 0 && len(p) >= MaxV1:
		return h, 0, ErrInvalid
	case end < 0:
		return h, 0, ErrIncomplete
	case p[end-1] != '\r':
		return h, 0, ErrInvalid
	}
	words := bytes.Split(p[:end-1], []byte{' '})
	n = end + 1
	if len(words) < 2 || string(words[0]) != "PROXY" {
		return h, 0, ErrInvalid
	}
	four := false
	switch string(words[1]) {
	case "UNKNOWN":
		return h, n, nil
	case "TCP4":
		four = true
	case "TCP6":
	default:
		return h, 0, ErrProtocol
	}
	if len(words) != 6 {
		return h, 0, ErrInvalid
	}
	var ok [2]bool
	h.Proxied = true
	h.Source, ok[0] = endpoint(words[2], words[4], four)
	h.Destination, ok[1] = endpoint(words[3], words[5], four)
	if !ok[0] || !ok[1] {
		return Header{}, 0, ErrInvalid
	}
	return h, n, nil
}

// endpoint reads an address of the family and a port without leading zeros.
func endpoint(addr, port []byte, four bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(string(addr))
	if err != nil || a.Is4() != four || a.Zone() != "" {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(string(port), 10, 16)
	if err != nil || len(port) > 1 && port[0] == '0' || port[0] == '+' {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), true
}

// Families and transports of version 2, as the high and low half of one byte.
const (
	unspecified = 0x00
	tcp4        = 0x11
	tcp6        = 0x21
	unixStream  = 0x31
)

func parseV2(p []byte) (h Header, n int, err error) {
	if len(p) < fixed {
		return h, 0, ErrIncomplete
	}
	command, family := p[12], p[13]
	n = fixed + int(binary.BigEndian.Uint16(p[14:]))
	switch {
	case command != 0x20 && command != 0x21, n > MaxV2:
		return h, 0, ErrInvalid
	case len(p) < n:
		return h, 0, ErrIncomplete
	}
	if command == 0x20 { // LOCAL: whatever the rest says (section 2.2)
		return h, n, nil
	}
	body := p[fixed:n]
	size := 0
	switch family {
	case unspecified:
		return h, n, nil
	case tcp4:
		size = 12
	case tcp6:
		size = 36
	case unixStream:
		size = 216
	default:
		return h, 0, ErrInvalid
	}
	if len(body) < size {
		return h, 0, ErrInvalid
	}
	h.TLVs = body[size:]
	if !soundTLVs(p[:n], h.TLVs) {
		return Header{}, 0, ErrInvalid
	}
	if family == unixStream {
		return h, n, nil
	}
	k := (size - 4) / 2
	src, _ := netip.AddrFromSlice(body[:k])
	dst, _ := netip.AddrFromSlice(body[k : 2*k])
	h.Proxied = true
	h.Source = netip.AddrPortFrom(src.Unmap(), binary.BigEndian.Uint16(body[2*k:]))
	h.Destination = netip.AddrPortFrom(dst.Unmap(), binary.BigEndian.Uint16(body[2*k+2:]))
	return h, n, nil
}

// Types of fields (section 2.2).
const (
	TypeALPN      = 0x01
	TypeAuthority = 0x02
	TypeCRC32C    = 0x03
	TypeNoop      = 0x04
	TypeUniqueID  = 0x05
	TypeSSL       = 0x20
	TypeVersion   = 0x21 // within TypeSSL, as those below
	TypeCN        = 0x22
	TypeCipher    = 0x23
	TypeSigAlg    = 0x24
	TypeKeyAlg    = 0x25
	TypeNetNS     = 0x30
)

// tlvHead is the length of a field's type and length.
const tlvHead = 3

// soundTLVs reports that the fields fill their place exactly and that a
// checksum among them is that of the header with zeros in its place.
func soundTLVs(header, tlvs []byte) bool {
	for rest := tlvs; len(rest) > 0; {
		if len(rest) < tlvHead {
			return false
		}
		size := int(binary.BigEndian.Uint16(rest[1:]))
		if len(rest)-tlvHead < size {
			return false
		}
		value := rest[tlvHead : tlvHead+size]
		if rest[0] == TypeCRC32C {
			at := len(header) - len(rest) + tlvHead
			if size != 4 || binary.BigEndian.Uint32(value) != checksum(header, at) {
				return false
			}
		}
		rest = rest[tlvHead+size:]
	}
	return true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is that of header with the four bytes at at taken for zeros.
func checksum(header []byte, at int) uint32 {
	sum := crc32.Update(0, castagnoli, header[:at])
	sum = crc32.Update(sum, castagnoli, []byte{0, 0, 0, 0})
	return crc32.Update(sum, castagnoli, header[at+4:])
}

// Find returns the value of the first field of a type among well-formed
// fields, and whether there is one.
func Find(tlvs []byte, kind byte) (value []byte, ok bool) {
	for len(tlvs) >= tlvHead {
		size := int(binary.BigEndian.Uint16(tlvs[1:]))
		if len(tlvs)-tlvHead < size {
			return nil, false
		}
		if tlvs[0] == kind {
			return tlvs[tlvHead : tlvHead+size], true
		}
		tlvs = tlvs[tlvHead+size:]
	}
	return nil, false
}

package expr

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"
)

// castable reports whether values of one type can be read as another at all.
func castable(from, to Type) bool {
	switch {
	case from == to, to == Str, to == Bin:
		return true
	case from == Bool:
		return to == Int
	case from == Addr:
		return to == Int
	case from == Bin:
		return false
	}
	return true
}

// cast reads a value as one of another type, as HAProxy does between
// converters: numbers are written in decimal or in eight bytes, addresses in
// their own bytes; binary ends, as text, at its first zero.
func (in *Input) cast(v *Value, to Type) bool {
	from := v.Type
	if from == to {
		return true
	}
	v.Type = to
	switch to {
	case Bool:
		v.Type = from
		ok := in.cast(v, Int)
		v.boolean(v.Int != 0)
		return ok
	case Int:
		return v.toInt(from)
	case Addr:
		return v.toAddr(from)
	case Str:
		switch from {
		case Bin:
			if end := bytes.IndexByte(v.Str, 0); end >= 0 {
				v.Str = v.Str[:end]
			}
		case Addr:
			v.Str = in.keep(v.Addr.AppendTo(in.room()))
		default:
			v.Str = in.keep(strconv.AppendInt(in.room(), v.Int, 10))
		}
	case Bin:
		switch from {
		case Addr:
			v.Str = in.keep(appendAddr(in.room(), v.Addr))
		case Bool, Int:
			v.Str = in.keep(binary.BigEndian.AppendUint64(in.room(), uint64(v.Int)))
		}
	}
	return true
}

// appendAddr writes an address in its own four or sixteen bytes.
func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		four := a.As4()
		return append(b, four[:]...)
	}
	six := a.As16()
	return append(b, six[:]...)
}

func (v *Value) toInt(from Type) (ok bool) {
	switch from {
	case Str:
		v.Int, ok = readInt(v.Str)
		return ok
	case Addr:
		if !v.Addr.Is4() {
			return false
		}
		four := v.Addr.As4()
		v.Int = int64(binary.BigEndian.Uint32(four[:]))
		return true
	}
	return from == Bool
}

func (v *Value) toAddr(from Type) (ok bool) {
	switch from {
	case Int:
		var four [4]byte
		binary.BigEndian.PutUint32(four[:], uint32(v.Int))
		v.Addr = netip.AddrFrom4(four)
		return true
	case Str:
		if a, rest, ok := cutIPv4(v.Str); ok && (len(rest) == 0 || rest[0] != '.') { // a port may follow, as in HAProxy
			v.Addr = a
			return true
		}
		v.Addr, ok = readAddr(v.Str)
	}
	return ok
}

const (
	upperHex = "0123456789ABCDEF"
	lowerHex = "0123456789abcdef"
)

// readInt reads the number a text begins with, 0 without one; an empty text is
// none.
func readInt(b []byte) (n int64, ok bool) {
	if ok = len(b) > 0; !ok {
		return 0, false
	}
	minus := b[0] == '-'
	if minus || b[0] == '+' {
		b = b[1:]
	}
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		d := int64(c - '0')
		if n > (math.MaxInt64-d)/10 {
			n = math.MaxInt64
			break
		}
		n = 10*n + d
	}
	if minus {
		n = -n
	}
	return n, true
}

// readAddr reads an address that is all of a text.
func readAddr(b []byte) (netip.Addr, bool) {
	if len(b) == 0 || len(b) > 45 {
		return netip.Addr{}, false
	}
	if bytes.IndexByte(b, ':') < 0 {
		a, rest, ok := cutIPv4(b)
		return a, ok && len(rest) == 0
	}
	a, err := netip.ParseAddr(string(b))
	return a.Unmap(), err == nil && a.Zone() == ""
}

// cutIPv4 cuts an IPv4 address off the front.
func cutIPv4(b []byte) (a netip.Addr, rest []byte, ok bool) {
	var four [4]byte
	for i := range four {
		n, digits := 0, 0
		for len(b) > 0 && '0' <= b[0] && b[0] <= '9' && n <= 255 {
			n, b, digits = 10*n+int(b[0]-'0'), b[1:], digits+1
		}
		if digits == 0 || n > 255 {
			return a, b, false
		}
		four[i] = byte(n)
		if i < 3 {
			if len(b) == 0 || b[0] != '.' {
				return a, b, false
			}
			b = b[1:]
		}
	}
	return netip.AddrFrom4(four), b, true
}

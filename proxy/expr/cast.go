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

// Cast reads a value as one of another type, as HAProxy does between
// converters: numbers are written in decimal or in eight bytes, addresses in
// their own bytes; binary ends, as text, at its first zero.
func (in *Input) Cast(v Value, to Type) (Value, bool) {
	if v.Type == to {
		return v, true
	}
	from := v.Type
	v.Type = to
	switch to {
	case Bool:
		n, ok := in.Cast(Value{Type: from, Int: v.Int, Str: v.Str, Addr: v.Addr}, Int)
		v.Int = n.Int
		if n.Int != 0 {
			v.Int = 1
		}
		return v, ok
	case Int:
		switch from {
		case Str:
			n, ok := readInt(v.Str)
			return Value{Type: Int, Int: n}, ok
		case Addr:
			if !v.Addr.Is4() {
				return v, false
			}
			four := v.Addr.As4()
			return Value{Type: Int, Int: int64(binary.BigEndian.Uint32(four[:]))}, true
		}
		return v, from == Bool
	case Addr:
		switch from {
		case Int:
			var four [4]byte
			binary.BigEndian.PutUint32(four[:], uint32(v.Int))
			return Value{Type: Addr, Addr: netip.AddrFrom4(four)}, true
		case Str:
			if a, rest, ok := cutIPv4(v.Str); ok && (len(rest) == 0 || rest[0] != '.') { // a port may follow, as in HAProxy
				return Value{Type: Addr, Addr: a}, true
			}
			a, ok := readAddr(v.Str)
			return Value{Type: Addr, Addr: a}, ok
		}
		return v, false
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
		return v, true
	}
	switch from { // to Bin
	case Addr:
		b := in.room()
		if v.Addr.Is4() {
			four := v.Addr.As4()
			b = append(b, four[:]...)
		} else {
			six := v.Addr.As16()
			b = append(b, six[:]...)
		}
		v.Str = in.keep(b)
	case Bool, Int:
		v.Str = in.keep(binary.BigEndian.AppendUint64(in.room(), uint64(v.Int)))
	}
	return v, true
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

package lb

import (
	"hash/crc32"

	"herald/config"
)

// Hash is hash-type (Configuration manual 4.2): how a key becomes a number,
// and a number a server.
type Hash struct {
	Function   string // a row of Functions; empty means sdbm
	Avalanche  bool   // mix the bits of the function's result
	Consistent bool   // find the server on a ring, not in a table
}

// Of answers the hash of a key.
func (h Hash) Of(key []byte) uint32 {
	f := sdbm
	switch h.Function {
	case "djb2":
		f = djb2
	case "wt6":
		f = wt6
	case "crc32":
		f = crc32.ChecksumIEEE
	case "none":
		f = number
	}
	return h.Mix(f(key))
}

// Mix applies the avalanche, if there shall be one.
func (h Hash) Mix(n uint32) uint32 {
	if h.Avalanche {
		return avalanche(n)
	}
	return n
}

// Functions are the hash functions of hash-type.
var Functions = config.NewRegistry(
	config.Row[func([]byte) uint32]{Name: "sdbm", Doc: "that of the sdbm library", Syntax: "hash-type map-based sdbm", Example: "hash-type map-based sdbm", Do: sdbm},
	config.Row[func([]byte) uint32]{Name: "djb2", Doc: "Bernstein's times 33", Syntax: "hash-type map-based djb2", Example: "hash-type map-based djb2", Do: djb2},
	config.Row[func([]byte) uint32]{Name: "wt6", Doc: "HAProxy's own", Syntax: "hash-type map-based wt6", Example: "hash-type map-based wt6", Do: wt6},
	config.Row[func([]byte) uint32]{Name: "crc32", Doc: "that of Ethernet", Syntax: "hash-type map-based crc32", Example: "hash-type map-based crc32", Do: crc32.ChecksumIEEE},
	config.Row[func([]byte) uint32]{Name: "none", Doc: "the key is the number itself, in decimal", Syntax: "hash-type map-based none", Example: "hash-type map-based none", Do: number},
)

// sdbm multiplies by 65599.
func sdbm(key []byte) (n uint32) {
	for _, c := range key {
		n = n*65599 + uint32(c)
	}
	return n
}

// djb2 multiplies by 33, from 5381.
func djb2(key []byte) uint32 {
	n := uint32(5381)
	for _, c := range key {
		n = n*33 + uint32(c)
	}
	return n
}

// wt6 turns two words around one another by amounts that depend on both.
func wt6(key []byte) uint32 {
	a, b := uint32(0xa53c965a), uint32(0x5ca6953a)
	s, t := 6, 18
	for _, c := range key {
		a, b = ^(a ^ uint32(c)), ^(b + uint32(c))
		a, b = turn32(b, s), turn32(a, t)
		mixed := a>>16 ^ b
		s, t = int(mixed&31), int(mixed>>11&31)
	}
	return a ^ b
}

func turn32(n uint32, by int) uint32 { return n<<by | n>>(32-by) }

// number reads the decimal number at the key's beginning.
func number(key []byte) uint32 {
	negative := len(key) > 0 && key[0] == '-'
	if negative {
		key = key[1:]
	}
	var n int64
	for _, c := range key {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return uint32(n)
}

// avalanche is Bob Jenkins' integer mix with a multiplication by a prime after
// it: every bit of n moves every bit of the result.
func avalanche(n uint32) uint32 {
	n = n + 0x7ed55d16 + n<<12
	n = n ^ 0xc761c23c ^ n>>19
	n = n + 0x165667b1 + n<<5
	n = (n + 0xd3a2646c) ^ n<<9
	n = n + 0xfd7046c5 + n<<3
	n = n ^ 0xb55a4f09 ^ n>>16
	return n * 3221225473
}

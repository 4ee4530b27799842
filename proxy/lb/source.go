package lb

import (
	"encoding/binary"

	"herald/config"
)

var sourceRow = config.Row[Algorithm]{
	Name:    "source",
	Doc:     "the same server for the same client address",
	Syntax:  "balance source",
	Example: "balance source",
	Do:      Algorithm{make: newHashed, key: sourceKey, Keyed: true, Static: true},
}

// sourceKey folds the address into 32 bits, whatever the hash function is.
func sourceKey(Args) (Key, error) {
	return func(q *Request, h Hash) (uint32, bool) {
		a := q.Source.Addr()
		switch {
		case a.Is4():
			b := a.As4()
			return h.Mix(binary.BigEndian.Uint32(b[:])), true
		case a.Is6():
			b := a.As16()
			n := uint32(0)
			for i := 0; i < len(b); i += 4 {
				n ^= binary.BigEndian.Uint32(b[i:])
			}
			return h.Mix(n), true
		}
		return 0, false
	}, nil
}

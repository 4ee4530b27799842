package lb

import "math/bits"

// set is a set of small numbers, one bit each.
type set []uint64

func newSet(n int) set { return make(set, (n+63)/64) }

func (s set) add(i int)      { s[i>>6] |= 1 << (i & 63) }
func (s set) clear(i int)    { s[i>>6] &^= 1 << (i & 63) }
func (s set) has(i int) bool { return s[i>>6]&(1<<(i&63)) != 0 }

// first answers the smallest member, None when there is none.
func (s set) first() int { return s.from(0) }

// from answers the smallest member that is not below i, None when there is
// none.
func (s set) from(i int) int {
	w := i >> 6
	if w >= len(s) {
		return None
	}
	if rest := s[w] >> (i & 63); rest != 0 {
		return i + bits.TrailingZeros64(rest)
	}
	for w++; w < len(s); w++ {
		if s[w] != 0 {
			return w<<6 + bits.TrailingZeros64(s[w])
		}
	}
	return None
}

// Package arith is a core: the arithmetic of converters (Configuration manual
// 7.3.1), on numbers of 64 bits. A result that does not fit is the end of what
// does.
//
//	arith.Add(math.MaxInt64, 1) // math.MaxInt64
package arith

import (
	"math"
	"math/bits"
)

// Add answers a+b.
func Add(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

// Subtract answers a-b.
func Subtract(a, b int64) int64 {
	if b == math.MinInt64 {
		return Add(Add(a, math.MaxInt64), 1)
	}
	return Add(a, -b)
}

// Multiply answers a*b.
func Multiply(a, b int64) int64 {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	negative := a < 0 != (b < 0)
	switch {
	case hi == 0 && lo < 1<<63 && negative:
		return -int64(lo)
	case hi == 0 && lo < 1<<63:
		return int64(lo)
	case negative:
		return math.MinInt64
	}
	return math.MaxInt64
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// Divide answers a/b, rounded towards 0. It never fails: what cannot be
// divided is the largest number there is.
func Divide(a, b int64) int64 {
	if b == 0 || a == math.MinInt64 && b == -1 {
		return math.MaxInt64
	}
	return a / b
}

// Remainder answers what Divide leaves: nothing of what cannot be divided.
func Remainder(a, b int64) int64 {
	if b == 0 || b == -1 {
		return 0
	}
	return a % b
}

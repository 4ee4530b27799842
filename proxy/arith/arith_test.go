package arith

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// What does not fit into 64 bits is the end of them that is nearer.
func TestArithmeticStaysWithinItsBits(t *testing.T) {
	lowest, highest := big.NewInt(-1<<63), big.NewInt(1<<63-1)
	ends := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := ends.Draw(t, "a"), ends.Draw(t, "b")
		x, y := big.NewInt(a), big.NewInt(b)
		for name, tt := range map[string]struct {
			got  int64
			want *big.Int
		}{
			"add": {Add(a, b), new(big.Int).Add(x, y)}, "sub": {Subtract(a, b), new(big.Int).Sub(x, y)}, "mul": {Multiply(a, b), new(big.Int).Mul(x, y)},
		} {
			want := tt.want
			if want.Cmp(lowest) < 0 {
				want = lowest
			}
			if want.Cmp(highest) > 0 {
				want = highest
			}
			if big.NewInt(tt.got).Cmp(want) != 0 {
				t.Errorf("%d %s %d: got %d, want %v", a, name, b, tt.got, want)
			}
		}
		if b == 0 && (Divide(a, b) != math.MaxInt64 || Remainder(a, b) != 0) {
			t.Errorf("%d / 0: got %d, rest %d", a, Divide(a, b), Remainder(a, b))
		}
		if b != 0 && b != -1 && Divide(a, b)*b+Remainder(a, b) != a {
			t.Errorf("%d / %d: got %d, rest %d", a, b, Divide(a, b), Remainder(a, b))
		}
	})
}

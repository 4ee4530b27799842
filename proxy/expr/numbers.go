package expr

import (
	"encoding/binary"
	"math"
	mathbits "math/bits"

	"herald/config"
)

// numberRows are converters of integers.
var numberRows = []config.Row[Change]{
	change("add", "Adds a number; the sum stays within 64 bits.", "int(1),add(2)", arithmetic(add)),
	change("and", "The bits both numbers have.", "int(6),and(3)", arithmetic(func(a, b int64) int64 { return a & b })),
	change("bool", "Whether the number is not 0.", "int(6),and(4),bool", predicate(func(n int64) bool { return n != 0 })),
	change("cpl", "The number with all bits turned.", "int(5),cpl", ofInt(func(n int64) int64 { return ^n })),
	change("div", "Divides by a number; by 0 gives the largest there is.", "int(17),div(5)", arithmetic(divide)),
	change("even", "Whether the number is even.", "int(4),even", predicate(func(n int64) bool { return n&1 == 0 })),
	change("htonl", "The lower 32 bits as four bytes.", "int(1),htonl,hex", Change{From: Int, To: Bin, Make: always(func(in *Input, v *Value) Outcome {
		return v.bytes(Bin, in.keep(binary.BigEndian.AppendUint32(in.room(), uint32(v.Int))))
	})}),
	change("iif", "The first text when the value is true, else the second.", "ssl_fc,iif(https,http)", Change{From: Bool, To: Str, Args: "ss", Make: func(a *Arguments) (Convert, error) {
		then, otherwise := []byte(a.at(0)), []byte(a.at(1))
		return func(_ *Input, v *Value) Outcome {
			if v.Int != 0 {
				return v.bytes(Str, then)
			}
			return v.bytes(Str, otherwise)
		}, nil
	}}),
	change("mod", "The rest of a division; of one by 0 it is 0.", "int(17),mod(5)", arithmetic(func(a, b int64) int64 {
		switch b {
		case 0, -1:
			return 0
		}
		return a % b
	})),
	change("mul", "Multiplies by a number; the product stays within 64 bits.", "int(17),mul(5)", arithmetic(multiply)),
	change("nbsrv", "How many servers of the backend of that name are up.", "str(app),nbsrv", Change{From: Str, To: Int, Make: always(measured(BackendServersUp, "backend"))}),
	change("neg", "The number with the other sign.", "int(5),neg", ofInt(func(n int64) int64 { return -n })),
	change("not", "Whether the number is 0.", "int(5),not", predicate(func(n int64) bool { return n == 0 })),
	change("odd", "Whether the number is odd.", "int(5),odd", predicate(func(n int64) bool { return n&1 != 0 })),
	change("or", "The bits either number has.", "int(6),or(1)", arithmetic(func(a, b int64) int64 { return a | b })),
	change("srv_queue", "How many wait for the server of that name, or BACKEND/NAME.", "str(app/a),srv_queue", Change{From: Str, To: Int, Make: always(measured(ServerQueue, "server"))}),
	change("sub", "Subtracts a number; the difference stays within 64 bits.", "int(17),sub(5)", arithmetic(func(a, b int64) int64 {
		if b == math.MinInt64 {
			return add(add(a, math.MaxInt64), 1)
		}
		return add(a, -b)
	})),
	change("xor", "The bits one of the numbers has and the other has not.", "int(6),xor(3)", arithmetic(func(a, b int64) int64 { return a ^ b })),
}

// measured asks about what the value names.
func measured(m Measure, kind string) Convert {
	return func(in *Input, v *Value) Outcome {
		if in.World == nil {
			return Missing
		}
		of := Reference{Kind: kind, Name: string(v.Str)}
		if kind == "server" {
			of = serverReference(string(v.Str))
		}
		n, ok := in.World.Number(m, of)
		if !ok {
			return Missing
		}
		return v.whole(n)
	}
}

func ofInt(do func(int64) int64) Change {
	return Change{From: Int, To: Int, Make: always(func(_ *Input, v *Value) Outcome { return v.whole(do(v.Int)) })}
}

// predicate says something of a number; its type is boolean.
func predicate(holds func(int64) bool) Change {
	return Change{From: Int, To: Bool, Make: always(func(_ *Input, v *Value) Outcome {
		if holds(v.Int) {
			return v.boolean(true)
		}
		return v.boolean(false)
	})}
}

func arithmetic(do func(a, b int64) int64) Change {
	return Change{From: Int, To: Int, Args: "n", Make: func(a *Arguments) (Convert, error) {
		b := a.number[0]
		return func(_ *Input, v *Value) Outcome { return v.whole(do(v.Int, b)) }, nil
	}}
}

// add stops at the ends of what 64 bits hold.
func add(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}

func multiply(a, b int64) int64 {
	hi, lo := mathbits.Mul64(magnitude(a), magnitude(b))
	negative := a < 0 != (b < 0)
	switch {
	case (hi != 0 || lo > 1<<63-1) && negative:
		return math.MinInt64
	case hi != 0 || lo > 1<<63-1:
		return math.MaxInt64
	case negative:
		return -int64(lo)
	}
	return int64(lo)
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func divide(a, b int64) int64 {
	switch {
	case b == 0, a == math.MinInt64 && b == -1:
		return math.MaxInt64
	}
	return a / b
}

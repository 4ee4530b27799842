package expr

import (
	"encoding/binary"

	"herald/config"
	"herald/proxy/arith"
)

// numberRows are converters of integers.
var numberRows = []config.Row[Change]{
	change("add", "Adds a number; the sum stays within 64 bits.", "int(1),add(2)", arithmetic(arith.Add)),
	change("and", "The bits both numbers have.", "int(6),and(3)", arithmetic(func(a, b int64) int64 { return a & b })),
	change("bool", "Whether the number is not 0.", "int(6),and(4),bool", predicate(func(n int64) bool { return n != 0 })),
	change("cpl", "The number with all bits turned.", "int(5),cpl", ofInt(func(n int64) int64 { return ^n })),
	change("div", "Divides by a number; by 0 gives the largest there is.", "int(17),div(5)", arithmetic(arith.Divide)),
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
	change("mod", "The rest of a division; of one by 0 it is 0.", "int(17),mod(5)", arithmetic(arith.Remainder)),
	change("mul", "Multiplies by a number; the product stays within 64 bits.", "int(17),mul(5)", arithmetic(arith.Multiply)),
	change("nbsrv", "How many servers of the backend of that name are up.", "str(app),nbsrv", Change{From: Str, To: Int, Make: always(measured(BackendServersUp, "backend"))}),
	change("neg", "The number with the other sign.", "int(5),neg", ofInt(func(n int64) int64 { return -n })),
	change("not", "Whether the number is 0.", "int(5),not", predicate(func(n int64) bool { return n == 0 })),
	change("odd", "Whether the number is odd.", "int(5),odd", predicate(func(n int64) bool { return n&1 != 0 })),
	change("or", "The bits either number has.", "int(6),or(1)", arithmetic(func(a, b int64) int64 { return a | b })),
	change("srv_queue", "How many wait for the server of that name, or BACKEND/NAME.", "str(app/a),srv_queue", Change{From: Str, To: Int, Make: always(measured(ServerQueue, "server"))}),
	change("sub", "Subtracts a number; the difference stays within 64 bits.", "int(17),sub(5)", arithmetic(arith.Subtract)),
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

package expr

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	mathbits "math/bits"
	"strconv"

	"herald/config"
)

// internalRows are fetches of what needs no traffic (Configuration manual
// 7.3.2), and of who serves it.
var internalRows = []config.Row[Kind]{
	row("always_false", "Never true.", "always_false", Kind{Type: Bool, Make: plain(constant(truth(false)))}),
	row("always_true", "Always true.", "always_true", Kind{Type: Bool, Make: plain(constant(truth(true)))}),
	row("avg_queue", "How many wait for a backend, by its usable servers.", "avg_queue(app) gt 5", number(BackendQueueShare, "?b")),
	row("be_conn", "How many streams a backend has now.", "be_conn(app) gt 100", number(BackendConnections, "?b")),
	row("be_conn_free", "How many more its usable servers take; -1 when one has no limit.", "be_conn_free(app) lt 10", number(BackendConnectionsFree, "?b")),
	row("be_id", "The number of the backend.", "be_id 3", inside(number(BackendID, ""))),
	row("be_name", "The name of the backend.", "be_name app", inside(name(BackendName))),
	row("be_server_timeout", "timeout server of the backend in milliseconds.", "be_server_timeout gt 1000", inside(number(BackendServerTimeout, ""))),
	row("be_sess_rate", "New sessions of a backend in a second.", "be_sess_rate(app) gt 50", number(BackendSessionRate, "?b")),
	row("be_tunnel_timeout", "timeout tunnel of the backend in milliseconds.", "be_tunnel_timeout gt 1000", inside(number(BackendTunnelTimeout, ""))),
	row("bin", "The bytes written in hexadecimal.", "bin(00ff) -m bin 00ff", Kind{Type: Bin, Args: "s", Make: func(a *Arguments) (Get, error) {
		b, err := hex.DecodeString(a.at(0))
		if err != nil {
			return nil, fmt.Errorf("%q is not hexadecimal", a.at(0))
		}
		return constant(Value{Type: Bin, Str: b}), nil
	}}),
	row("bool", "The boolean written.", "bool(true)", Kind{Type: Bool, Args: "s", Make: func(a *Arguments) (Get, error) {
		switch a.at(0) {
		case "true", "1":
			return constant(truth(true)), nil
		case "false", "0":
			return constant(truth(false)), nil
		}
		return nil, fmt.Errorf("%q is not true, false, 1 or 0", a.at(0))
	}}),
	row("connslots", "How many more the servers of a backend and their queues take; -1 when one has no limit.", "connslots(app) lt 10", number(BackendSlots, "?b")),
	row("cur_server_timeout", "timeout server in force for the stream in milliseconds.", "cur_server_timeout gt 1000", inside(number(BackendServerTimeout, ""))),
	row("cur_tunnel_timeout", "timeout tunnel in force for the stream in milliseconds.", "cur_tunnel_timeout gt 1000", inside(number(BackendTunnelTimeout, ""))),
	row("date", "Seconds since 1970, and so many more or less; the unit may be s, ms or us.", "date(-3600) gt 0", Kind{Type: Int, Args: "?is", Make: makeDate}),
	row("date_us", "Microseconds of the current second.", "date_us ge 0", Kind{Type: Int, Make: plain(func(in *Input, v *Value) Outcome {
		return v.whole(int64(in.now().Nanosecond() / 1000))
	})}),
	row("env", "A variable of the environment at start.", "env(STAGE) test", Kind{Type: Str, Args: "s", Make: func(a *Arguments) (Get, error) {
		if a.files.Env == nil {
			return missing, nil
		}
		text, ok := a.files.Env(a.at(0))
		if !ok {
			return missing, nil
		}
		return constant(Value{Type: Str, Str: []byte(text)}), nil
	}}),
	row("fe_client_timeout", "timeout client of the frontend in milliseconds.", "fe_client_timeout gt 1000", number(FrontendClientTimeout, "")),
	row("fe_conn", "How many connections a frontend has now.", "fe_conn gt 1000", number(FrontendConnections, "?f")),
	row("fe_defbe", "The default backend of the frontend.", "fe_defbe app", name(FrontendDefault)),
	row("fe_id", "The number of the frontend.", "fe_id 2", number(FrontendID, "")),
	row("fe_name", "The name of the frontend.", "fe_name public", name(FrontendName)),
	row("fe_req_rate", "Requests of a frontend in a second.", "fe_req_rate gt 100", number(FrontendRequestRate, "?f")),
	row("fe_sess_rate", "New sessions of a frontend in a second.", "fe_sess_rate gt 100", number(FrontendSessionRate, "?f")),
	row("hostname", "The name of the machine.", "hostname lb1", name(HostName)),
	row("int", "The integer written.", "int(5) gt 4", Kind{Type: Int, Args: "i", Make: func(a *Arguments) (Get, error) {
		return constant(Value{Type: Int, Int: a.number[0]}), nil
	}}),
	row("ipv4", "The address written.", "ipv4(10.0.0.1) 10.0.0.0/8", Kind{Type: Addr, Args: "A", Make: address0}),
	row("ipv6", "The address written.", "ipv6(2001:db8::1) 2001:db8::/32", Kind{Type: Addr, Args: "B", Make: address0}),
	row("meth", "The method written.", "meth(GET) GET", Kind{Type: Str, Args: "s", Make: func(a *Arguments) (Get, error) {
		if !a.has(0) {
			return nil, errors.New("expects the name of a method")
		}
		return text0(a)
	}}),
	row("nbproc", "How many processes serve: 1.", "nbproc 1", Kind{Type: Int, Make: plain(constant(Value{Type: Int, Int: 1}))}),
	row("nbsrv", "How many servers of a backend are up.", "nbsrv(app) lt 2", number(BackendServersUp, "?b")),
	row("proc", "The number of the process: 1.", "proc 1", Kind{Type: Int, Make: plain(constant(Value{Type: Int, Int: 1}))}),
	row("queue", "How many wait for a backend and its servers.", "queue(app) gt 20", number(BackendQueue, "?b")),
	row("rand", "A random number below the one given, or of 32 bits.", "rand(100) lt 10", Kind{Type: Int, Args: "?i", Make: func(a *Arguments) (Get, error) {
		below := a.int(0, 1<<32)
		return func(in *Input, v *Value) Outcome {
			if in.World == nil || below <= 0 {
				return v.whole(0)
			}
			n, _ := mathbits.Mul64(in.World.Chance()>>32<<32, uint64(below))
			return v.whole(int64(n))
		}, nil
	}}),
	row("srv_conn", "How many streams a server has now.", "srv_conn(app/a) gt 10", number(ServerConnections, "v")),
	row("srv_conn_free", "How many more a server takes; -1 without a limit.", "srv_conn_free(app/a) lt 2", number(ServerConnectionsFree, "v")),
	row("srv_id", "The number of the server.", "srv_id 2", serving(number(ServerID, ""))),
	row("srv_is_up", "Whether a server is up.", "srv_is_up(app/a)", boolNumber(ServerUp, "v")),
	row("srv_iweight", "The weight of a server as it was configured.", "srv_iweight(app/a) gt 1", number(ServerInitialWeight, "v")),
	row("srv_name", "The name of the server.", "srv_name a", serving(name(ServerName))),
	row("srv_queue", "How many wait for a server.", "srv_queue(app/a) gt 5", number(ServerQueue, "v")),
	row("srv_sess_rate", "New sessions of a server in a second.", "srv_sess_rate(app/a) gt 50", number(ServerSessionRate, "v")),
	row("srv_uweight", "The weight of a server as an operator or agent set it.", "srv_uweight(app/a) gt 1", number(ServerUserWeight, "v")),
	row("srv_weight", "The weight of a server in force.", "srv_weight(app/a) gt 1", number(ServerWeight, "v")),
	row("stopping", "Whether the process lets its connections end.", "stopping", boolNumber(Stopping, "")),
	row("str", "The text written.", "str(a) a", Kind{Type: Str, Args: "s", Make: text0}),
	row("thread", "The number of the loop, from 0.", "thread 0", number(Thread, "")),
	row("unique-id", "What unique-id-format makes of the connection or request.", "unique-id -m found", name(UniqueID)),
	row("uuid", "A random identifier (RFC 9562, version 4).", "uuid -m len 36", Kind{Type: Str, Args: "?i", Make: makeUUID}),
}

func plain(get Get) func(*Arguments) (Get, error) {
	return func(*Arguments) (Get, error) { return get, nil }
}

func missing(*Input, *Value) Outcome { return Missing }

func constant(is Value) Get {
	return func(_ *Input, v *Value) Outcome { *v = is; return Found }
}

func row(name, doc, example string, k Kind) config.Row[Kind] {
	return config.Row[Kind]{Name: name, Doc: doc, Syntax: k.Args.syntax(), Example: example, Do: k}
}

func text0(a *Arguments) (Get, error) {
	return constant(Value{Type: Str, Str: []byte(a.at(0))}), nil
}

func address0(a *Arguments) (Get, error) {
	return constant(Value{Type: Addr, Addr: a.addr[0]}), nil
}

// number is a fetch of a measure.
func number(m Measure, args Args) Kind {
	return Kind{Type: Int, Args: args, Make: func(a *Arguments) (Get, error) {
		var of Reference
		if len(a.refers) > 0 {
			of = a.refers[0]
		}
		return func(in *Input, v *Value) Outcome {
			if in.World == nil {
				return Missing
			}
			n, ok := in.World.Number(m, of)
			if !ok {
				return Missing
			}
			return v.whole(n)
		}, nil
	}}
}

func boolNumber(m Measure, args Args) Kind {
	k := number(m, args)
	inner := k.Make
	k.Type = Bool
	k.Make = func(a *Arguments) (Get, error) {
		get, err := inner(a)
		return func(in *Input, v *Value) Outcome {
			out := get(in, v)
			v.Type = Bool
			return out
		}, err
	}
	return k
}

func name(n Name) Kind {
	return Kind{Type: Str, Make: plain(func(in *Input, v *Value) Outcome {
		if in.World == nil {
			return Missing
		}
		return v.written(in, in.World.Name(n))
	})}
}

func inside(k Kind) Kind {
	k.Needs |= Inside
	return k
}

func serving(k Kind) Kind {
	k.Needs |= Server
	return k
}

// units are those of dates, as parts of a second.
var units = map[string]int64{"": 1, "s": 1, "ms": 1000, "us": 1_000_000}

func makeDate(a *Arguments) (Get, error) {
	parts, ok := units[a.at(1)]
	if !ok {
		return nil, fmt.Errorf("%q is not s, ms or us", a.at(1))
	}
	offset := a.int(0, 0)
	return func(in *Input, v *Value) Outcome {
		t := in.now()
		return v.whole(t.Unix()*parts + int64(t.Nanosecond())*parts/1_000_000_000 + offset)
	}, nil
}

func makeUUID(a *Arguments) (Get, error) {
	if v := a.int(0, 4); v != 4 {
		return nil, fmt.Errorf("version %d is not there, only 4", v)
	}
	return func(in *Input, v *Value) Outcome {
		if in.World == nil {
			return Missing
		}
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], in.World.Chance())
		binary.BigEndian.PutUint64(b[8:], in.World.Chance())
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		to := in.room()
		for i, c := range b {
			if i == 4 || i == 6 || i == 8 || i == 10 {
				to = append(to, '-')
			}
			to = append(to, lowerHex[c>>4], lowerHex[c&15])
		}
		return v.bytes(Str, in.keep(to))
	}, nil
}

// syntax writes the arguments as the manual does.
func (spec Args) syntax() string {
	if spec == "" {
		return ""
	}
	words := map[rune]string{'s': "TEXT", 'i': "NUMBER", 'n': "NUMBER", 'f': "FRONTEND", 'b': "BACKEND", 'v': "[BACKEND/]SERVER",
		'4': "MASK", '6': "MASK", 'A': "ADDRESS", 'B': "ADDRESS"}
	out, open, first := "(", 0, true
	for _, c := range spec {
		if c == '?' {
			open = 1
			continue
		}
		if open > 0 {
			out += "["
			open++
		}
		if !first {
			out += ","
		}
		first = false
		out += words[c]
	}
	for ; open > 1; open-- {
		out += "]"
	}
	if spec[0] == '?' {
		return "[" + out + ")]"
	}
	return out + ")"
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

package script

import (
	"encoding/binary"

	"herald/proxy/check"
)

// SPOP is option spop-check: the handshake of the stream processing offload
// protocol 2.0 (HAProxy's SPOE.txt, section 3).
func SPOP() *Script {
	return &Script{Kind: Protocol, Name: "spop", Steps: []Step{
		{Action: ActConnect, Connect: &Connect{Default: true, Linger: true}},
		{Action: ActSend, Number: 1, Send: &Send{Data: Literal(spopHello())}},
		{Action: ActExpect, Number: 2, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: spopAnswer}},
	}}
}

// Frame types, and the types of values.
const (
	spopHaproxyHello    = 1
	spopAgentHello      = 101
	spopAgentDisconnect = 102

	spopTrue   = 0x11
	spopUint32 = 3
	spopString = 8
)

// spopHello is HAPROXY-HELLO with healthcheck set: the agent answers and
// closes.
func spopHello() string {
	f := []byte{spopHaproxyHello, 0, 0, 0, 1, 0, 0} // FIN; stream 0, frame 0
	name := func(s string) { f = append(append(f, byte(len(s))), s...) }
	text := func(s string) { f = append(f, spopString); name(s) }
	name("supported-versions")
	text("2.0")
	name("max-frame-size")
	f = append(f, spopUint32, 0xfc, 0xf0, 0x06) // 16380
	name("capabilities")
	text("")
	name("healthcheck")
	f = append(f, spopTrue)
	return string(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...))
}

// spopAnswer reads one frame.
func spopAnswer(data []byte, end bool) Verdict {
	bad := func(info string) Verdict { return Verdict{State: Bad, Status: check.L7RSP, Info: info} }
	if len(data) < 4 || int64(len(data))-4 < int64(binary.BigEndian.Uint32(data)) {
		if end {
			return bad("invalid frame received")
		}
		return Verdict{}
	}
	frame := data[4 : 4+binary.BigEndian.Uint32(data)]
	if len(frame) < 7 || frame[5] != 0 || frame[6] != 0 {
		return bad("invalid frame received")
	}
	values, ok := spopValues(frame[7:])
	if !ok {
		return bad("invalid frame received")
	}
	switch frame[0] {
	case spopAgentDisconnect:
		return bad(values["message"])
	case spopAgentHello:
	default:
		return bad("invalid frame received")
	}
	if _, ok := values["version"]; !ok {
		return bad("version value not found")
	}
	if v := values["version"]; len(v) < 2 || v[:2] != "2." {
		return bad("unsupported version")
	}
	if _, ok := values["max-frame-size"]; !ok {
		return bad("max-frame-size value not found")
	}
	return Verdict{State: Good, Info: "SPOA server is ok"}
}

// spopValues reads pairs of a name and a typed value; those without text are
// empty.
func spopValues(b []byte) (map[string]string, bool) {
	values := map[string]string{}
	for len(b) > 0 {
		name, rest, ok := spopText(b)
		if !ok || len(rest) == 0 {
			return nil, false
		}
		kind := rest[0] & 0x0f
		b = rest[1:]
		value := ""
		switch {
		case kind <= 1: // null, boolean
		case kind <= 5: // integers
			if _, b, ok = spopInt(b); !ok {
				return nil, false
			}
		case kind == 6 || kind == 7: // addresses
			n := 4
			if kind == 7 {
				n = 16
			}
			if len(b) < n {
				return nil, false
			}
			b = b[n:]
		case kind == 8 || kind == 9:
			if value, b, ok = spopText(b); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		values[name] = value
	}
	return values, true
}

func spopText(b []byte) (string, []byte, bool) {
	n, b, ok := spopInt(b)
	if !ok || n > uint64(len(b)) {
		return "", nil, false
	}
	return string(b[:n]), b[n:], true
}

// spopInt reads a number of variable length: one byte below 240, else four
// bits and then seven of each byte, the first being added to 240.
func spopInt(b []byte) (uint64, []byte, bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	n := uint64(b[0])
	b = b[1:]
	if n < 240 {
		return n, b, true
	}
	for shift := 4; shift < 64; shift += 7 {
		if len(b) == 0 {
			return 0, nil, false
		}
		c := b[0]
		b = b[1:]
		n += uint64(c) << shift
		if c < 128 {
			return n, b, true
		}
	}
	return 0, nil, false
}

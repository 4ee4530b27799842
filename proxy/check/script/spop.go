package script

import (
	"encoding/binary"
	"strconv"
	"strings"

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

	spopFinal = 1 // of the flags: the frame is whole

	// The sizes of frames that may be agreed on: what is offered is the most.
	spopLeast, spopMost = 256, 16380

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

// spopReasons are the words for the status codes of a disconnection, which are
// those for what is wrong here, too.
var spopReasons = map[uint64]string{0: "normal", 1: "I/O error", 2: "a timeout occurred", 3: "frame is too big", 4: "invalid frame received",
	5: "version value not found", 6: "max-frame-size value not found", 7: "capabilities value not found", 8: "unsupported version",
	9: "max-frame-size too big or too small", 10: "fragmentation not supported", 11: "invalid interlaced frames", 12: "frame-id not found",
	13: "resource allocation error", 99: "an unknown error occurred"}

// Their codes.
const (
	spopInvalid    = 4
	spopNoVersion  = 5
	spopNoSize     = 6
	spopBadVersion = 8
	spopBadSize    = 9
	spopFragments  = 10
	spopUnknown    = 99
)

// spopAnswer reads one frame.
func spopAnswer(data []byte, end bool) Verdict {
	bad := func(code uint64) Verdict { return Verdict{State: Bad, Status: check.L7RSP, Info: spopReasons[code]} }
	if len(data) < 4 || int64(len(data))-4 < int64(binary.BigEndian.Uint32(data)) {
		if end {
			return bad(spopInvalid)
		}
		return Verdict{}
	}
	frame := data[4 : 4+binary.BigEndian.Uint32(data)]
	switch {
	case len(frame) < 7, frame[0] != spopAgentHello && frame[0] != spopAgentDisconnect:
		return bad(spopInvalid)
	case frame[4]&spopFinal == 0:
		return bad(spopFragments)
	case frame[5] != 0 || frame[6] != 0:
		return bad(spopInvalid)
	case frame[0] == spopAgentDisconnect:
		return bad(spopDisconnection(frame[7:]))
	}
	if code := spopAgent(frame[7:]); code != 0 {
		return bad(code)
	}
	return Verdict{State: Good, Info: "SPOA server is ok"}
}

// spopDisconnection finds why an agent leaves.
func spopDisconnection(b []byte) uint64 {
	status := uint64(0)
	wrong := spopEach(b, func(name string, v spopValue) uint64 {
		if name != "status-code" {
			return 0
		}
		if !v.integer() {
			return spopInvalid
		}
		status = v.number
		return 0
	})
	if wrong != 0 {
		return wrong
	}
	if _, known := spopReasons[status]; !known {
		return spopUnknown
	}
	return status
}

// spopAgent reads what an agent says of itself; 0 is fine.
func spopAgent(b []byte) uint64 {
	var version, size bool
	wrong := spopEach(b, func(name string, v spopValue) uint64 {
		switch name {
		case "version":
			version = true
			switch at, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64); {
			case v.kind != spopString:
				return spopInvalid
			case err != nil || at != 2 || strings.HasSuffix(v.text, ".") || !strings.Contains(v.text, "."):
				return spopBadVersion
			}
		case "max-frame-size":
			size = true
			switch {
			case !v.integer():
				return spopInvalid
			case v.number < spopLeast || v.number > spopMost:
				return spopBadSize
			}
		case "capabilities":
			if v.kind != spopString {
				return spopInvalid
			}
		}
		return 0
	})
	switch {
	case wrong != 0:
		return wrong
	case !version:
		return spopNoVersion
	case !size:
		return spopNoSize
	}
	return 0
}

// spopValue is a typed value, with its text or number where it has one.
type spopValue struct {
	kind   byte
	text   string
	number uint64
}

func (v *spopValue) integer() bool { return v.kind >= 2 && v.kind <= 5 }

// spopEach shows f the pairs of a name and a value, and answers the first code
// of it that is not 0.
func spopEach(b []byte, f func(string, spopValue) uint64) uint64 {
	for len(b) > 0 {
		name, rest, ok := spopText(b)
		if !ok || name == "" || len(rest) == 0 {
			return spopInvalid
		}
		v := spopValue{kind: rest[0] & 0x0f}
		b = rest[1:]
		switch {
		case v.kind <= 1: // null, boolean
		case v.integer():
			v.number, b, ok = spopInt(b)
		case v.kind == 6: // an IPv4 address
			b, ok = spopSkip(b, 4)
		case v.kind == 7: // an IPv6 address
			b, ok = spopSkip(b, 16)
		case v.kind == spopString || v.kind == 9: // bytes
			v.text, b, ok = spopText(b)
		default:
			ok = false
		}
		if !ok {
			return spopInvalid
		}
		if code := f(name, v); code != 0 {
			return code
		}
	}
	return 0
}

func spopSkip(b []byte, n int) ([]byte, bool) {
	if len(b) < n {
		return nil, false
	}
	return b[n:], true
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

package script

import (
	"bytes"
	"encoding/binary"

	"herald/proxy/check"
)

// PgSQL is option pgsql-check: a StartupMessage of protocol 3.0 is answered by
// a request to authenticate, or by nothing more to do.
func PgSQL(user string) *Script {
	body := append(binary.BigEndian.AppendUint32(nil, 3<<16), "user\x00"+user+"\x00\x00"...)
	hello := append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...)
	return &Script{Kind: Protocol, Name: "pgsql", Steps: []Step{
		{Action: ActConnect, Number: 1, Connect: &Connect{Default: true, Linger: true}},
		{Action: ActSend, Number: 2, Send: &Send{Data: Literal(string(hello))}},
		{Action: ActExpect, Number: 3, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: pgsqlAnswer}},
	}}
}

// pgsqlAnswer reads AuthenticationRequest or ErrorResponse (PostgreSQL manual,
// Message Formats).
func pgsqlAnswer(data []byte, end bool) Verdict {
	unknown := Verdict{State: Bad, Status: check.L7STS, Info: "PostgreSQL unknown error"}
	switch {
	case len(data) < 5 && end:
		return unknown
	case len(data) < 5:
		return Verdict{}
	case data[0] == 'E':
		// Its first field is the severity: 'S', then text that a NUL ends.
		text, _, _ := bytes.Cut(data[min(6, len(data)):], []byte{0})
		return Verdict{State: Bad, Status: check.L7RSP, Info: string(text)}
	case len(data) < 9 && !end:
		return Verdict{}
	case len(data) < 9 || data[0] != 'R' || binary.BigEndian.Uint32(data[1:]) < 8 || binary.BigEndian.Uint32(data[1:]) > 1<<16 ||
		binary.BigEndian.Uint32(data[5:]) > 12:
		return unknown
	}
	return Verdict{State: Good, Info: "PostgreSQL server is ok"}
}

package script

import (
	"bytes"
	"encoding/binary"

	"herald/proxy/check"
)

// MySQL is option mysql-check: the server's greeting is read and, with a user,
// its answer to a login without a password. The login and COM_QUIT leave at
// once, without waiting for the greeting. Old asks as clients before 4.1 did.
func MySQL(user string, old bool) *Script {
	s := &Script{Kind: Protocol, Name: "mysql", Steps: []Step{{Action: ActConnect, Number: 1, Connect: &Connect{Default: true, Linger: true}}}}
	if user != "" {
		s.Steps = append(s.Steps, Step{Action: ActSend, Number: 2, Send: &Send{Data: Literal(string(mysqlLogin(user, old)))}})
	}
	n := len(s.Steps)
	s.Steps = append(s.Steps, Step{Action: ActExpect, Number: n + 1, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: mysqlGreeting}})
	if user != "" {
		s.Steps = append(s.Steps, Step{Action: ActExpect, Number: n + 2, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: mysqlAnswer}})
	}
	return s
}

// Capabilities of the client (MySQL internals, Protocol::CapabilityFlags).
const (
	clientProtocol41 = 0x0200
	clientSecureAuth = 0x8000
)

// mysqlLogin is a HandshakeResponse without a password, then COM_QUIT.
func mysqlLogin(user string, old bool) []byte {
	var p []byte
	if old {
		p = binary.LittleEndian.AppendUint16(p, 0x8000) // as clients of 3.23 say
		p = append(p, 0, 0, 1)                          // largest packet: 64 KB
	} else {
		p = binary.LittleEndian.AppendUint32(p, clientProtocol41|clientSecureAuth)
		p = binary.LittleEndian.AppendUint32(p, 1<<24|0x8000)
		p = append(p, 0x21) // utf8_general_ci
		p = append(p, make([]byte, 23)...)
	}
	p = append(p, user...)
	p = append(p, 0, 0) // end of the name; no password
	out := append([]byte{byte(len(p)), byte(len(p) >> 8), byte(len(p) >> 16), 1}, p...)
	return append(out, 1, 0, 0, 0, 1)
}

// mysqlPacket cuts the first packet from data.
func mysqlPacket(data []byte) (body, rest []byte, ok bool) {
	if len(data) < 4 {
		return nil, nil, false
	}
	n := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
	if len(data)-4 < n {
		return nil, nil, false
	}
	return data[4 : 4+n], data[4+n:], true
}

// mysqlError reads an ERR packet.
func mysqlError(body []byte) Verdict {
	v := Verdict{State: Bad, Status: check.L7STS}
	if len(body) >= 3 {
		v.Code = int(binary.LittleEndian.Uint16(body[1:]))
		v.Info = string(body[3:])
	}
	return v
}

var invalid = Verdict{State: Bad, Status: check.L7RSP}

func unfinished(end bool) Verdict {
	if end {
		return invalid
	}
	return Verdict{}
}

// mysqlGreeting reads a Protocol::HandshakeV10.
func mysqlGreeting(data []byte, end bool) Verdict {
	body, _, ok := mysqlPacket(data)
	switch {
	case !ok:
		return unfinished(end)
	case len(body) > 0 && body[0] == 0xff:
		return mysqlError(body)
	case len(body) == 0 || body[0] != 10:
		return invalid
	}
	version, _, terminated := bytes.Cut(body[1:], []byte{0})
	if !terminated {
		return invalid
	}
	return Verdict{State: Good, Info: string(version)}
}

// mysqlAnswer reads what follows the greeting: any packet but an error.
func mysqlAnswer(data []byte, end bool) Verdict {
	_, rest, ok := mysqlPacket(data)
	if !ok {
		return unfinished(end)
	}
	body, _, ok := mysqlPacket(rest)
	switch {
	case !ok:
		return unfinished(end)
	case len(body) > 0 && body[0] == 0xff:
		return mysqlError(body)
	}
	return Verdict{State: Good}
}

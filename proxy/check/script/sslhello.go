package script

import (
	"encoding/binary"

	"herald/proxy/check"
)

// SSLHello is option ssl-hello-chk: a ClientHello of SSL 3.0 is answered by a
// handshake or an alert. Encryption itself is checked by check-ssl.
func SSLHello() *Script {
	before, after := sslHello()
	return &Script{Kind: Protocol, Name: "ssl-hello", Steps: []Step{
		{Action: ActConnect, Connect: &Connect{Default: true}},
		{Action: ActSend, Number: 1, Send: &Send{Data: &Text{parts: []part{{text: before}, {name: unixTime}, {text: after}}}}},
		{Action: ActExpect, Number: 2, Expect: &Expect{Match: Judged, MinRecv: -1, Fail: check.L6RSP, Timeout: check.L6TOUT, Judge: sslAnswer}},
	}}
}

func unixTime(e *env) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(e.Now.Unix())))
}

// sslHello is the ClientHello before and after gmt_unix_time (RFC 6101
// section 5.6.1.2): every cipher suite SSL 3.0 and TLS 1.0 had.
func sslHello() (before, after string) {
	var suites []byte
	for c := 1; c <= 0x3a; c++ {
		if c <= 0x1b || c >= 0x2f {
			suites = append(suites, 0, byte(c))
		}
	}
	rest := []byte("HERALDCHECKS\r\nHERALDCHECKS\r\n") // random, 28 bytes
	rest = append(rest, 0, 0, byte(len(suites)))       // no session
	rest = append(rest, suites...)
	rest = append(rest, 1, 0) // no compression
	body := 2 + 4 + len(rest)
	head := []byte{22, 3, 0, 0, byte(body + 4), 1, 0, 0, byte(body), 3, 0}
	return string(head), string(rest)
}

func sslAnswer(data []byte, end bool) Verdict {
	switch {
	case len(data) < 5 && !end:
		return Verdict{}
	case data[0] == 21 || data[0] == 22: // alert, handshake
		return Verdict{State: Good, Status: check.L6OK}
	}
	return Verdict{State: Bad, Status: check.L6RSP}
}

package script

import (
	"herald/proxy/check"
)

// LDAP is option ldap-check: an anonymous bind of LDAPv3 succeeds (RFC 4511
// sections 4.2 and 4.1.9).
func LDAP() *Script {
	return &Script{Kind: Protocol, Name: "ldap", Steps: []Step{
		{Action: ActConnect, Connect: &Connect{Default: true}},
		// LDAPMessage { 1, BindRequest { version 3, name "", simple "" } }
		{Action: ActSend, Number: 1, Send: &Send{Data: Literal("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00")}},
		{Action: ActExpect, Number: 2, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: ldapAnswer}},
	}}
}

// berHeader reads tag and length; size is that of the two.
func berHeader(b []byte) (tag byte, length, size int, ok bool) {
	if len(b) < 2 {
		return 0, 0, 0, false
	}
	if b[1] < 0x80 {
		return b[0], int(b[1]), 2, true
	}
	n := int(b[1] & 0x7f)
	if n > 4 || len(b) < 2+n {
		return 0, 0, 0, false
	}
	for _, c := range b[2 : 2+n] {
		length = length<<8 | int(c)
	}
	return b[0], length, 2 + n, true
}

// ldapAnswer reads LDAPMessage { messageID, BindResponse { resultCode ... } }.
func ldapAnswer(data []byte, end bool) Verdict {
	foreign := Verdict{State: Bad, Status: check.L7RSP, Info: "Not LDAPv3 protocol"}
	if data[0] != 0x30 {
		return foreign
	}
	if len(data) < 14 && !end {
		return Verdict{}
	}
	_, _, n, ok := berHeader(data)
	if !ok {
		return foreign
	}
	rest := data[n:]
	if len(rest) < 3 || string(rest[:3]) != "\x02\x01\x01" {
		return foreign
	}
	tag, _, n, ok := berHeader(rest[3:])
	if !ok || tag != 0x61 {
		return foreign
	}
	rest = rest[3+n:]
	switch {
	case len(rest) < 3 && !end:
		return Verdict{}
	case len(rest) < 3 || rest[0] != 0x0a || rest[1] != 1:
		return foreign
	case rest[2] != 0:
		return Verdict{State: Bad, Status: check.L7STS, Code: int(rest[2]),
			Info: "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"}
	}
	return Verdict{State: Good, Info: "Success"}
}

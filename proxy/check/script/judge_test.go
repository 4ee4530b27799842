package script

import (
	"encoding/binary"
	"testing"

	"herald/proxy/check"
)

// What a server answers that does not speak the protocol, or says no in it, is
// told as HAProxy tells it, and never read beyond its end.
func TestAnswersThatAreNoneAreJudged(t *testing.T) {
	spop := func(kind byte, values string) string {
		f := append([]byte{kind, 0, 0, 0, 1, 0, 0}, values...)
		return string(append(binary.BigEndian.AppendUint32(nil, uint32(len(f))), f...))
	}
	const version, size = "\x07version\x08\x032.0", "\x0emax-frame-size\x03\xfc\xf0\x06"
	for _, c := range []struct {
		name, data string
		judge      func([]byte, bool) Verdict
		state      State
		status     check.Status
		info       string
	}{
		{"a frame cut off", "\x00\x00\x00\x09x", spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a frame without head", "\x00\x00\x00\x01\x65", spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"another frame", spop(103, version+size), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"no version", spop(101, size), spopAnswer, Bad, check.L7RSP, "version value not found"},
		{"version 1", spop(101, "\x07version\x08\x031.0"+size), spopAnswer, Bad, check.L7RSP, "unsupported version"},
		{"no size", spop(101, version), spopAnswer, Bad, check.L7RSP, "max-frame-size value not found"},
		{"every kind of value", spop(101, version+size+"\x01n\x00\x01t\x11\x014\x06abcd\x016\x070123456789abcdef\x01b\x09\x01x"), spopAnswer, Good, 0, "SPOA server is ok"},
		{"a name without value", spop(101, version+size+"\x01n"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a name cut off", spop(101, version+size+"\x09n"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"an integer cut off", spop(101, version+size+"\x01n\x03\xf0"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"an integer without end", spop(101, version+size+"\x01n\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"no integer", spop(101, version+size+"\x01n\x03"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"an address cut off", spop(101, version+size+"\x014\x06abc"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"an address of IPv6 cut off", spop(101, version+size+"\x016\x07abcd"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a text cut off", spop(101, version+size+"\x01s\x08\x05abc"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a frame in parts", "\x00\x00\x00\x07\x65\x00\x00\x00\x00\x00\x00", spopAnswer, Bad, check.L7RSP, "fragmentation not supported"},
		{"a frame of a stream", "\x00\x00\x00\x07\x65\x00\x00\x00\x01\x01\x00", spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"an agent that leaves", spop(102, "\x0bstatus-code\x03\x02\x07message\x08\x03bad"), spopAnswer, Bad, check.L7RSP, "a timeout occurred"},
		{"an agent that leaves for no reason", spop(102, "\x07message\x08\x03bad"), spopAnswer, Bad, check.L7RSP, "normal"},
		{"an agent that leaves for a reason nobody knows", spop(102, "\x0bstatus-code\x03\x60"), spopAnswer, Bad, check.L7RSP, "an unknown error occurred"},
		{"a reason that is no number", spop(102, "\x0bstatus-code\x11"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a version between blanks", spop(101, "\x07version\x08\x05 2.0 "+size), spopAnswer, Good, 0, "SPOA server is ok"},
		{"version 2.1", spop(101, "\x07version\x08\x032.1"+size), spopAnswer, Bad, check.L7RSP, "unsupported version"},
		{"half a version", spop(101, "\x07version\x08\x022."+size), spopAnswer, Bad, check.L7RSP, "unsupported version"},
		{"version 2", spop(101, "\x07version\x08\x012"+size), spopAnswer, Bad, check.L7RSP, "unsupported version"},
		{"a version in bytes", spop(101, "\x07version\x09\x032.0"+size), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a small size", spop(101, version+"\x0emax-frame-size\x03\xff\x00"), spopAnswer, Bad, check.L7RSP, "max-frame-size too big or too small"},
		{"the least size", spop(101, version+"\x0emax-frame-size\x03\xf0\x01"), spopAnswer, Good, 0, "SPOA server is ok"},
		{"more than was offered", spop(101, version+"\x0emax-frame-size\x03\xfd\xf0\x06"), spopAnswer, Bad, check.L7RSP, "max-frame-size too big or too small"},
		{"a size in text", spop(101, version+"\x0emax-frame-size\x08\x0216"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a number of capabilities", spop(101, version+size+"\x0ccapabilities\x03\x01"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a value without a name", spop(101, "\x00\x08\x01a"+version+size), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a kind nobody has", spop(101, version+size+"\x01s\x0a"), spopAnswer, Bad, check.L7RSP, "invalid frame received"},
		{"a tag alone", "\x30", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"a length cut off", "\x30\x84\x00", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"a length too long", "\x30\x85\x00\x00\x00\x00\x01\x02\x01\x01\x61\x07\x0a\x01\x00", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"another message", "\x30\x0c\x02\x01\x02\x61\x07\x0a\x01\x00\x04\x00\x04\x00", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"another answer", "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"no result", "\x30\x0c\x02\x01\x01\x61\x07", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"another result", "\x30\x0c\x02\x01\x01\x61\x07\x02\x01\x00\x04\x00\x04\x00", ldapAnswer, Bad, check.L7RSP, "Not LDAPv3 protocol"},
		{"a refusal", "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00", ldapAnswer, Bad, check.L7STS, "See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"},
		{"a long length", "\x30\x84\x00\x00\x00\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00", ldapAnswer, Good, 0, "Success"},
		{"half a line", "250-a\r\n250", smtpReply, Bad, check.L7STS, "250-a\r\n250"},
		{"no code", "hello\r\n", smtpReply, Bad, check.L7RSP, "hello"},
		{"a refusal by mail", "550 no\r\n", smtpReply, Bad, check.L7STS, "no"},
	} {
		v := c.judge([]byte(c.data), true)
		if v.State != c.state || v.Status != c.status || v.Info != c.info {
			t.Errorf("%s: %+v, want state %v, %v, %q", c.name, v, c.state, c.status, c.info)
		}
	}
	for name, v := range map[string]Verdict{"SPOP": spopAnswer([]byte("\x00\x00\x00\x09x"), false), "LDAP": ldapAnswer([]byte("\x30\x0c"), false), "SMTP": smtpReply([]byte("250"), false)} {
		if v != (Verdict{}) {
			t.Errorf("%s, when more may come: %+v, want to wait", name, v)
		}
	}
}

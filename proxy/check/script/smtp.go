package script

import (
	"bytes"

	"herald/proxy/check"
)

// SMTP is option smtpchk: the greeting, HELO or EHLO and QUIT are all answered
// by a code that begins with 2 (RFC 5321 section 4.2).
func SMTP(hello, domain string) *Script {
	expect := func(n int) Step {
		return Step{Action: ActExpect, Number: n, Expect: &Expect{Match: Judged, MinRecv: -1, Fail: check.L7STS, Judge: smtpReply}}
	}
	return &Script{Kind: Protocol, Name: "smtp", Steps: []Step{
		{Action: ActConnect, Number: 1, Connect: &Connect{Default: true, Linger: true}},
		{Action: ActExpect, Number: 2, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: smtpGreeting}},
		{Action: ActSend, Number: 4, Send: &Send{Data: Literal(hello + " " + domain + "\r\n")}},
		expect(5),
		{Action: ActSend, Number: 6, Send: &Send{Data: Literal("QUIT\r\n")}},
		expect(7),
	}}
}

// smtpCode reads the code a line begins with.
func smtpCode(line []byte) (int, bool) {
	if len(line) < 3 || !digit(line[0]) || !digit(line[1]) || !digit(line[2]) {
		return 0, false
	}
	return int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0'), true
}

func smtpText(line []byte) string { return string(bytes.TrimLeft(line[min(len(line), 4):], " ")) }

// smtpGreeting wants one line, "220 ...", as HAProxy does.
func smtpGreeting(data []byte, end bool) Verdict {
	line, _, whole := cutLine(data)
	if !whole {
		if !end {
			return Verdict{}
		}
		line = data
	}
	code, ok := smtpCode(line)
	switch {
	case !ok || len(line) > 3 && line[3] != ' ':
		return Verdict{State: Bad, Status: check.L7RSP, Info: string(line)}
	case code/100 != 2:
		return Verdict{State: Bad, Status: check.L7STS, Code: code, Info: smtpText(line)}
	}
	return Verdict{State: Good, Code: code, Info: smtpText(line)}
}

// smtpReply reads a reply of one or more lines. One with another code is told
// at once.
func smtpReply(data []byte, end bool) Verdict {
	for rest := data; ; {
		line, after, whole := cutLine(rest)
		if !whole {
			if end {
				return Verdict{State: Bad, Status: check.L7STS, Info: string(data)}
			}
			return Verdict{}
		}
		code, ok := smtpCode(line)
		switch {
		case !ok:
			return Verdict{State: Bad, Status: check.L7RSP, Info: string(line)}
		case len(line) > 3 && line[3] == '-':
			rest = after
			continue
		case code/100 != 2:
			return Verdict{State: Bad, Status: check.L7STS, Code: code, Info: smtpText(line)}
		}
		return Verdict{State: Good, Code: code, Info: smtpText(line)}
	}
}

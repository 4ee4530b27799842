package script

import (
	"bytes"

	"herald/proxy/check"
)

// Redis is option redis-check: PING is answered by +PONG.
func Redis() *Script {
	return &Script{Kind: Protocol, Name: "redis", Steps: []Step{
		{Action: ActConnect, Connect: &Connect{Default: true}},
		{Action: ActSend, Number: 1, Send: &Send{Data: Literal("*1\r\n$4\r\nPING\r\n")}},
		{Action: ActExpect, Number: 2, Expect: &Expect{Match: Judged, MinRecv: -1, Fail: check.L7STS, Judge: redisAnswer}},
	}}
}

// redisAnswer reads one line. Another answer than +PONG, "-NOAUTH" say, is
// told at once.
func redisAnswer(data []byte, end bool) Verdict {
	line, _, whole := cutLine(data)
	switch {
	case whole && bytes.Equal(line, []byte("+PONG")):
		return Verdict{State: Good, Info: "Redis server is ok"}
	case whole:
		return Verdict{State: Bad, Status: check.L7STS, Info: string(line)}
	case end:
		return Verdict{State: Bad, Status: check.L7STS, Info: string(data)}
	}
	return Verdict{}
}

package script

import (
	"bytes"

	"herald/proxy/check"
)

// Agent asks an agent for its line: the answer is the Info of a passed check.
// Send is what the agent is told first; empty says nothing, and is counted as a
// step all the same.
func Agent(send string) *Script {
	s := &Script{Kind: Protocol, Name: "agent", Steps: []Step{{Action: ActConnect, Connect: &Connect{}}}}
	if send != "" {
		s.Steps = append(s.Steps, Step{Action: ActSend, Number: 1, Send: &Send{Data: Literal(send)}})
	}
	s.Steps = append(s.Steps, Step{Action: ActExpect, Number: 2, Expect: &Expect{Match: Judged, MinRecv: -1, Judge: agentLine}})
	return s
}

// agentLine waits for the first line end. A line without one may be cut off: it
// changes nothing.
func agentLine(data []byte, end bool) Verdict {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i >= 0:
		return Verdict{State: Good, Info: string(data[:i])}
	case end:
		return Verdict{State: Bad, Status: check.UNK, Info: "Ignoring incomplete line from agent"}
	}
	return Verdict{}
}

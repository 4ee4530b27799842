package script

import "bytes"

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

// agentLine waits for the first line end: a line without one may be cut off.
func agentLine(data []byte, _ bool) Verdict {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return Verdict{}
	}
	return Verdict{State: Good, Info: string(data[:i])}
}

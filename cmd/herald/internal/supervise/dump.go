package supervise

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"herald/cmd/herald/internal/ipc"
)

// Dump asks the VRRP role for a file as keepalived writes it on a signal:
// "data", "stats", "stats_clear" (stats, then cleared) or "json".
func (s *Supervisor) Dump(ctx context.Context, what string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	answer := make(chan json.RawMessage, 1)
	if !s.call(func() { s.askDump(what, answer) }) {
		return nil, errors.New("herald has ended")
	}
	select {
	case raw := <-answer:
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, fmt.Errorf("dump %s: %w", what, err)
		}
		return []byte(text), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("dump %s: the VRRP role does not answer: %w", what, ctx.Err())
	}
}

func (s *Supervisor) askDump(what string, answer chan json.RawMessage) {
	for _, r := range s.roles {
		if r.name == ipc.VRRP && r.serving {
			s.lastAsk++
			s.dumps[s.lastAsk] = answer
			r.process.Peer().AskDump(s.lastAsk, what)
			return
		}
	}
}

// dumped takes the answer to askDump and reports whether it was one.
func (s *Supervisor) dumped(m ipc.StatusReply) bool {
	answer := s.dumps[m.Seq]
	if answer == nil {
		return false
	}
	delete(s.dumps, m.Seq)
	answer <- m.Raw
	return true
}

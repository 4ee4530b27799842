package ipc

import (
	"context"
	"encoding/json"
	"fmt"
)

// Program says which processes a VRRP role has counted.
type Program struct {
	Name string `json:"name"` // of the vrrp_track_process
	// Path is the name the kernel keeps of a process, or with Full the first
	// word of its command line.
	Path   string   `json:"path"`
	Full   bool     `json:"full,omitempty"`
	Params []string `json:"params,omitempty"` // the other words
	// Match is how Params are compared: "" is not at all, "exact", "partial"
	// or "initial" (keepalived.conf(5), param_match).
	Match string `json:"match,omitempty"`
}

// Counts are how many processes of each Program run, by its name: a command
// to a VRRP role.
type Counts map[string]int

// CountRequest declares processes to be counted; it is answered by
// Peer.Counted.
type CountRequest struct {
	Programs []Program
	seq      uint64
}

func (Counts) command()       {}
func (*CountRequest) report() {}

// Count declares the processes to be counted, once and before Ready, and
// returns how many run. Counts commands tell of every change.
func (r *Role) Count(ctx context.Context, programs []Program) (Counts, error) {
	m, err := r.ask(ctx, kindCount, programs)
	if err != nil {
		return nil, err
	}
	var now Counts
	if err := json.Unmarshal(m.Body, &now); err != nil {
		return nil, fmt.Errorf("count processes: %w", err)
	}
	return now, nil
}

// Counted answers a CountRequest.
func (p *Peer) Counted(r *CountRequest, now Counts) {
	p.conn.post(message{Kind: kindReply, Seq: r.seq, Body: body(now)})
}

// Counts tells a VRRP role how many of its processes run now.
func (p *Peer) Counts(now Counts) { p.conn.post(message{Kind: kindCounts, Body: body(now)}) }

package ipc

import "encoding/json"

// Tally is what a proxy role has counted so far, in its own words, with what
// it took over: it replaces what the role told before.
type Tally struct {
	// Draining is true from the answer to Drain on.
	Draining bool
	Counted  []byte
}

// OtherTally is the Tally of another generation of the proxy: a command to
// the one that serves.
type OtherTally struct {
	Generation int    `json:"generation"`
	Counted    []byte `json:"counted"`
	// Ended is true for a generation that has ended: the one that begins takes
	// its counts over, and tells them as its own. It is used in Go alone.
	Ended bool `json:"ended,omitempty"`
}

func (Tally) report()       {}
func (OtherTally) command() {}

// Tally reports what the role has counted; the bytes must not change any more.
func (r *Role) Tally(t Tally) {
	r.conn.post(message{Kind: kindTally, Body: body(t.Draining), blob: t.Counted})
}

// Tally tells a proxy role what another has counted.
func (p *Peer) Tally(t OtherTally) {
	p.conn.post(message{Kind: kindTally, Seq: uint64(t.Generation), blob: t.Counted})
}

func tally(m message) (Report, error) {
	t := Tally{Counted: m.blob}
	return t, json.Unmarshal(m.Body, &t.Draining)
}

package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Outward asks for sockets that connections to servers begin from, in a network
// namespace a proxy role may not enter itself.
type Outward struct {
	NetNamespace string `json:"net_namespace"`
	IPv6         bool   `json:"ipv6,omitempty"`
	Count        int    `json:"count"` // at most MostOutward
}

// MostOutward is the largest Count of an Outward.
const MostOutward = 256

// OutwardRequest is an Outward; it is answered by Peer.Give.
type OutwardRequest struct {
	Outward Outward
	seq     uint64
}

func (*OutwardRequest) report() {}

// Outward returns Count sockets: unconnected TCP sockets, non-blocking,
// close-on-exec, and the caller's. A namespace that was not asked for before
// Ready is refused after it.
func (r *Role) Outward(ctx context.Context, o Outward) ([]int, error) {
	m, err := r.ask(ctx, kindOutward, o)
	if err != nil {
		return nil, err
	}
	var failure string
	if err := json.Unmarshal(m.Body, &failure); err != nil {
		closeAll(m.fds)
		return nil, fmt.Errorf("sockets of namespace %s: %w", o.NetNamespace, err)
	}
	if failure != "" {
		closeAll(m.fds)
		return nil, errors.New(failure)
	}
	return m.fds, nil
}

// Give answers an OutwardRequest with sockets, which it takes over, or with why
// there are none.
func (p *Peer) Give(r *OutwardRequest, fds []int, failure error) {
	text := ""
	if failure != nil {
		text = failure.Error()
	}
	p.conn.post(message{Kind: kindReply, Seq: r.seq, Body: body(text), fds: fds, owned: true})
}

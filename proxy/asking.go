package proxy

import (
	"context"
	"slices"
	"time"

	"herald/proxy/dns"
	"herald/proxy/dns/exchange"
)

// run asks for the name until nobody wants it or the Server closes. It
// belongs to the Server's group.
func (x *resolution) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	replies := make(chan answered)
	end := func() {} // of the round under way
	defer func() { end() }()
	for {
		var h *answered
		select {
		case <-x.of.s.ctx.Done():
			return
		case <-x.gone:
			return
		case <-timer.C:
		case r := <-replies:
			h = &r
		}
		x.of.mu.Lock()
		now, e := time.Now(), dns.Event{}
		if h != nil {
			e = dns.Event{Reply: &h.reply, Round: h.round}
		}
		do := x.step(now, e, h)
		next, number := x.state.Next, x.state.Round
		question := dns.Question{Name: x.key.name, Type: x.state.Type}
		x.of.mu.Unlock()
		if do.Ask || do.Settled { // nobody listens to the round before
			end()
		}
		if do.Ask {
			end = x.ask(next, question, number, replies)
		}
		timer.Reset(time.Until(next))
	}
}

// step takes one step and does what follows for the servers. The mutex is
// held.
func (x *resolution) step(now time.Time, e dns.Event, h *answered) dns.Do {
	was := x.state.Records
	state, do := dns.Step(x.config, x.state, now, e)
	x.state = state
	if h != nil && h.reply.Verdict == dns.Valid && do.Settled {
		x.from = x.of.cfg.Name + "/" + h.from.cfg.Name
		if !slices.EqualFunc(was, state.Records, func(a, b dns.Record) bool {
			return a.Addr == b.Addr && a.Target == b.Target && a.Port == b.Port && a.Weight == b.Weight
		}) {
			h.from.count[nsUpdate].Add(1)
		}
	}
	if do.Settled {
		x.settle(now)
	}
	return do
}

// ask sends the question to every nameserver, each with a number of its own,
// and waits for answers until a moment, or until end is called.
func (x *resolution) ask(until time.Time, q dns.Question, number int, replies chan<- answered) (end context.CancelFunc) {
	round, end := context.WithDeadline(x.of.s.ctx, until)
	for i := range x.of.servers {
		ns := &x.of.servers[i]
		q.ID = chance()
		x.of.s.wg.Go(func() {
			h := answered{x.of.exchange(round, ns, q), number, ns}
			select {
			case replies <- h:
			case <-round.Done():
			}
		})
	}
	return end
}

// exchange asks one nameserver and counts how it went. What does not fit into
// a datagram is fetched over TCP.
func (r *resolvers) exchange(ctx context.Context, ns *nameserver, q dns.Question) dns.Reply {
	packet, err := q.Pack(r.cfg.Payload)
	if err != nil { // a name no packet can hold
		ns.count[nsSendError].Add(1)
		return dns.Reply{Verdict: dns.Silent}
	}
	network := ns.cfg.Network
	for {
		var reply dns.Reply
		ns.count[nsSent].Add(1)
		_, err = exchange.Ask(ctx, network, ns.cfg.Address, packet, func(raw []byte) bool {
			reply = q.Read(raw)
			if network == "udp" && len(raw) > max(r.cfg.Payload, 512) {
				ns.count[nsTooBig].Add(1)
				return false
			}
			if reply.Verdict == dns.Foreign {
				ns.count[nsInvalid].Add(1)
			}
			return reply.Verdict != dns.Foreign
		})
		switch {
		case err != nil && ctx.Err() == context.Canceled: // another one was faster
			ns.count[nsOutdated].Add(1)
			return dns.Reply{Verdict: dns.Silent}
		case err != nil && ctx.Err() != nil:
			ns.count[nsTimeout].Add(1)
			return dns.Reply{Verdict: dns.Silent}
		case err != nil:
			ns.count[nsSendError].Add(1)
			return dns.Reply{Verdict: dns.Silent}
		}
		ns.tally(reply)
		if reply.Verdict != dns.Truncated || network != "udp" {
			return reply
		}
		network = "tcp"
	}
}

// tally counts a reply.
func (ns *nameserver) tally(r dns.Reply) {
	if r.Alias {
		ns.count[nsAlias].Add(1)
	}
	at := nsOther
	switch r.Verdict {
	case dns.Valid:
		at = nsValid
	case dns.NX:
		at = nsNX
	case dns.Refused:
		at = nsRefused
	case dns.Empty:
		at = nsAnyError
	case dns.Truncated:
		at = nsTruncated
	case dns.BadAlias:
		at = nsBadAlias
	case dns.Unreadable:
		at = nsInvalid
	}
	ns.count[at].Add(1)
}

// Package dns asks for the addresses of servers and says what follows from
// the answers: when to ask again, how long an old answer holds, which server
// of a backend gets which address.
//
// It opens no socket and reads no clock. The proxy sends what Question.Pack
// makes to the nameservers of a section, gives their Replies and the time to
// Step, and places its servers with Place, or with Fill for SRV records.
//
//	state := dns.Start(config, now)
//	state, do := dns.Step(config, state, now, dns.Event{})
//	if do.Ask {
//		question := dns.Question{ID: id, Name: "app.example", Type: state.Type}
//		packet, err := question.Pack(512)
//		// send it; then, with what came back from the asked nameserver:
//		reply := question.Read(raw)
//		state, do = dns.Step(config, state, now, dns.Event{Reply: &reply, Round: state.Round})
//	}
//	if do.Settled {
//		addrs := dns.Place(seats, state.Records)
//	}
package dns

import (
	"net/netip"
	"strings"

	wire "github.com/miekg/dns"
)

// Type is what is asked for (RFC 1035 section 3.2.2).
type Type uint16

// Types of records that place servers.
const (
	A    Type = 1
	AAAA Type = 28
	SRV  Type = 33
)

// Question is one query. Whoever asks chooses the ID by chance (RFC 5452
// section 4.5).
type Question struct {
	ID   uint16
	Name string // with or without the dot at its end
	Type Type
}

// Pack makes the packet of a question that accepts answers of payload bytes
// (RFC 6891 section 6.2.3); 512 and more.
func (q Question) Pack(payload int) ([]byte, error) {
	var m wire.Msg
	m.SetQuestion(wire.Fqdn(q.Name), uint16(q.Type))
	m.Id = q.ID
	m.SetEdns0(uint16(min(max(payload, 512), 65535)), false)
	return m.Pack()
}

// Verdict is what a reply is worth.
type Verdict int

// Verdicts. Foreign answers another question, or nobody's: it counts for
// nothing, whoever waits goes on waiting.
const (
	Valid Verdict = iota
	Foreign
	NX         // there is no such name
	Refused    // by the nameserver
	Empty      // the name has no records of the type
	Failed     // any other error of the nameserver
	Truncated  // the rest is to be had over TCP
	BadAlias   // aliases that lead to no address
	Unreadable // not a message
	Silent     // no answer at all; never of Read
)

// Reply is what one nameserver says to a question.
type Reply struct {
	Verdict Verdict
	Alias   bool // an alias (CNAME) stood before the records
	Records []Record
}

// maxAliases bounds a chain of aliases.
const maxAliases = 16

// Read judges what came back. Names are compared without case, as nameservers
// may change it. Any bytes may be given.
func (q Question) Read(raw []byte) Reply {
	var m wire.Msg
	if len(raw) < 12 || uint16(raw[0])<<8|uint16(raw[1]) != q.ID {
		return Reply{Verdict: Foreign}
	}
	if err := m.Unpack(raw); err != nil && (!m.Truncated || len(m.Question) != 1) {
		return Reply{Verdict: Unreadable}
	}
	if !m.Response || len(m.Question) != 1 || m.Question[0].Qtype != uint16(q.Type) || m.Question[0].Qclass != wire.ClassINET ||
		!sameName(m.Question[0].Name, q.Name) {
		return Reply{Verdict: Foreign}
	}
	switch {
	case m.Truncated:
		return Reply{Verdict: Truncated}
	case m.Rcode == wire.RcodeNameError:
		return Reply{Verdict: NX}
	case m.Rcode == wire.RcodeRefused:
		return Reply{Verdict: Refused}
	case m.Rcode != wire.RcodeSuccess:
		return Reply{Verdict: Failed}
	}
	return q.collect(m.Answer)
}

// collect follows the aliases from the name asked for and takes the records
// at their end: no record of another name counts.
func (q Question) collect(answer []wire.RR) Reply {
	name := q.Name
	r := Reply{}
	for range maxAliases {
		next := ""
		for _, rr := range answer {
			if c, ok := rr.(*wire.CNAME); ok && sameName(c.Hdr.Name, name) {
				next = c.Target
			}
		}
		if next == "" {
			break
		}
		name, r.Alias = next, true
	}
	for _, rr := range answer {
		h := rr.Header()
		if Type(h.Rrtype) != q.Type || h.Class != wire.ClassINET || !sameName(h.Name, name) {
			continue
		}
		if rec, ok := record(rr); ok {
			r.Records = append(r.Records, rec)
		}
	}
	switch {
	case len(r.Records) > 0:
	case r.Alias:
		r.Verdict = BadAlias
	default:
		r.Verdict = Empty
	}
	return r
}

func record(rr wire.RR) (Record, bool) {
	switch rr := rr.(type) {
	case *wire.A:
		a, ok := netip.AddrFromSlice(rr.A)
		return Record{Addr: a.Unmap()}, ok
	case *wire.AAAA:
		a, ok := netip.AddrFromSlice(rr.AAAA)
		return Record{Addr: a.Unmap()}, ok
	case *wire.SRV:
		target := strings.ToLower(strings.TrimSuffix(rr.Target, "."))
		return Record{Target: target, Port: rr.Port, Weight: rr.Weight}, target != "" // "." is no service (RFC 2782)
	}
	return Record{}, false
}

func sameName(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

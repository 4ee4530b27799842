package vrrp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

// place is what makes two instances share a socket.
type place struct {
	device string
	group  netip.Addr
	ah     bool
}

// port is the VRRP socket of one place, shared by its instances.
type port struct {
	place
	join      bool    // an instance is multicast
	buffer    int     // the largest an instance asks for; 0 is the usual size
	parent    string  // of a virtual MAC interface; "" when device is none
	from      [6]byte // only packets from there; zero is all
	index     int
	up        bool
	link      Link
	ready     atomic.Bool // packets may wait
	reopen    time.Time   // when to try again to open; zero means not
	pass      uint64      // of the timers it was read for last
	instances []*instance
	byVRID    [256]*instance // the same
}

// reopenAfter is how long a socket that could not be opened is left alone.
// maxErrors ends a drain: a socket that only fails is opened anew.
const (
	reopenAfter = time.Second
	maxErrors   = 16
)

func (s *Server) open(p *port, i vip.Interface) error {
	p.reopen = time.Time{}
	link, err := s.ports.Open(Place{Device: p.device, Index: i.Index, Group: p.group, Join: p.join, AH: p.ah, Under: s.snap[p.parent].Index, From: p.from, Buffer: p.buffer}, func() {
		p.ready.Store(true)
		s.alarm.Ring()
	})
	if err != nil {
		p.reopen = time.Now().Add(reopenAfter)
		return err
	}
	p.link, p.index, p.up = link, i.Index, i.Up
	p.ready.Store(true)
	return nil
}

func (s *Server) closePort(p *port) {
	if p.link != nil {
		p.link.Close()
		p.link = nil
	}
}

func (s *Server) closeLinks() {
	for _, p := range s.links {
		s.closePort(p)
	}
}

// followLinks opens, closes and reopens sockets after interfaces changed. A
// socket is opened anew when its interface comes back: some switches forget
// the membership, and the new join tells them (IGMP).
func (s *Server) followLinks() {
	for _, p := range s.links {
		i, exists := s.snap[p.device]
		if !exists {
			s.closePort(p)
			p.reopen = time.Time{}
			continue
		}
		if p.link != nil && p.index == i.Index && (p.up || !i.Up) {
			p.up = i.Up
			continue
		}
		s.closePort(p)
		if err := s.open(p, i); err != nil {
			// A machine without the second family is tried again in silence.
			if p.instances[0].first == nil || p.instances[0].limit.allow(limitSecondSend) {
				s.log.Warn(err.Error())
			}
			continue
		}
		for _, in := range p.instances {
			if in.state.Kind == fsm.Master { // dont_track_primary
				s.announce(in, fsm.Announce)
			}
		}
	}
}

// heard is one accepted advertisement, kept until the socket is empty.
type heard struct {
	in *instance
	fsm.Advert
}

// drain reads everything that waits on an interface and steps its instances.
// Of several advertisements one router sent to an instance only the newest
// counts, and the newest resignation: after a stall the others tell the past.
func (s *Server) drain(p *port) {
	if p.link == nil {
		return
	}
	news := s.news[:0]
	failures := 0
	for {
		packet, more, err := p.link.Receive()
		if err != nil {
			if failures++; failures > maxErrors || !more {
				s.log.Warn(fmt.Sprintf("interface %s: %v", p.device, err))
				s.closePort(p)
				p.reopen = time.Now().Add(reopenAfter)
				s.stirred = true
				break
			}
			continue
		}
		if !more {
			break
		}
		if h, ok := s.judge(p, packet); ok {
			news = newest(news, h)
		}
	}
	s.news = nil // a step may drain again
	now := time.Now()
	for _, h := range news {
		if h.in.first != nil {
			s.hearSecond(h)
			continue
		}
		h.in.peers.heard(h.Peer, h.Priority, now)
		s.equal(h, now)
		s.hear(h)
	}
	s.news = news
}

func newest(news []heard, h heard) []heard {
	for i, old := range news {
		if old.in == h.in && old.Peer == h.Peer && (old.Priority == 0) == (h.Priority == 0) {
			news = append(news[:i], news[i+1:]...)
			break
		}
	}
	return append(news, h)
}

// judge decodes and checks one packet and counts what is wrong with it.
func (s *Server) judge(p *port, packet wire.Packet) (heard, bool) {
	if len(packet.Payload) > 1 {
		if in := p.instance(packet.Payload[1]); in != nil && in.before.again(in, packet) {
			in.counters.AdvertiseRcvd++
			return in.before.heard, true
		}
	}
	adv, reason := wire.Decode(packet)
	in := p.instance(adv.VRID)
	if reason == wire.Accepted && in == nil {
		reason = wire.UnknownVRID
	}
	var remark wire.Remark
	if reason == wire.Accepted {
		reason, remark = in.expect.Check(adv, packet)
	}
	if reason == wire.Accepted {
		reason = in.believe(adv, packet)
	}
	if reason != wire.Accepted {
		if in == nil {
			in = p.instances[0]
		}
		s.refuse(in, reason, packet.Source)
		return heard{}, false
	}
	in.sequence = max(in.sequence, adv.Sequence)
	in.counters.AdvertiseRcvd++
	h := heard{in, fsm.Advert{Peer: packet.Source, Priority: adv.Priority}}
	if adv.Version == 3 {
		h.Interval = adv.Interval // RFC 9568 section 6.4.2: the master's counts
	}
	switch {
	case adv.Priority == 0:
		in.counters.PriorityZeroPktsRcvd++
	case remark == 0:
		in.before.keep(in, packet, h)
	}
	s.remark(in, remark, adv, packet.Source)
	return h, true
}

func (p *port) instance(vrid uint8) *instance { return p.byVRID[vrid] }

// seat adds an instance; of two with one number, which the configuration does
// not allow, the first counts.
func (p *port) seat(in *instance) {
	p.instances = append(p.instances, in)
	if p.byVRID[in.cfg.VRID] == nil {
		p.byVRID[in.cfg.VRID] = in
	}
}

func (s *Server) hear(h heard) {
	in := h.in
	peer, priority := in.state.Peer, in.state.PeerPriority
	s.step(in, h.Advert)
	if in.state.Peer != peer || in.state.PeerPriority != priority {
		s.changed = true
	}
}

// send sends one advertisement with the given priority. A refusal (no buffer,
// a firewall being reloaded) is counted and tried again shortly; it is never
// a fault, for the next interval may do better.
func (s *Server) send(in *instance, priority uint8) {
	in.resend = resend{}
	if err := s.sendNow(in, priority); err != nil {
		in.sendFailures++
		if in.limit.allow(limitSend) {
			s.log.Warn(in.prefix("advertisement not sent (%d so far): %v", in.sendFailures, err))
		}
		in.resend = resend{at: time.Now().Add(min(in.cfg.AdvertInt/10, 100*time.Millisecond)), priority: priority}
	}
}

func (s *Server) sendNow(in *instance, priority uint8) error {
	if in.port.link == nil {
		return errors.New("no socket")
	}
	packets, err := in.sayable(priority)
	if err != nil {
		return err
	}
	sent := 0
	for _, p := range packets {
		// One peer that is out of reach does not keep it from the others.
		if failed := in.port.link.Send(p); failed != nil {
			err = errors.Join(err, failed)
		} else {
			sent++
		}
	}
	if sent == 0 && len(packets) > 0 {
		return err
	}
	if err != nil && in.limit.allow(limitSend) {
		s.log.Warn(in.prefix("%v", err))
	}
	in.counters.AdvertiseSent++
	if priority == 0 {
		in.counters.PriorityZeroPktsSent++
	}
	return nil
}

// refuse counts a packet that is not for the state machine.
func (s *Server) refuse(in *instance, r wire.Reason, source netip.Addr) {
	if in.first != nil {
		in = in.first
	}
	in.count(r)
	in.counters.LastRejected = fmt.Sprintf("%v from %v", r, source)
	in.refused[r]++
	if in.limit.allow(limitRefuse + limitKey(r)) {
		s.log.Warn(in.prefix("refused a packet from %v: %v (%d so far)", source, r, in.refused[r]))
	}
}

// remark counts and tells what an accepted advertisement disagrees with.
func (s *Server) remark(in *instance, r wire.Remark, adv wire.Advert, source netip.Addr) {
	if r&wire.OtherInterval != 0 {
		in.counters.AdvertiseIntervalErrors++
		if in.limit.allow(limitInterval) {
			s.log.Warn(in.prefix("%v advertises every %v, we every %v: make them equal", source, adv.Interval, in.cfg.AdvertInt))
		}
	}
	if r&wire.OtherAddresses != 0 {
		in.counters.AddressListErrors++
		if in.limit.allow(limitAddresses) {
			s.log.Warn(in.prefix("%v advertises the addresses %v, we %v: make them equal", source, adv.Addresses, in.expect.Addresses))
		}
	}
}

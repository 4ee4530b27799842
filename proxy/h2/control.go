package h2

// This file answers the frames that carry no part of a message.

func (c *Conn) settings(h header, p []byte) Event {
	switch {
	case h.id != 0:
		return c.fail(ProtocolError)
	case h.has(flagAck) && len(p) > 0 || len(p)%6 != 0:
		return c.fail(FrameSizeError)
	case h.has(flagAck):
		return c.cheap(costCheap)
	}
	c.stats.Settings++
	grew := false
	for ; len(p) > 0; p = p[6:] {
		more, code := c.setting(uint16(p[0])<<8|uint16(p[1]), be32(p[2:]))
		if code != NoError {
			return c.fail(code)
		}
		grew = grew || more
	}
	c.tail = tail{}
	c.out = appendHeader(c.out, 0, frameSettings, flagAck, 0)
	if !c.settled {
		c.settled = true
		// Not before: simple peers expect the acknowledgement behind our settings.
		c.widen(int64(c.cfg.ConnWindow) - firstWindow)
		return Event{Kind: PeerReady}
	}
	if ev := c.cheap(costSettings); ev.Kind == Broken || !grew {
		return ev
	}
	return Event{Kind: WindowsGrew}
}

// setting takes one setting of the peer's; grew says that more can be sent.
func (c *Conn) setting(id uint16, v uint32) (grew bool, code Code) {
	switch id {
	case settingTableSize:
		c.sayTable = c.sayTable || v < firstTable
	case settingPush:
		if v > 1 || v == 1 && c.cfg.Role == Client {
			return false, ProtocolError
		}
	case settingMaxStreams:
		c.peerStreams = v
		return true, NoError
	case settingWindow:
		if v > maxWindow {
			return false, FlowControlError
		}
		delta := int64(v) - c.firstRoom
		c.firstRoom = int64(v)
		for _, s := range c.streams {
			if s.room += delta; s.room > maxWindow {
				return false, FlowControlError
			}
		}
		return delta > 0, NoError
	case settingFrameSize:
		if v < minFrameSize || v > maxFrameSize {
			return false, ProtocolError
		}
		c.frameSize = int(v)
	case settingConnect:
		if v > 1 || v == 0 && c.connectOK {
			return false, ProtocolError
		}
		c.connectOK = v == 1
	}
	return false, NoError
}

func (c *Conn) ping(h header, p []byte) Event {
	switch {
	case h.id != 0:
		return c.fail(ProtocolError)
	case len(p) != 8:
		return c.fail(FrameSizeError)
	case h.has(flagAck):
		if c.draining && !c.leaving && string(p) == pingOfDrain {
			return Event{Kind: DrainHeard}
		}
		return c.cheap(costCheap)
	}
	ev := c.cheap(costCheap)
	if ev.Kind != Broken {
		c.tail = tail{}
		c.out = append(appendHeader(c.out, 8, framePing, flagAck, 0), p...)
	}
	return ev
}

func (c *Conn) goaway(h header, p []byte) Event {
	switch {
	case h.id != 0:
		return c.fail(ProtocolError)
	case len(p) < 8:
		return c.fail(FrameSizeError)
	}
	c.stats.Goaways++
	c.peerLeft = true
	if ev := c.cheap(costCheap); ev.Kind == Broken {
		return ev
	}
	return Event{Kind: PeerLeaves, Last: be32(p) & maxWindow, Code: Code(be32(p[4:]))}
}

func (c *Conn) priority(h header, p []byte) Event {
	switch {
	case h.id == 0:
		return c.fail(ProtocolError)
	case len(p) != 5:
		return c.refuse(h.id, FrameSizeError)
	case be32(p)&maxWindow == h.id:
		return c.refuse(h.id, ProtocolError)
	}
	return c.cheap(costCheap)
}

func (c *Conn) resetByPeer(h header, p []byte) Event {
	switch {
	case len(p) != 4:
		return c.fail(FrameSizeError)
	case c.idle(h.id):
		return c.fail(ProtocolError)
	}
	c.stats.Resets++
	s := c.streams[h.id]
	if s == nil {
		c.heard(h.id)
		return c.cheap(costCheap)
	}
	if c.cfg.Role == Server && !s.lingers {
		c.credit -= costReset
	}
	c.forget(s, false)
	ev := c.lost(s, Code(be32(p)))
	if c.credit < 0 {
		return c.fail(EnhanceYourCalm)
	}
	return ev
}

func (c *Conn) windowUpdate(h header, p []byte) Event {
	if len(p) != 4 {
		return c.fail(FrameSizeError)
	}
	n := int64(be32(p) & maxWindow)
	if h.id == 0 {
		if n == 0 {
			return c.fail(ProtocolError)
		}
		if c.room += n; c.room > maxWindow {
			return c.fail(FlowControlError)
		}
		if ev := c.cheap(costCheap); ev.Kind == Broken {
			return ev
		}
		return Event{Kind: RoomGrew}
	}
	if c.idle(h.id) {
		return c.fail(ProtocolError)
	}
	s := c.streams[h.id]
	if s == nil {
		return c.cheap(costCheap)
	}
	if n == 0 {
		return c.refuse(h.id, ProtocolError)
	}
	if s.room += n; s.room > maxWindow {
		return c.refuse(h.id, FlowControlError)
	}
	if ev := c.cheap(costCheap); ev.Kind == Broken || s.lingers {
		return ev
	}
	return Event{Kind: RoomGrew, Stream: s}
}

package proxy

// Connections to servers that are kept for one client alone: the latest in
// front, each to be used by the client's next request for its server.

// mostOwn is how many there are without max-session-srv-conns.
const mostOwn = 5

// keepOwn keeps u for c, unless it has as many as it may.
func (c *client) keepOwn(u *upstream) bool {
	most := mostOwn
	if n := c.port.fe.cfg.SessionServerConns; n > 0 {
		most = n - 1
	}
	for o := c.own; o != nil; o = o.older {
		most--
	}
	if most <= 0 {
		return false
	}
	u.owner, u.older, c.own = c, c.own, u
	return true
}

// disown takes u out of c's.
func (c *client) disown(u *upstream) {
	at := &c.own
	for *at != u {
		at = &(*at).older
	}
	*at = u.older
	u.owner, u.older = nil, nil
}

// dropOwn closes all that are c's.
func (c *client) dropOwn() {
	for c.own != nil {
		u := c.own
		c.disown(u)
		u.drop()
	}
}

// ownTo is the client's own connection to t that may carry the request, or nil.
func (x *stream) ownTo(t *target) *upstream {
	for u := x.c.own; u != nil; u = u.older {
		if u.t == t && x.suits(u) {
			return u
		}
	}
	return nil
}

// ownPrivate is the latest that its server has authenticated, or nil.
func (c *client) ownPrivate() *upstream {
	u := c.own
	for u != nil && !u.private {
		u = u.older
	}
	return u
}

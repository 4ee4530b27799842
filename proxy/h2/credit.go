package h2

// What frames cost that make us work and bring no request on. A peer has
// Config.Credit of it at once and gets a little back every second, with every
// response and with every large piece of a body, so that nobody who uses the
// connection ever runs out (CVE-2019-9511 to 9518, 2023-44487, 2024-27919,
// 2025-8671).
const (
	costCheap    = 1  // PING, PRIORITY, WINDOW_UPDATE, an empty DATA, an unknown frame, a stream refused
	costSettings = 5  // they may touch every stream
	costFragment = 5  // a CONTINUATION
	costReset    = 5  // a stream thrown away: its request was begun for nothing
	earnResponse = 5  // a stream that ended in order
	earnData     = 2  // a DATA frame of a good size sent
	earnSecond   = 50 // and every second
	goodSize     = 256
)

// refill gives back what time brings.
func (c *Conn) refill(now int64) {
	if c.now == 0 || now < c.now {
		c.now = now
		return
	}
	if n := (now - c.now) / (1e9 / earnSecond); n > 0 {
		c.now += n * (1e9 / earnSecond)
		c.earn(n)
	}
}

func (c *Conn) earn(n int64) { c.credit = min(c.credit+n, int64(c.cfg.Credit)) }

// cheap is what a frame is answered with that needs nothing more.
func (c *Conn) cheap(cost int64) Event {
	if c.credit -= cost; c.credit < 0 {
		return c.fail(EnhanceYourCalm)
	}
	return Event{Kind: Nothing}
}

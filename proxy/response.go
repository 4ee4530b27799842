package proxy

import (
	"time"

	"herald/proxy/check"
	"herald/proxy/h1"
	"herald/proxy/loop"
	"herald/proxy/settings"
)

// readResponse receives response heads until the final one is on its way to
// the client, or nothing more has come.
func (x *stream) readResponse() answer {
	w, u := x.w, x.u
	for {
		buf, shared, a := x.responseBytes()
		if a != next {
			return a
		}
		for {
			w.head.Reset()
			w.head.Lenient = x.be.cfg.HTTP.AcceptInvalidResponse
			w.head.Most = w.s.cfg.Global.HeaderLines(u.virtual(), false)
			v := w.head.ParseResponse(buf, x.method, x.upgrade)
			if v.Bad() || v != h1.Incomplete && w.head.Len > w.s.headLimit() {
				return x.badResponse()
			}
			if v == h1.Incomplete {
				break
			}
			if !w.head.Interim() {
				return x.passResponse(buf, shared)
			}
			if x.version != h1.HTTP10 { // which knows no interim responses (RFC 9110 section 15.2)
				w.out = w.head.AppendResponse(w.out[:0], buf, h1.Edits{Names: x.clientNames()})
				x.toClient(w.out)
			}
			buf = buf[w.head.Len:]
		}
		if !x.holdResponse(buf, shared) {
			return x.badResponse()
		}
		if u.Can()&loop.Readable == 0 {
			u.hearMore()
			return wait
		}
	}
}

// responseBytes receives into the loop's buffer, or behind a partial head.
// Shared says that it is the loop's.
func (x *stream) responseBytes() (buf []byte, shared bool, a answer) {
	w, u := x.w, x.u
	if len(u.in) == 0 {
		n, errno := u.Recv(w.l.Buffer())
		switch {
		case errno == eagain:
			return nil, false, wait
		case errno != 0 || n == 0:
			return nil, false, x.responseLost()
		}
		return w.l.Buffer()[:n], true, next
	}
	n, errno := u.Recv(u.in[len(u.in):cap(u.in)])
	switch {
	case errno == eagain:
		return nil, false, wait
	case errno != 0 || n == 0:
		return nil, false, x.responseLost()
	}
	u.in = u.in[:len(u.in)+n]
	return u.in, false, next
}

// holdResponse keeps a partial head; it reports false when it is too long.
func (x *stream) holdResponse(buf []byte, shared bool) bool {
	u, most := x.u, x.w.s.bufSize()
	if len(buf) >= most {
		return false
	}
	if shared {
		if len(buf) > 0 {
			u.in = append(x.w.buffers.Take(most), buf...)
		}
		return true
	}
	u.in = u.in[:copy(u.in, buf)]
	return true
}

// badResponse refuses what the server sent.
func (x *stream) badResponse() answer {
	x.saw(check.BadHeaders)
	if x.resend(settings.RetryJunkResponse) {
		return jump
	}
	x.flag('P', 'H')
	x.responseError()
	return x.answer(502)
}

func (x *stream) responseError() {
	x.keepServer = false
	x.t.tallies[x.w.id].errResp.Add(1)
	x.be.tallies[x.w.id].errResp.Add(1)
}

// responseLost deals with a server that ended the connection before its
// response. On a reused connection that may only mean that it was about to
// close: the request is tried again on a new one, if the server cannot have
// acted on it or acting twice does no harm (RFC 9110 section 9.2.2).
func (x *stream) responseLost() answer {
	if x.reused && len(x.u.in) == 0 && !x.bodyGone && (idempotent(x.method) || x.sent == 0 || x.u.unseen()) {
		x.u.close()
		x.u = nil
		x.reused, x.freshOnly = false, true
		x.sent, x.up.fault, x.up.done = 0, faultNone, false
		x.late = 0
		return x.to(stepConnect)
	}
	x.saw(check.Closed)
	if len(x.u.in) == 0 && x.resend(settings.RetryEmptyResponse) {
		return jump
	}
	x.flag('S', 'H')
	x.responseError()
	x.serverAborted()
	if x.reused && x.c.served > 0 { // the client is to send it again, as on any kept-alive connection
		x.status = -1
		return x.end('S', 'H')
	}
	return x.answer(502)
}

func idempotent(m h1.Method) bool {
	switch m {
	case h1.MethodGet, h1.MethodHead, h1.MethodPut, h1.MethodDelete, h1.MethodOptions, h1.MethodTrace:
		return true
	}
	return false
}

// passResponse sends the final head, and what of the body came with it.
func (x *stream) passResponse(buf []byte, shared bool) answer {
	w, h := x.w, &x.w.head
	if kind := settings.RetryStatus(h.Status); kind != 0 && x.resend(kind) {
		return jump
	}
	if x.refusesAnswer(buf) {
		x.deniedAnswer()
		x.status = h.Status
		x.keepServer = false
		return x.end('P', 'D')
	}
	if x.be.cfg.HTTP.CheckCache && x.cachesCookie(buf) {
		return x.blockCookie()
	}
	if h.Status == 401 || h.Status == 407 {
		x.noticeNTLM(buf)
	}
	x.catchResponse(buf)
	x.dataAt, x.status, x.serverHeard = x.now(), h.Status, x.now()
	x.sawStatus(h.Status)
	x.headSent = true
	f := &x.down
	f.body.Start(h.Framing, h.Length)
	f.strip = h.Framing == h1.Chunked && x.version == h1.HTTP10
	x.keepServer = x.keepServer && h.KeepAlive && h.Framing != h1.UntilClose
	x.keep = x.keep && x.fe.keepsClient() && h.Framing != h1.UntilClose && !f.strip && x.up.done && !w.s.draining.Load()
	edits := h1.Edits{Connection: h1.ResponseOption(x.version, h.Version, x.keep), Unchunked: f.strip, Names: x.clientNames()}
	w.out = h.AppendResponse(w.out[:0], buf, edits)
	body := f.take(buf[h.Len:])
	if f.fault != faultNone { // nothing has gone to the client yet
		x.headSent, x.dataAt = false, 0
		return x.badResponse()
	}
	if len(f.rest) > 0 && h.Framing != h1.Tunnel {
		x.keepServer = false
	}
	if h.Framing == h1.Tunnel {
		body = buf[h.Len:]
	}
	f.closes = !x.keep && x.up.done && x.c.endsInOrder()
	x.toClient(x.lay(buf, body, shared))
	f.rest = nil
	if !f.ended {
		x.u.hearMore()
	}
	if x.u.in != nil {
		w.buffers.Give(x.u.in)
		x.u.in = nil
	}
	if h.Framing == h1.Tunnel {
		x.tunnel()
	}
	x.armBoth()
	return x.to(stepForward)
}

// clientNames are the header names written to the client in another case.
func (x *stream) clientNames() map[string]string {
	if !x.fe.cfg.HTTP.AdjustClient {
		return nil
	}
	return x.w.s.cfg.Global.HeaderCase
}

// lay puts the rewritten head in w.out before body: in place when body lies
// in the loop's buffer with room in front.
func (x *stream) lay(buf, body []byte, shared bool) []byte {
	w := x.w
	if shared && len(body) > 0 {
		whole := w.l.WithHeadroom()
		at := len(whole) - cap(body) // body is a slice of whole, which ends where its capacity does
		if start, ok := h1.Lay(whole, at, w.out); ok {
			return whole[start : at+len(body)]
		}
	}
	w.out = append(w.out, body...)
	return w.out
}

// toClient sends p, or what goes of it now; the rest is pending.
func (x *stream) toClient(p []byte) {
	f := &x.down
	x.bytesOut += int64(len(p))
	if len(f.pending) > 0 {
		f.pending = append(f.pending, p...)
		return
	}
	f.pass(x.w, &x.c.Socket, p)
}

// armResponse sets the deadlines while the response is awaited: the server's
// and, while the client still owes some of its request, its own.
func (x *stream) armResponse() {
	x.u.armSince(x.since(&x.serverHeard, x.be.cfg.IndependentStreams), x.server().Server)
	if x.up.done {
		x.w.l.Disarm(&x.c.timer)
	} else {
		x.c.arm(x.fe.cfg.Timeouts.Client)
	}
}

// armBoth sets the deadlines while bodies pass: of whoever is to send or to
// take something. A side we do not read because the other takes nothing owes
// nothing. A side that we have ended waits with its fin timeout.
func (x *stream) armBoth() {
	t := x.server()
	client, server := x.fe.cfg.Timeouts.Client, t.Server
	if x.down.raw && t.Tunnel > 0 {
		client, server = t.Tunnel, t.Tunnel
	}
	if x.down.done && x.fe.cfg.Timeouts.ClientFin > 0 {
		client = x.fe.cfg.Timeouts.ClientFin
	}
	if x.up.done && x.up.raw && t.ServerFin > 0 {
		server = t.ServerFin
	}
	fromClient, fromServer := x.up.waiting() || x.sent < len(x.out), x.down.waiting()
	if (x.up.ended || fromClient) && !fromServer {
		client = 0
	}
	if (x.down.ended || fromServer) && !fromClient {
		server = 0
	}
	x.c.armSince(x.since(&x.clientHeard, x.fe.cfg.IndependentStreams && !x.up.ended && !fromClient), client)
	x.u.armSince(x.since(&x.serverHeard, x.be.cfg.IndependentStreams && !x.down.ended && !fromServer), server)
}

// since is when the time of a side that is to send something begins: now, as
// something has passed, or where streams are independent when it was last heard.
func (x *stream) since(heard *int64, independent bool) int64 {
	if !independent || *heard == 0 {
		*heard = x.now()
	}
	return *heard
}

// silence ends one way of a tunnel whose sender has said nothing in its time,
// where option independent-streams lets the other way go on. It reports false
// when that is not so.
func (x *stream) silence(who byte, sends *flow, option bool) bool {
	if !option || !x.down.raw || sends.ended || sends.waiting() {
		return false
	}
	x.flag(who, 'D')
	x.late = 0
	sends.ended = true
	return true
}

// retryPause is how long a server that refused a connection is left alone
// before the next attempt; timeout connect when that is shorter.
const retryPause = time.Second

// connectFailed tries again: on another server where option redispatch allows
// it, on the same after a pause otherwise.
func (x *stream) connectFailed(who byte) answer {
	if x.u != nil {
		x.u.close()
		x.u = nil
	}
	x.late = 0
	x.saw(check.NotConnected)
	w, t := x.w, x.t
	if x.tries <= 0 || !x.be.cfg.RetryOn.Has(settings.RetryConnFailure) {
		x.flag(who, 'C')
		t.tallies[w.id].errConn.Add(1)
		x.be.tallies[w.id].errConn.Add(1)
		return x.answer(503)
	}
	if x.anotherTry() {
		if active, _, _ := x.be.group.Counts(); active > 1 && x.be.group.Kind().Turns {
			return x.to(stepPick)
		}
	}
	if who == 's' { // it has had its time
		if x.t == nil {
			return x.to(stepPick)
		}
		return x.to(stepConnect)
	}
	delay := retryPause
	if c := x.be.cfg.Timeouts.Connect; c > 0 {
		delay = min(delay, c)
	}
	x.c.arm(delay)
	return x.to(stepPause)
}

// anotherTry counts one more attempt, and gives up the place on the server
// when that goes to another: it reports so.
func (x *stream) anotherTry() (leave bool) {
	x.tries--
	x.retries++
	if x.redispatches() {
		x.avoid = x.t.index
		x.vacate()
		return true
	}
	x.t.tallies[x.w.id].retries.Add(1)
	x.t.tallies[x.w.id].sessions.Add(1) // HAProxy counts attempts
	x.be.tallies[x.w.id].retries.Add(1)
	return false
}

// resend makes the stream send its request again after a failure of this
// kind, at once, if retry-on says so and the request is still there as a
// whole.
func (x *stream) resend(kind settings.RetryOn) bool {
	if !x.be.cfg.RetryOn.Has(kind) || x.tries <= 0 || x.bodyGone || x.headSent || x.up.fault == faultSource || x.up.fault == faultFormat || x.clientLeft() {
		return false
	}
	x.u.Reset()
	x.u.close()
	x.u = nil
	x.down.release(x.w)
	x.reused = false
	x.sent, x.up.fault, x.up.done, x.late = 0, faultNone, false, 0
	if t := x.t; x.anotherTry() { // a redispatch, and a retry all the same: HAProxy counts both
		t.tallies[x.w.id].retries.Add(1)
		x.be.tallies[x.w.id].retries.Add(1)
		x.to(stepPick)
	} else {
		x.to(stepConnect)
	}
	return true
}

// redispatches reports whether the attempt after x.retries others may go to
// another server. An algorithm of turns with more than one server left never
// asks the same again; else option redispatch says which attempts leave it.
func (x *stream) redispatches() bool {
	cfg := x.be.cfg
	if !cfg.Redispatch {
		return false
	}
	if active, _, _ := x.be.group.Counts(); active > 1 && x.be.group.Kind().Turns || x.t.stopped() {
		return true
	}
	every := cfg.RedispatchInterval
	if every < 0 { // counted from the last
		every += cfg.Retries + 1
	}
	return every > 0 && x.retries%every == 0
}

// stopped reports that the server is down or in maintenance.
func (t *target) stopped() bool {
	t.be.mu.Lock()
	defer t.be.mu.Unlock()
	return t.state.Op == check.Stopped
}

package proxy

import (
	"herald/proxy/check"
	"herald/proxy/h1"
	"herald/proxy/lb"
	"herald/proxy/loop"
	"herald/proxy/settings"
)

// This file is the life of a request, from top to bottom. A phase looks at
// what is there and answers; after a wait the same phase is called again, on
// any event of either connection and on any deadline. In mode tcp a life
// begins at chooseBackend and goes from send to forward.

// answer is what a phase tells run.
type answer uint8

const (
	next answer = iota // the phase below
	jump               // the phase now in step
	wait               // this phase again, when something happens
	over               // the stream is gone
)

type phase func(*stream) answer

type step uint8

const (
	stepHead step = iota
	stepInspect
	stepBackend
	stepInspectBackend
	stepRequest
	stepBody
	stepPick
	stepQueue
	stepConnect
	stepPause
	stepSend
	stepReceive
	stepForward
	stepInspectAnswer
	stepForm
	stepPage
	stepReply
	stepFinish
)

var life [stepFinish + 1]phase

func init() {
	life = [...]phase{
		stepHead:           readHead,
		stepInspect:        inspect,
		stepBackend:        chooseBackend,
		stepInspectBackend: inspectBackend,
		stepRequest:        rewriteRequest,
		stepBody:           gatherBody,
		stepPick:           pick,
		stepQueue:          queue,
		stepConnect:        connect,
		stepPause:          pause,
		stepSend:           send,
		stepReceive:        receive,
		stepForward:        forward,
		stepInspectAnswer:  inspectAnswer,
		stepForm:           readForm,
		stepPage:           awaitPage,
		stepReply:          sendReply,
		stepFinish:         finish,
	}
}

// readHead waits for a whole request head. The common case is one receive in
// the loop's buffer; what is cut off is collected in the connection's own.
func readHead(x *stream) answer {
	c := x.c
	if x.gone {
		return x.badRequest('C')
	}
	if x.late&clientLate != 0 {
		return x.badRequest('c')
	}
	for {
		buf, v := x.input()
		switch {
		case v == h1.Complete && x.isPreface(buf):
			return x.refuse(h1.BadVersion)
		case v == h1.Complete && x.w.head.Len > x.w.s.headLimit():
			return x.badRequest('P')
		case v == h1.Complete && x.unlikelyBody():
			return x.refuse(h1.UnlikelyBody)
		case v == h1.Complete:
			return x.gotHead(buf)
		case v.Bad():
			return x.refuse(v)
		case x.gone && c.served > 0 && len(c.in) == 0:
			x.keep = false
			return x.to(stepFinish)
		case x.gone:
			return x.badRequest('C')
		case len(c.in) >= x.w.s.headLimit():
			return x.badRequest('P')
		case c.Can()&loop.Readable == 0:
			if c.served > 0 && !x.timed { // the first request's deadline runs since the accept
				c.arm(c.requestTimeout())
			}
			x.timed = true
			c.hearMore()
			return wait
		}
	}
}

// gotHead takes down what later phases need of the request.
func (x *stream) gotHead(buf []byte) answer {
	h := &x.w.head
	x.headAt = x.now()
	x.keepLine(buf)
	x.catchRequest(buf)
	x.method, x.version = h.Method, h.Version
	x.keep, x.upgrade = h.KeepAlive, h.WantsUpgrade
	x.last = !h.KeepAlive
	x.up.body.Start(h.Framing, h.Length)
	x.request = buf
	x.w.l.Disarm(&x.c.timer)
	x.tally().requests.Add(1)
	return next
}

// chooseBackend answers what the frontend answers itself, and finds the
// backend of the rest.
func chooseBackend(x *stream) answer {
	if !x.fe.http {
		x.headAt = x.now()
		x.began = x.headAt
	}
	x.chosen = x.choose()
	if x.fe.http {
		if a, mine := x.intercept(x.request); mine {
			return a
		}
	}
	if x.chosen != nil {
		x.enter(x.chosen)
	}
	return next
}

// enter makes b the backend of the stream.
func (x *stream) enter(b *backend) {
	x.be = b
	b.sessions.up()
	b.tallies[x.w.id].sessions.Add(1)
	touch(&b.lastUse, x.w.l.Wall().Unix())
	x.tries = b.cfg.Retries
}

// rewriteRequest makes the request as the server will get it, with what of
// its body has come; what follows belongs to the next request.
func rewriteRequest(x *stream) answer {
	c, h, buf := x.c, &x.w.head, x.request
	x.identify()
	if x.namesForbidden(buf) {
		x.take(buf)
		x.flag('P', 'R')
		x.tally().errReq.Add(1)
		return x.answer(403)
	}
	x.request = nil
	x.takeKey(buf)
	x.keepServer = x.mode() == settings.KeepAlive
	x.expectBody(buf)
	x.out = h.AppendRequest(x.out[:0], buf, x.edits(buf))
	x.nameAt, x.nameLen = len(x.out)-2, 0
	rest := buf[h.Len:]
	n, done, v := x.up.body.Scan(rest)
	if v.Bad() {
		return x.refuse(v)
	}
	x.out = append(x.out, rest[:n]...)
	x.up.ended, x.taken = done, true
	if !done {
		c.hearMore()
	}
	held := len(c.in) > 0
	switch {
	case held:
		c.used(h.Len + n)
		x.bytesIn -= int64(len(c.in))
	default:
		c.hold(rest[n:])
		x.bytesIn -= int64(len(rest) - n)
	}
	return next
}

// pick chooses a server and takes a place on it, or a place in the queue.
func pick(x *stream) answer {
	if x.be == nil || len(x.be.targets) == 0 && x.be.dispatch == nil {
		return x.unavailable()
	}
	t, found, seen := x.be.choose(x)
	if x.avoid != lb.None && found != nobody {
		x.again(t)
		x.avoid = lb.None
	}
	switch found {
	case place:
		x.assign(t)
		if a, mine := x.redirect(t); mine {
			return a
		}
		return x.to(stepConnect)
	case crowded:
		return x.enqueue(t, seen)
	case shut:
		return x.turnedAway(t)
	}
	return x.unavailable()
}

// assign notes the place taken on t.
func (x *stream) assign(t *target) {
	x.t, x.assigned = t, t
	x.sendName(t)
	x.queuedAt = x.now()
	n := &t.tallies[x.w.id]
	n.sessions.Add(1)
	touch(&t.lastUse, x.w.l.Wall().Unix())
}

// again counts the last attempt of a request: a redispatch when it goes to
// another server, one more retry otherwise.
func (x *stream) again(t *target) {
	n, b := &x.be.targets[x.avoid].tallies[x.w.id], &x.be.tallies[x.w.id] // it is the one left that counts
	if t != nil && t.index == x.avoid {
		n.retries.Add(1)
		b.retries.Add(1)
		return
	}
	x.redispatched = true
	n.redispatches.Add(1)
	b.redispatches.Add(1)
}

// unavailable answers that no server can be asked.
func (x *stream) unavailable() answer {
	x.flag('S', 'C')
	if x.be != nil {
		x.be.tallies[x.w.id].errConn.Add(1)
	}
	return x.answer(503)
}

// queue waits for a place on a server; the one who leaves one grants it.
func queue(x *stream) answer {
	switch {
	case x.t != nil:
		x.w.l.Disarm(&x.c.timer)
		return next
	case x.late&clientLate != 0:
		if !x.leaveQueue() {
			return wait // granted in this moment: the grant is in the mailbox
		}
		x.flag('s', 'Q')
		x.notServed()
		return x.answer(503)
	case x.clientLeft():
		if !x.leaveQueue() {
			return wait
		}
		x.aborted()
		return x.end('C', 'Q')
	}
	return wait
}

// connect gets a connection to the server: an idle one, or a new one.
func connect(x *stream) answer {
	if x.u == nil {
		if x.ahead() > 0 && x.streamReset() { // the place came in the moment the client left
			x.aborted()
			return x.end('C', 'Q')
		}
		if !x.freshOnly && x.fe.http && x.keepServer && x.reuse() {
			x.reused = true
			x.t.tallies[x.w.id].reuses.Add(1)
			x.be.tallies[x.w.id].reuses.Add(1)
			x.connected = x.now()
			return x.to(stepSend)
		}
		if errno := x.w.dial(x.t, x); errno != 0 {
			if x.lacksSocket(errno) {
				return x.awaitSocket()
			}
			return x.connectFailed('S')
		}
		x.t.tallies[x.w.id].connects.Add(1)
		x.be.tallies[x.w.id].connects.Add(1)
		x.u.arm(x.server().Connect)
	}
	switch can := x.u.Can(); {
	case x.late&serverLate != 0:
		return x.connectFailed('s')
	case can&loop.Failed != 0:
		return x.connectFailed('S')
	case x.clientLeft():
		x.aborted()
		return x.end('C', 'C')
	case can&loop.Writable == 0:
		return wait
	}
	if !x.u.connected {
		if x.t.socks != nil {
			if a := x.throughSocks(); a != next {
				return a
			}
		}
		x.u.connected = true
		x.saw(check.Connected)
		if x.t.introduces() && !x.introduce() {
			return x.connectFailed('S')
		}
	}
	if x.t.tls != nil && x.t.tls.on && !x.u.virtual() {
		if a := x.secureServer(); a != next {
			return a
		}
	}
	if x.agreedH2() {
		x.becomeH2()
	}
	x.connected = x.now()
	return x.to(stepSend)
}

// pause waits before the next attempt on the same server.
func pause(x *stream) answer {
	switch {
	case x.clientLeft():
		x.aborted()
		return x.end('C', 'C')
	case x.late&clientLate == 0:
		return wait
	}
	x.late = 0
	if x.t == nil {
		return x.to(stepPick)
	}
	return x.to(stepConnect)
}

// send gives the server the request, as far as it goes in one call; the rest
// follows with the body.
func send(x *stream) answer {
	x.late, x.serverHeard = 0, 0
	if !x.fe.http {
		x.tunnel()
		if len(x.be.cfg.Rules.Answer) > 0 {
			return x.to(stepInspectAnswer)
		}
		x.step = stepForward
		x.armBoth()
		return jump
	}
	x.upload()
	x.armResponse()
	return next
}

// receive waits for the head of the response, while the body of the request
// passes, and sends it on with what of the body came along.
func receive(x *stream) answer {
	if x.upload() {
		x.armResponse()
	}
	switch {
	case x.u.Can()&loop.Readable != 0:
		return x.readResponse()
	case x.late&serverLate != 0:
		x.saw(check.TimedOut)
		if x.resend(settings.RetryResponseTimeout) {
			return jump
		}
		x.flag('s', 'H')
		x.t.tallies[x.w.id].errResp.Add(1)
		x.be.tallies[x.w.id].errResp.Add(1)
		return x.answer(504)
	case x.late&clientLate != 0:
		x.flag('c', 'D')
		return x.answer(408)
	case x.up.fault == faultSource:
		x.aborted()
		return x.end('C', 'D')
	case x.up.fault == faultFormat:
		x.tally().errReq.Add(1)
		x.flag('P', 'D')
		return x.answer(400)
	case x.streamReset(), x.clientLeft() && x.c.Can()&loop.Failed != 0:
		x.aborted()
		return x.end('C', 'D')
	case x.clientLeft(): // it may still read
		x.aborted()
		x.flag('C', 'H')
		return x.answer(400)
	}
	return wait
}

// forward passes the bodies both ways until the response is complete, or in
// a tunnel until both sides have ended.
func forward(x *stream) answer {
	moved := x.upload()
	if x.download() {
		moved = true
	}
	switch {
	case x.down.done && (x.up.done || !x.down.raw):
		return x.to(stepFinish)
	case x.down.fault == faultSink || x.up.raw && x.up.fault == faultSource:
		x.aborted()
		return x.end('C', 'D')
	case x.down.fault != faultNone:
		x.responseError()
		x.serverAborted()
		return x.end('S', 'D')
	case x.up.raw && x.up.fault == faultSink:
		x.serverAborted()
		return x.end('S', 'D')
	case x.streamReset():
		x.aborted()
		return x.end('C', 'D')
	case x.late&clientLate != 0, x.late&serverLate != 0 && x.c.late(): // HAProxy looks at the client first
		if !x.silence('c', &x.up, x.fe.cfg.IndependentStreams) {
			x.aborted()
			return x.end('c', 'D')
		}
		x.armBoth()
		return jump
	case x.late&serverLate != 0:
		if !x.silence('s', &x.down, x.be.cfg.IndependentStreams) {
			x.serverAborted()
			return x.end('s', 'D')
		}
		x.armBoth()
		return jump
	}
	if moved {
		x.armBoth()
	}
	return wait
}

// finish is the one place every stream ends in: the place on the server goes
// to the next, everything is counted and logged, and the connections are kept
// or closed.
func finish(x *stream) answer {
	x.account()
	x.writeLog()
	x.leaveServer()
	c, w := x.c, x.w
	keep := x.keep && c.Can()&loop.Failed == 0 && c.via == nil
	broken := x.term[0] != '-' && !x.headSent || x.down.fault != faultNone || x.down.raw && x.term[0] != '-'
	said := x.last && x.up.done && c.mayCloseAtOnce()
	// What the system holds for a client that takes nothing, megabytes, would
	// stay for minutes behind an orderly end.
	stuck := x.term[0] == 'c' && c.via == nil && c.Can()&loop.Writable == 0
	unread := !x.fe.http && !x.down.raw && c.Can()&loop.Readable != 0
	// What a client is still sending when it gets no server would make a reset.
	unserved := !x.fe.http && !x.down.raw && (x.term[0] == 'S' || x.term[0] == 's') && !x.fe.cfg.HTTP.NoLinger
	c.x = nil
	w.giveStream(x)
	switch {
	case keep:
		c.await()
	case stuck:
		c.Reset()
		c.close()
	case unserved:
		c.finish()
	case broken || said:
		if unread { // the system would make a reset of it
			c.Recv(w.l.Buffer())
		}
		c.close()
	default:
		c.finish()
	}
	return over
}

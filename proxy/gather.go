package proxy

import (
	"herald/proxy/h1"
	"herald/proxy/loop"
)

// option http-buffer-request: the body of a request is here, as much of it as
// a buffer takes, before a server is chosen.

// buffered reports whether either side asks for it.
func (x *stream) buffered() bool {
	return x.fe.cfg.HTTP.BufferRequest || x.be != nil && x.be.cfg.HTTP.BufferRequest || x.waitsForBody()
}

var goOn = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// expectBody tells a client that waits for leave to send its body to go on,
// when it is waited for here: the server need not be asked then (RFC 9110
// section 10.1.1).
func (x *stream) expectBody(buf []byte) {
	h := &x.w.head
	if !h.Expects100 || !x.buffered() || h.Framing == h1.NoBody {
		return
	}
	h.DropNamed(buf, "expect")
	if h.Len == len(buf) {
		x.down.pass(x.w, &x.c.Socket, goOn)
	}
}

// gatherBody waits for the rest of the body.
func gatherBody(x *stream) answer {
	if x.up.ended || !x.buffered() {
		return next
	}
	c, w := x.c, x.w
	if !x.gathering {
		x.gathering = true
		c.arm(c.requestTimeout())
	}
	most := w.s.headLimit()
	for c.Can()&loop.Readable != 0 && len(x.out) < most {
		buf := w.l.Buffer()[:most-len(x.out)]
		got, errno := c.Recv(buf)
		if errno == eagain {
			break
		}
		if got == 0 || errno != 0 {
			x.aborted()
			return x.noBody('C')
		}
		x.bytesIn += int64(got)
		n, done, v := x.up.body.Scan(buf[:got])
		if v.Bad() {
			return x.refuse(v)
		}
		x.out = append(x.out, buf[:n]...)
		if done {
			x.up.ended = true
			x.bytesIn -= int64(got - n)
			c.hold(buf[n:got])
			break
		}
	}
	switch {
	case x.up.ended || len(x.out) >= most:
		w.l.Disarm(&c.timer)
		x.headAt = x.now()
		return next
	case x.late&clientLate != 0:
		return x.noBody('c')
	}
	return wait
}

// noBody ends a request whose body did not come in time, or at all.
func (x *stream) noBody(who byte) answer {
	x.flag(who, 'R')
	x.tally().errReq.Add(1)
	x.headAt, x.keep = 0, false
	status := 408
	if who == 'C' {
		status = 400
	}
	x.answer(status)
	x.bytesOut += int64(len(x.reply))
	return jump
}

package proxy

import (
	"bytes"

	"herald/proxy/h1"
	"herald/proxy/loop"
)

// badRequest refuses what the client sent, by whose fault. Nothing of the
// request is logged: it was not understood.
func (x *stream) badRequest(who byte) answer {
	x.flag(who, 'R')
	x.tally().errReq.Add(1)
	x.headAt, x.line = 0, x.line[:0]
	if x.bytesIn == 0 {
		x.began = x.accept
	}
	if x.late&clientLate != 0 {
		return x.answer(408)
	}
	return x.answer(max(x.refused.Status(), 400))
}

// refuse is badRequest with the status that fits the verdict.
func (x *stream) refuse(v h1.Verdict) answer {
	x.refused = v
	return x.badRequest('P')
}

// input answers the bytes received so far of the head and what they parse to.
func (x *stream) input() ([]byte, h1.Verdict) {
	c, w := x.c, x.w
	if x.fresh != nil {
		buf := x.fresh
		x.fresh = nil
		x.bytesIn += int64(len(buf))
		x.beginHead()
		v := w.head.ParseRequest(buf)
		if v == h1.Incomplete {
			c.hold(buf)
			return c.in, v
		}
		return buf, v
	}
	before := len(c.in)
	if c.Can()&loop.Readable != 0 && before < x.w.s.bufSize() {
		if before == cap(c.in) {
			c.in = w.buffers.Grow(c.in, min(4*before, x.w.s.bufSize()))
		}
		n, errno := c.Recv(c.in[before:min(cap(c.in), x.w.s.bufSize())])
		if errno != 0 || n == 0 {
			x.gone = errno != eagain
			n = 0
		}
		c.in = c.in[:before+n]
		x.bytesIn += int64(n)
	}
	// A head is scanned anew only when its end may have come: a client that
	// sends byte by byte must not make us read it all each time.
	if x.step == stepHead && x.headAt == 0 && before > 0 && x.scanned && !endsHead(c.in[max(before-3, 0):]) && len(c.in) < x.w.s.headLimit() {
		return c.in, h1.Incomplete
	}
	x.scanned = true
	x.beginHead()
	return c.in, w.head.ParseRequest(c.in)
}

// beginHead makes the loop's head ready for the request.
func (x *stream) beginHead() {
	h := &x.w.head
	h.Reset()
	h.Lenient = x.fe.cfg.HTTP.AcceptInvalidRequest
	h.Most = x.w.s.cfg.Global.HeaderLines(x.c.via != nil, true)
}

// unlikelyBody reports a body where a server may not look for one.
func (x *stream) unlikelyBody() bool {
	h := &x.w.head
	if h.Version != h1.HTTP10 || h.Framing == h1.NoBody || x.w.s.cfg.Global.BodyWithAnyMethod {
		return false
	}
	return h.Method == h1.MethodGet || h.Method == h1.MethodHead || h.Method == h1.MethodDelete
}

func endsHead(p []byte) bool {
	return bytes.Contains(p, []byte("\n\r\n")) || bytes.Contains(p, []byte("\n\n"))
}

// keepLine copies the request line for the log, cut as tune.http.logurilen
// does.
func (x *stream) keepLine(buf []byte) {
	most := x.w.s.cfg.Global.LogURILen
	if most == 0 {
		most = 1023 // of the 1024 bytes of its default HAProxy needs one
	}
	if via := x.c.via; via != nil { // as its client wrote it
		x.line = append(x.line[:0], via.line[:min(len(via.line), most)]...)
		return
	}
	line := buf
	for len(line) > 0 && (line[0] == '\r' || line[0] == '\n') {
		line = line[1:]
	}
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	line = bytes.TrimRight(line, "\r")
	x.line = append(x.line[:0], line[:min(len(line), most)]...)
}

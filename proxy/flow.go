package proxy

import (
	"syscall"

	"herald/proxy/h1"
	"herald/proxy/loop"
)

// fault is what broke a flow.
type fault uint8

const (
	faultNone   fault = iota
	faultSource       // the sender ended or broke before its message was complete
	faultFormat       // what it sent is no body
	faultSink         // the receiver takes no more
)

// flow is one direction of a stream: bytes from one connection to the other.
type flow struct {
	body    h1.Body
	raw     bool // no message: everything until the end passes
	strip   bool // the receiver does not know chunks
	ended   bool // nothing more is to be read
	done    bool // and everything has been sent
	fault   fault
	pending []byte // received and not yet sent, in a buffer of the loop's
	sent    int    // of pending
	rest    []byte // received behind the message, in the loop's buffer
	closes  bool   // the receiver's connection ends with the message
	bulk    uint8  // full receives in a row
	pipe    *loop.Pipe
	piped   int // bytes in it
}

// waiting reports that something was received and is not yet sent.
func (f *flow) waiting() bool { return len(f.pending) > 0 || f.piped > 0 }

// turn is how many receives one flow may do before others get theirs.
const turn = 16

// move passes what can pass now from src to dst, and reports whether anything
// did. It reads nothing while something is pending: a slow receiver slows the
// sender.
func (f *flow) move(w *worker, src, dst *loop.Socket, in, out *int64) (moved bool) {
	for range turn {
		if f.done || f.fault != faultNone {
			return moved
		}
		if len(f.pending) > 0 {
			n, sent := f.flush(w, dst)
			*out += int64(n)
			moved = moved || n > 0
			if !sent {
				return moved
			}
		}
		if f.piped > 0 {
			n, sent := f.drain(w, dst)
			*out += int64(n)
			moved = moved || n > 0
			if !sent {
				return moved
			}
		}
		if f.ended {
			f.done = true
			if f.raw {
				dst.CloseWrite()
			}
			return true
		}
		if src.Can()&loop.Readable == 0 {
			return moved
		}
		if f.splices(w, src, dst) {
			n, going := f.fill(w, src)
			*in += int64(n)
			moved = moved || n > 0
			if !going {
				return moved
			}
			continue
		}
		buf := w.l.Buffer()
		n, errno := src.Recv(buf)
		if n == len(buf) {
			f.bulk = min(f.bulk+1, spliceAfter)
		} else {
			f.bulk = 0
		}
		switch {
		case errno == eagain:
			return moved
		case errno != 0:
			f.fault = faultSource
			return moved
		case n == 0:
			f.ended = f.raw || f.body.EndsAtClose()
			if !f.ended {
				f.fault = faultSource
			}
			continue
		}
		moved = true
		*in += int64(n)
		if p := f.take(buf[:n]); len(p) > 0 {
			*out += int64(f.pass(w, dst, p))
		}
	}
	// What is in the pipe has not been offered to dst yet.
	offer := f.piped > 0 && dst.Can()&loop.Writable != 0
	if !f.done && (offer || src.Can()&loop.Readable != 0 && !f.waiting()) {
		w.l.Again(src.Handler())
	}
	return moved
}

// take answers what of p is to be passed on.
func (f *flow) take(p []byte) []byte {
	if f.raw {
		return p
	}
	var v h1.Verdict
	var n int
	out := p
	if f.strip {
		out, n, f.ended, v = f.body.Strip(p)
	} else {
		n, f.ended, v = f.body.Scan(p)
		out = p[:n]
	}
	if v.Bad() {
		f.fault = faultFormat
		return nil
	}
	f.rest = p[n:]
	return out
}

// pass sends p, keeps what does not go now, and answers how much went.
func (f *flow) pass(w *worker, dst *loop.Socket, p []byte) int {
	n := 0
	if dst.Can()&loop.Writable != 0 {
		var k int
		var errno syscall.Errno
		if f.closes && f.ended { // the end of the connection goes along
			k, errno = dst.SendMore(p)
		} else {
			k, errno = dst.Send(p)
		}
		if errno != 0 && errno != eagain {
			f.fault = faultSink
			return 0
		}
		n = k
	}
	if n < len(p) {
		f.pending = append(w.buffers.Take(len(p)-n), p[n:]...)
		f.sent = 0
	}
	return n
}

// flush sends pending; sent reports that all of it went.
func (f *flow) flush(w *worker, dst *loop.Socket) (n int, sent bool) {
	if dst.Can()&loop.Writable == 0 {
		return 0, false
	}
	n, errno := dst.Send(f.pending[f.sent:])
	if errno != 0 && errno != eagain {
		f.fault = faultSink
		return 0, false
	}
	f.sent += n
	if f.sent < len(f.pending) {
		return n, false
	}
	w.buffers.Give(f.pending)
	f.pending, f.sent = nil, 0
	return n, true
}

// release gives the buffer back.
func (f *flow) release(w *worker) {
	if f.pending != nil {
		w.buffers.Give(f.pending)
		f.pending, f.sent = nil, 0
	}
	if f.pipe != nil {
		w.l.GivePipe(f.pipe, f.piped == 0)
		f.pipe, f.piped = nil, 0
	}
}

// upload moves the request: first what rewriteRequest prepared, then the
// rest of its body.
func (x *stream) upload() (moved bool) {
	if x.up.done || x.up.fault != faultNone {
		return false
	}
	for x.sent < len(x.out) {
		if x.u.Can()&loop.Writable == 0 {
			x.u.sayMore()
			return moved
		}
		n, errno := x.u.Send(x.out[x.sent:])
		if errno == eagain {
			x.u.sayMore()
			return moved
		}
		if errno != 0 {
			x.up.fault = faultSink
			return moved
		}
		x.sent += n
		moved = true
	}
	if x.up.ended && !x.up.waiting() && !x.up.raw {
		x.up.done = true
		return moved
	}
	x.u.sayMore()
	before := x.bytesIn
	var sent int64
	if x.up.move(x.w, &x.c.Socket, &x.u.Socket, &x.bytesIn, &sent) {
		moved = true
	}
	if x.bytesIn != before {
		x.bodyGone, x.clientHeard = true, x.now()
	}
	if len(x.up.rest) > 0 {
		x.bytesIn -= int64(len(x.up.rest))
		x.c.hold(x.up.rest)
	}
	x.up.rest = nil
	return moved
}

// download moves the body of the response.
func (x *stream) download() (moved bool) {
	var received int64
	moved = x.down.move(x.w, &x.u.Socket, &x.c.Socket, &received, &x.bytesOut)
	if received > 0 {
		x.serverHeard = x.now()
	}
	if len(x.down.rest) > 0 { // a server that says more than it announced
		x.keepServer = false
	}
	x.down.rest = nil
	return moved
}

// tunnel makes both flows raw; what the client sent early goes first.
func (x *stream) tunnel() {
	x.up = flow{raw: true, fault: x.up.fault}
	x.down = flow{raw: true, pending: x.down.pending, sent: x.down.sent}
	x.keep, x.keepServer = false, false
	x.u.sayMore()
	x.u.hearMore()
	if len(x.c.in) > 0 {
		x.up.pending = x.c.in
		x.bytesIn += int64(len(x.c.in))
		x.c.in = nil
	}
}

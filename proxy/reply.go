package proxy

import (
	"bytes"

	"herald/proxy/errorpage"
	"herald/proxy/expr"
	"herald/proxy/h1"
	"herald/proxy/loop"
	"herald/proxy/rule"
)

// answer replies with the page of a status. Mode tcp has no page: the
// connection just ends. A response that has begun cannot be replaced. The
// client's connection goes on when its whole request was read and the page
// says how long it is.
func (x *stream) answer(status int) answer {
	if !x.fe.http || x.headSent {
		x.keep = false
		return x.to(stepFinish)
	}
	x.status = status
	p := x.fe.pages
	if x.be != nil {
		p = x.be.pages
	}
	page := p.of(status)
	x.keep = x.mayKeep() && errorpage.Sized(page)
	x.out = errorpage.Append(x.out[:0], page, x.connection(), x.method != h1.MethodHead)
	return x.say(x.out)
}

// mayKeep reports whether the client may send another request after an answer
// of our own.
func (x *stream) mayKeep() bool {
	return x.keep && x.taken && x.up.ended && x.up.fault == faultNone && !x.down.waiting() && x.late&clientLate == 0 &&
		x.fe.keepsClient() && !x.w.s.draining.Load()
}

// connection is the connection header of an answer of our own; empty means
// none.
func (x *stream) connection() string {
	switch h1.ResponseOption(x.version, h1.HTTP11, x.keep) {
	case h1.SayClose:
		return "close"
	case h1.SayKeepAlive:
		return "keep-alive"
	}
	return ""
}

// take takes the request, as much of it as has come, out of what was
// received; the rest belongs to what comes next.
func (x *stream) take(buf []byte) {
	c, h := x.c, &x.w.head
	x.request = nil
	rest := buf[h.Len:]
	n, done, v := x.up.body.Scan(rest)
	if v.Bad() {
		return // the connection will not be kept
	}
	x.up.ended, x.taken = done, true
	x.bytesIn -= int64(len(rest) - n)
	if len(c.in) > 0 {
		c.used(h.Len + n)
	} else {
		c.hold(rest[n:])
	}
}

// say replies with whole bytes and ends the stream. They must not change
// until the stream has ended.
func (x *stream) say(p []byte) answer {
	x.reply = p
	x.late = 0
	x.headSent = true
	if x.method == h1.MethodHead {
		if i := bytes.Index(p, []byte("\r\n\r\n")); i >= 0 {
			x.reply = p[:i+4]
		}
	}
	if x.headAt != 0 { // HAProxy counts no answer to what it could not read
		x.bytesOut += int64(len(x.reply))
	}
	x.c.arm(x.fe.cfg.Timeouts.Client)
	return x.to(stepReply)
}

// sendReply sends an answer of our own.
func sendReply(x *stream) answer {
	c := x.c
	for len(x.reply) > 0 {
		if x.late&clientLate != 0 || c.Can()&loop.Failed != 0 {
			x.keep = false
			return next
		}
		if c.Can()&loop.Writable == 0 {
			return wait
		}
		n, errno := c.Send(x.reply)
		if errno == eagain {
			return wait
		}
		if errno != 0 {
			x.keep = false
			return next
		}
		x.reply = x.reply[n:]
	}
	return next
}

// monitorPage is HAProxy's answer to monitor-uri.
var monitorPage = []byte("HTTP/1.1 200 OK\r\ncontent-length: 58\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n" +
	"<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n")

// monitored is what of a target is compared with monitor-uri: all, or what
// follows the authority when uri is a path, as HTTP/2 clients send whole URIs.
func monitored(uri string, target []byte) []byte {
	_, rest, absolute := bytes.Cut(target, []byte("://"))
	if uri[0] != '/' || target[0] == '/' || !absolute {
		return target
	}
	if i := bytes.IndexByte(rest, '/'); i >= 0 {
		return rest[i:]
	}
	return target
}

// serveMonitor answers monitor-uri.
func (x *stream) serveMonitor(buf []byte) answer {
	x.status = 200
	if fail := x.fe.cfg.MonitorFail; len(fail) > 0 && anyHolds(fail, x.look()) {
		x.status = 503
	}
	page, own := x.fe.pages[x.status]
	switch {
	case own:
	case x.status == 503:
		page = x.fe.pages.of(503)
	default:
		page = monitorPage
	}
	x.local = true
	x.flag('L', 'R')
	x.tally().intercepted.Add(1)
	x.take(buf)
	x.keep = x.mayKeep() && errorpage.Sized(page)
	x.out = errorpage.Append(x.out[:0], page, x.connection(), x.method != h1.MethodHead)
	return x.say(x.out)
}

func anyHolds(list []rule.Condition, in *expr.Input) bool {
	for i := range list {
		if list[i].Holds(in) == expr.Found {
			return true
		}
	}
	return false
}

// intercept answers what the proxy answers itself: monitor-uri and the
// statistics page.
func (x *stream) intercept(buf []byte) (a answer, mine bool) {
	h := &x.w.head
	target := h.Target.In(buf)
	if uri := x.fe.cfg.MonitorURI; uri != "" && string(monitored(uri, target)) == uri {
		return x.serveMonitor(buf), true
	}
	if st := x.statsPage(target); st != nil {
		return x.serveStats(st, buf), true
	}
	return next, false
}

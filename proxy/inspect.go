package proxy

import (
	"fmt"

	"herald/proxy/expr"
	"herald/proxy/loop"
	"herald/proxy/rule"
)

// linkRules finds the backends that rules name.
func (f *frontend) linkRules(byName map[string]*backend) (problems []error) {
	for _, choice := range f.cfg.Rules.Backends {
		b := byName[choice.Backend]
		if b == nil {
			problems = append(problems, fmt.Errorf("%s: use_backend %s: no such backend", f.cfg.Name, choice.Backend))
		} else {
			b.reach += int(f.maxConn.Load())
		}
		f.choices = append(f.choices, b)
	}
	return problems
}

// look is what rules can see of the client. It is the loop's: the next one
// that looks overwrites it.
func (c *client) look() *expr.Input {
	w := c.w
	w.view.w, w.view.c, w.view.x = w, c, nil
	in := &w.look
	in.Reset()
	in.Source, in.World, in.Final, in.HTTP2 = c.peer, &w.view, true, c.via != nil
	return in
}

// refusedBy reports whether rules that do not wait refuse the client.
func (c *client) refusedBy(gates rule.Gates) bool {
	return len(gates) > 0 && gates.Decide(c.look()) == rule.Reject
}

// look is what rules can see of the stream.
func (x *stream) look() *expr.Input {
	in := x.c.look()
	x.w.view.x = x
	if x.fe.http {
		in.Head, in.Buf = &x.w.head, x.request
		in.Body = x.request[x.w.head.Len:]
	} else {
		in.Data = x.c.in
	}
	return in
}

// lookAtSent is what can be seen of the request as the server will get it,
// with what of its body is there.
func (x *stream) lookAtSent() *expr.Input {
	in := x.c.look()
	x.w.view.x = x
	if !x.fe.http {
		in.Data = x.c.in
		return in
	}
	w := x.w
	w.text = append(w.text[:0], x.out...) // a parse writes names in lower case
	w.head.Reset()
	w.head.Lenient = true // it has been judged
	if w.head.ParseRequest(w.text); w.head.Len > 0 {
		in.Head, in.Buf, in.Body = &w.head, w.text, w.text[w.head.Len:]
	}
	return in
}

// choose is the backend that the rules of the frontend choose.
func (x *stream) choose() *backend {
	if list := x.fe.cfg.Rules.Backends; len(list) > 0 {
		if i := rule.Choose(list, x.look()); i >= 0 {
			return x.fe.choices[i]
		}
	}
	return x.fe.backend
}

// inspect lets a connection pass or ends it, by what it has sent within
// inspect-delay.
func inspect(x *stream) answer {
	gates := x.fe.cfg.Rules.Content
	if len(gates) == 0 {
		return next
	}
	c := x.c
	for {
		ended := false
		if !x.fe.http {
			ended = x.more()
		}
		in := x.look()
		in.Final = x.fe.http || ended || x.late&clientLate != 0 || x.fe.cfg.Rules.InspectDelay == 0 || len(c.in) >= x.w.s.bufSize()
		switch gates.Decide(in) {
		case rule.Accept:
			if x.inspecting {
				x.inspecting = false
				x.late &^= clientLate
				x.w.l.Disarm(&c.timer)
			}
			return next
		case rule.Reject:
			x.tally().deniedReq.Add(1)
			if x.fe.http { // as HAProxy logs what it did not look at as a request
				x.began, x.headAt, x.line = 0, 0, x.line[:0]
			}
			return x.end('P', 'R')
		}
		if in.Final { // a rule that still waits never holds
			return next
		}
		if c.Can()&loop.Readable != 0 {
			continue
		}
		if !x.inspecting {
			x.inspecting = true
			c.arm(x.fe.cfg.Rules.InspectDelay)
		}
		return wait
	}
}

// more receives what waits of the client, as far as a buffer goes, and reports
// that no more will come.
func (x *stream) more() (ended bool) {
	c, w := x.c, x.w
	most := w.s.bufSize()
	for c.Can()&loop.Readable != 0 && len(c.in) < most {
		if len(c.in) == cap(c.in) {
			c.in = w.buffers.grow(c.in, min(max(4*len(c.in), 1<<10), most))
		}
		n, errno := c.Recv(c.in[len(c.in):min(cap(c.in), most)])
		switch {
		case errno == eagain:
			return false
		case errno != 0 || n == 0:
			return true
		}
		c.in = c.in[:len(c.in)+n]
	}
	return false
}

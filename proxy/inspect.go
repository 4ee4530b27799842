package proxy

import (
	"fmt"

	"herald/proxy/expr"
	"herald/proxy/loop"
	"herald/proxy/rule"
	"herald/proxy/settings"
)

// linkRules finds the backends that rules name; nil where the name is made for
// each request.
func (f *frontend) linkRules(byName map[string]*backend) (problems []error) {
	for _, choice := range f.cfg.Rules.Backends {
		var b *backend
		if choice.Format == nil {
			if b = byName[choice.Name]; b == nil {
				problems = append(problems, fmt.Errorf("%s: use_backend %s: no such backend", f.cfg.Name, choice.Name))
			} else {
				b.reach += int(f.maxConn.Load())
			}
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
	if x.caught != nil {
		in.Captured = x.caught.request
	}
	if x.fe.http {
		in.Head, in.Buf = &x.w.head, x.request
		if n := x.w.head.Len; n <= len(x.request) {
			in.Body = x.request[n:]
		}
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
	if x.caught != nil {
		in.Captured = x.caught.request
	}
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
		in := x.look()
		if i := rule.Choose(list, in); i >= 0 {
			if list[i].Format == nil {
				return x.fe.choices[i]
			}
			if b := x.w.s.byName[string(list[i].Format.Make(in))]; b != nil && b.http == x.fe.http {
				return b
			}
		}
	}
	return x.fe.backend
}

// useServer finds the server that use-server wants for the request; of those
// that cannot take any the next rule is asked.
func (x *stream) useServer() {
	if x.be == nil || len(x.be.cfg.Rules.Servers) == 0 || x.be.dispatch != nil {
		return
	}
	list := x.be.cfg.Rules.Servers
	in := x.look()
	for i := range list {
		r := &list[i]
		if r.If.Holds(in) != expr.Found {
			continue
		}
		name := r.Name
		if r.Format != nil {
			name = string(r.Format.Make(in))
		}
		t := x.be.server(name)
		if t == nil { // as in HAProxy, where a name nobody has ends the list
			return
		}
		if t.up() {
			x.wanted = t
			return
		}
	}
}

// inspect lets a connection pass or ends it, by what it has sent within
// inspect-delay.
func inspect(x *stream) answer {
	switch x.judge(&x.fe.cfg.Rules) {
	case rule.Pending:
		return wait
	case rule.Reject:
		x.tally().deniedReq.Add(1)
		if x.fe.http { // as HAProxy logs what it did not look at as a request
			x.began, x.headAt, x.line = 0, 0, x.line[:0]
		}
		return x.end('P', 'R')
	}
	return next
}

// inspectBackend is inspect by the rules of the backend, once it is chosen.
func inspectBackend(x *stream) answer {
	if x.be != nil && x.be.cfg != x.fe.cfg {
		switch x.judge(&x.be.cfg.Rules) {
		case rule.Pending:
			return wait
		case rule.Reject:
			x.tally().deniedReq.Add(1)
			x.be.tallies[x.w.id].deniedReq.Add(1)
			return x.end('P', 'R')
		}
	}
	x.useServer()
	if !x.fe.http {
		x.takeKey(nil)
		return x.to(stepPick)
	}
	return next
}

// judge decides by rules on content; it waits for bytes until inspect-delay
// has passed.
func (x *stream) judge(r *settings.Rules) rule.Verdict {
	if len(r.Content) == 0 {
		return rule.Accept
	}
	c := x.c
	for {
		ended := false
		if !x.fe.http {
			ended = x.more()
		}
		in := x.look()
		in.Final = x.fe.http || ended || x.late&clientLate != 0 || r.InspectDelay == 0 || len(c.in) >= x.w.s.bufSize()
		v := r.Content.Decide(in)
		switch {
		case v == rule.Pending && in.Final: // a rule that still waits never holds
			v = rule.Accept
		case v == rule.Pending && c.Can()&loop.Readable != 0:
			continue
		case v == rule.Pending && !x.inspecting:
			x.inspecting = true
			c.arm(r.InspectDelay)
		}
		if v != rule.Pending && x.inspecting {
			x.inspecting = false
			x.late &^= clientLate
			x.w.l.Disarm(&c.timer)
		}
		return v
	}
}

// lookAtAnswer is what can be seen of what the server has sent.
func (x *stream) lookAtAnswer() *expr.Input {
	in := x.c.look()
	x.w.view.x = x
	if in.Line = x.line; x.caught != nil {
		in.Captured, in.CapturedReply = x.caught.request, x.caught.response
	}
	return in
}

// inspectAnswer lets what a server sends first pass in mode tcp, or ends the
// connection, within the delay of tcp-response inspect-delay. What the client
// sends goes on meanwhile.
func inspectAnswer(x *stream) answer {
	r, u := &x.be.cfg.Rules, x.u
	most := x.w.s.bufSize()
	for {
		x.upload()
		ended := x.u.Can()&(loop.Failed) != 0
		for u.Can()&loop.Readable != 0 && len(u.in) < most && !ended {
			if len(u.in) == cap(u.in) {
				u.in = x.w.buffers.Grow(u.in, min(max(4*len(u.in), 1<<10), most))
			}
			n, errno := u.Recv(u.in[len(u.in):min(cap(u.in), most)])
			if errno == eagain {
				break
			}
			if ended = n == 0 || errno != 0; !ended {
				u.in = u.in[:len(u.in)+n]
				x.serverHeard = x.now()
			}
		}
		in := x.lookAtAnswer()
		if in.Sent = u.in; in.Sent == nil {
			in.Sent = []byte{}
		}
		in.Final = ended || x.late&serverLate != 0 || r.AnswerDelay == 0 || len(u.in) >= most
		v := r.Answer.Decide(in)
		if v == rule.Pending && !in.Final {
			switch {
			case x.clientLeft(), x.late&clientLate != 0, x.up.fault == faultSource:
				x.aborted()
				return x.end('C', 'D')
			case u.Can()&loop.Readable != 0:
				continue
			}
			if !x.inspecting {
				x.inspecting = true
				u.arm(r.AnswerDelay)
			}
			return wait
		}
		if x.inspecting {
			x.inspecting = false
			x.late &^= serverLate
			x.w.l.Disarm(&u.timer)
		}
		if v == rule.Reject {
			x.deniedAnswer()
			u.Reset()
			return x.end('P', 'D')
		}
		x.down.pending, x.down.sent, u.in = u.in, 0, nil
		x.down.ended = x.down.ended || ended || v == rule.Close
		if v == rule.Close {
			x.up.ended, x.up.done = true, true
		}
		x.step = stepForward
		x.armBoth()
		return jump
	}
}

// deniedAnswer counts a response that rules have refused.
func (x *stream) deniedAnswer() {
	x.tally().deniedResp.Add(1)
	x.be.tallies[x.w.id].deniedResp.Add(1)
	x.t.tallies[x.w.id].deniedResp.Add(1)
}

// refusesAnswer decides by tcp-response content in mode http, where the head of
// the response is there; it ends the connection of the server with close.
func (x *stream) refusesAnswer(buf []byte) bool {
	gates := x.be.cfg.Rules.Answer
	if len(gates) == 0 {
		return false
	}
	in := x.lookAtAnswer()
	in.Reply, in.ReplyBuf = &x.w.head, buf
	switch gates.Decide(in) {
	case rule.Reject:
		return true
	case rule.Close:
		x.keepServer = false
	}
	return false
}

// more receives what waits of the client, as far as a buffer goes, and reports
// that no more will come.
func (x *stream) more() (ended bool) {
	c, w := x.c, x.w
	most := w.s.bufSize()
	for c.Can()&loop.Readable != 0 && len(c.in) < most {
		if len(c.in) == cap(c.in) {
			c.in = w.buffers.Grow(c.in, min(max(4*len(c.in), 1<<10), most))
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

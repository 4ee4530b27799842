package proxy

import (
	"fmt"

	"herald/proxy/expr"
	"herald/proxy/loop"
	"herald/proxy/rule"
	"herald/proxy/settings"
)

// looks is what the rules of a frontend look at beyond what is at hand.
type looks struct{ destination, security bool }

// linkRules finds the backends that rules name.
func (f *frontend) linkRules(byName map[string]*backend) (problems []error) {
	r := &f.cfg.Rules
	for _, choice := range r.Backends {
		b := byName[choice.Backend]
		if b == nil {
			problems = append(problems, fmt.Errorf("%s: use_backend %s: no such backend", f.cfg.Name, choice.Backend))
		} else {
			b.reach += int(f.maxConn.Load())
		}
		f.choices = append(f.choices, b)
		f.looks.add(&choice.If)
	}
	for i := range f.cfg.MonitorFail {
		f.looks.add(&f.cfg.MonitorFail[i])
	}
	for _, b := range append(f.choices, f.backend) {
		if b != nil {
			f.looks.addPage(b.cfg.Stats)
		}
	}
	f.looks.addPage(f.cfg.Stats)
	for _, gates := range []rule.Gates{r.Connection, r.Session, r.Content} {
		for i := range gates {
			f.looks.add(&gates[i].If)
		}
	}
	return problems
}

func (l *looks) add(c *rule.Condition) {
	l.destination = l.destination || c.Uses("dst") || c.Uses("dst_port")
	l.security = l.security || c.Uses("ssl_fc") || c.Uses("ssl_fc_sni")
}

// addPage adds what decides who may see and use a page.
func (l *looks) addPage(st *settings.Stats) {
	if st == nil {
		return
	}
	for i := range st.Admin {
		l.add(&st.Admin[i])
	}
	for i := range st.Access {
		l.add(&st.Access[i].If)
	}
}

// look is what rules can see of the client. It is the loop's: the next one
// that looks overwrites it.
func (c *client) look() *expr.Input {
	in := &c.w.look
	*in = expr.Input{Source: c.peer, World: c.w.s, Final: true}
	if l := c.port.fe.looks; l.destination {
		in.Destination = c.local()
	}
	if c.port.fe.looks.security {
		var s security
		if s, in.Secure = c.security(); in.Secure {
			in.ServerName = s.serverName
		}
	}
	return in
}

// Up is how many servers of a backend are up, for rules.
func (s *Server) Up(name string) (int, bool) {
	b := s.byName[name]
	if b == nil {
		return 0, false
	}
	active, backup, _ := b.group.Counts()
	return active + backup, true
}

// refusedBy reports whether rules that do not wait refuse the client.
func (c *client) refusedBy(gates rule.Gates) bool {
	return len(gates) > 0 && gates.Decide(c.look()) == rule.Reject
}

// look is what rules can see of the stream.
func (x *stream) look() *expr.Input {
	in := x.c.look()
	if x.fe.http {
		in.Head, in.Buf, in.HTTP2 = &x.w.head, x.request, x.c.via != nil
	} else {
		in.Data = x.c.in
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

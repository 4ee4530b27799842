package proxy

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"

	"herald/proxy/expr"
	"herald/proxy/h1"
	"herald/proxy/loop"
	"herald/proxy/settings"
	"herald/stats/render"
)

// statsPage is the statistics page that target asks for, if any: the
// frontend's, else the backend's.
func (x *stream) statsPage(target []byte) *settings.Stats {
	switch x.method {
	case h1.MethodGet, h1.MethodHead, h1.MethodPost:
	default: // the servers may know what it means there
		return nil
	}
	for _, st := range [2]*settings.Stats{x.fe.cfg.Stats, x.backendStats()} {
		if st != nil && bytes.HasPrefix(target, []byte(st.URI)) {
			return st
		}
	}
	return nil
}

func (x *stream) backendStats() *settings.Stats {
	if x.chosen == nil {
		return nil
	}
	return x.chosen.cfg.Stats
}

// toProxy reports whether a request for the target is taken for one to a proxy
// (option http-use-proxy-header).
func (x *stream) toProxy(target string) bool {
	return x.fe.cfg.HTTP.UseProxyHeader && target != "" && target[0] != '/' && target[0] != '*'
}

// mostForm bounds the body of a POST to the page.
const mostForm = 64 << 10

// serveStats answers a request for the page. Making it may take long, so a
// goroutine does, and posts the bytes back.
func (x *stream) serveStats(st *settings.Stats, buf []byte) answer {
	h := &x.w.head
	r := render.Request{Method: string(h.MethodAt.In(buf)), URI: string(h.Target.In(buf))}
	authorization := "authorization"
	if x.toProxy(r.URI) {
		r.Proxy, authorization = true, "proxy-authorization"
	}
	for i := range h.Headers {
		f := &h.Headers[i]
		value := string(f.Value.In(buf))
		switch string(f.Name.In(buf)) {
		case authorization:
			r.Authorization = value
		case "host":
			r.Host = value
		case "origin":
			r.Origin = value
		case "sec-fetch-site":
			r.SecFetchSite = value
		case "content-type":
			r.ContentType = value
		}
	}
	x.local, x.page, x.ask = true, st, r
	if st != x.fe.cfg.Stats {
		x.enter(x.chosen)
	}
	if a, refused := x.admit(buf); refused {
		return a
	}
	x.flag('L', 'R')
	if x.be == nil {
		x.tally().intercepted.Add(1)
	}
	rest := buf[h.Len:]
	n, done, v := x.up.body.Scan(rest)
	if v.Bad() || n > mostForm {
		return x.badRequest('P')
	}
	x.ask.Body = append(x.ask.Body, rest[:n]...)
	if len(x.c.in) > 0 {
		x.c.used(h.Len + n)
	} else {
		x.c.hold(rest[n:])
	}
	x.bytesIn -= int64(len(rest) - n)
	x.request = nil
	if done || h.Framing == h1.NoBody {
		return x.makePage()
	}
	x.c.arm(x.fe.cfg.Timeouts.Client)
	return x.to(stepForm)
}

// pageAccess is what the conditions of a page came to.
type pageAccess struct {
	admin, refused bool
	realm          string // asked for in place of the page's; empty means that
}

// admit decides who may see the page, and who may use it.
func (x *stream) admit(buf []byte) (a answer, refused bool) {
	in := x.look()
	x.seen.admin = anyHolds(x.page.Admin, in)
	for i := range x.page.Access {
		r := &x.page.Access[i]
		if r.If.Holds(in) != expr.Found {
			continue
		}
		switch r.Action {
		case settings.StatsDeny:
			x.flag('P', 'R')
			x.tally().deniedReq.Add(1)
			if x.be != nil {
				x.be.tallies[x.w.id].deniedReq.Add(1)
			}
			x.queuedAt, x.connected = x.headAt, x.headAt
			x.take(buf)
			return x.answer(403), true
		case settings.StatsAuth:
			x.seen.refused, x.seen.realm = true, r.Realm
		}
		break
	}
	return next, false
}

// readForm waits for the rest of a POST to the page.
func readForm(x *stream) answer {
	c := x.c
	for c.Can()&loop.Readable != 0 {
		buf := x.w.l.Buffer()
		got, errno := c.Recv(buf)
		if errno == eagain {
			break
		}
		if got == 0 || errno != 0 {
			return x.badRequest('C')
		}
		x.bytesIn += int64(got)
		n, done, v := x.up.body.Scan(buf[:got])
		x.ask.Body = append(x.ask.Body, buf[:n]...)
		if v.Bad() || len(x.ask.Body) > mostForm {
			return x.badRequest('P')
		}
		if done {
			c.hold(buf[n:got])
			return x.makePage()
		}
	}
	if x.late&clientLate != 0 {
		return x.badRequest('c')
	}
	return wait
}

// makePage starts the goroutine that makes the page.
func (x *stream) makePage() answer {
	s, w, id := x.w.s, x.w, x.id
	page, ask := newPage(x.page, x.pageOwner(), x.seen), x.ask
	w.l.Disarm(&x.c.timer)
	s.wg.Go(func() {
		r := render.Respond(page, ask, s.Snapshot, s.applyPage)
		w.l.Post(func() {
			if x.id == id && x.step == stepPage { // else the client has gone
				x.made = &r
				x.drive()
			}
		})
	})
	return x.to(stepPage)
}

// awaitPage sends the page when it is made.
func awaitPage(x *stream) answer {
	if x.c.Can()&loop.Failed != 0 {
		x.aborted()
		return x.end('C', 'D')
	}
	if x.made == nil {
		return wait
	}
	r := x.made
	x.status = r.Status
	x.queuedAt, x.connected, x.dataAt = x.headAt, x.headAt, x.headAt
	x.keep = x.keep && x.fe.keepsClient() && !x.w.s.draining.Load()
	b := append(x.out[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(r.Status)...)
	b = append(b, "\r\n"...)
	for _, f := range r.Header {
		b = h1.AppendField(b, lower(f.Name), []byte(f.Value))
	}
	b = h1.AppendField(b, []byte("content-length"), strconv.AppendInt(nil, int64(len(r.Body)), 10))
	switch h1.ResponseOption(x.version, h1.HTTP11, x.keep) {
	case h1.SayClose:
		b = append(b, "connection: close\r\n"...)
	case h1.SayKeepAlive:
		b = append(b, "connection: keep-alive\r\n"...)
	}
	b = append(b, "\r\n"...)
	b = append(b, r.Body...)
	x.out = b
	return x.say(b)
}

// pageOwner is the name of the proxy whose page is asked for.
func (x *stream) pageOwner() string {
	if x.page != x.fe.cfg.Stats && x.chosen != nil {
		return x.chosen.cfg.Name
	}
	return x.fe.cfg.Name
}

// newPage makes the page of the proxy called owner, which "stats scope ."
// stands for.
func newPage(st *settings.Stats, owner string, seen pageAccess) render.Page {
	p := render.Page{URI: st.URI, Realm: st.Realm, Refresh: st.Refresh, HideVersion: st.HideVersion,
		Legends: st.ShowLegends, Scope: st.Scope, Admin: seen.admin, Refused: seen.refused}
	if seen.realm != "" {
		p.Realm = seen.realm
	}
	if i := slices.Index(p.Scope, "."); i >= 0 {
		p.Scope = slices.Replace(slices.Clone(p.Scope), i, i+1, owner)
	}
	if st.ShowNode {
		p.Node = st.Node
	}
	if st.ShowDesc {
		p.Desc = st.Desc
	}
	for _, u := range st.Users {
		p.Users = append(p.Users, render.User{Name: u.Name, Password: u.Password})
	}
	return p
}

// applyPage carries out a change from the page's form.
func (s *Server) applyPage(c render.Change) bool {
	event, known := pageActions[c.Action]
	if c.Action == "shutdown" {
		return s.ShutdownServerSessions(c.Backend, c.Server) == nil
	}
	return known && s.change(c.Backend, c.Server, event) == nil
}

package proxy

import (
	"time"

	"herald/proxy/logline"
	"herald/proxy/loop"
	"herald/proxy/tlsconn"
)

func (x *stream) tally() *tally { return &x.fe.tallies[x.w.id] }

// aborted counts a client that went away.
func (x *stream) aborted() {
	x.tally().clientAborts.Add(1)
	if x.be != nil {
		x.be.tallies[x.w.id].clientAborts.Add(1)
	}
	if x.t != nil {
		x.t.tallies[x.w.id].clientAborts.Add(1)
	}
}

// serverAborted counts a server that broke off.
func (x *stream) serverAborted() {
	x.keepServer = false
	x.tally().serverAborts.Add(1)
	x.be.tallies[x.w.id].serverAborts.Add(1)
	x.t.tallies[x.w.id].serverAborts.Add(1)
}

// account counts a finished stream.
func (x *stream) account() {
	now := x.now()
	f := x.tally()
	f.bytesIn.Add(uint64(x.bytesIn))
	f.bytesOut.Add(uint64(x.bytesOut))
	class := -1
	if x.fe.http && x.headAt != 0 || x.status > 0 {
		class = responseClass(x.status)
	}
	if class >= 0 {
		f.resp[class].Add(1)
	}
	if x.be == nil {
		return
	}
	x.count(&x.be.tallies[x.w.id], class, now)
	if x.fe.http {
		x.be.tallies[x.w.id].requests.Add(1)
	}
	if x.assigned != nil {
		n := &x.assigned.tallies[x.w.id]
		if x.dataAt == 0 { // the answer, if any, is not the server's
			class = -1
		}
		x.count(n, class, now)
		if x.fe.http && x.dataAt != 0 {
			n.requests.Add(1)
		}
	}
}

func (x *stream) count(n *tally, class int, now int64) {
	n.bytesIn.Add(uint64(x.bytesIn))
	n.bytesOut.Add(uint64(x.bytesOut))
	if class >= 0 {
		n.resp[class].Add(1)
	}
	n.queueTime.add(span(x.headAt, x.queuedAt))
	n.connectTime.add(span(x.queuedAt, x.connected))
	n.responseTime.add(span(x.connected, x.dataAt))
	n.totalTime.add(span(x.began, now))
}

// span is from a to b in milliseconds, -1 when either was not reached.
func span(a, b int64) int64 {
	if a == 0 || b == 0 {
		return -1
	}
	return (b - a) / int64(time.Millisecond)
}

// responseClass is 0..4 for 1xx..5xx and 5 for the others.
func responseClass(status int) int {
	if status >= 100 && status < 600 {
		return status/100 - 1
	}
	return 5
}

// leaveServer gives back the connection and the place on the server.
func (x *stream) leaveServer() {
	if u := x.u; u != nil {
		x.u = nil
		if x.keepServer && x.up.done && x.down.done && x.headSent {
			u.park()
		} else if x.term[0] != '-' && x.fe.http {
			u.Reset()
			u.close()
		} else if x.term[0] == 'C' && x.term[1] == 'D' { // what it sent must not pass for all
			if t := tlsconn.On(&u.Socket); t != nil {
				t.Break()
			}
			u.Reset()
			u.close()
		} else if x.fe.http && x.up.done && x.down.done {
			u.drop()
		} else {
			u.close()
		}
	}
	x.vacate()
	if x.be != nil {
		x.be.sessions.down()
	}
}

// vacate gives back the place on the server alone.
func (x *stream) vacate() {
	if t := x.t; t != nil {
		x.t = nil
		t.leave()
	}
}

// writeLog logs the finished stream, if it is to be logged.
func (x *stream) writeLog() {
	lg := x.fe.log
	if len(lg.targets) == 0 || x.local && x.page == nil { // monitor-uri is never logged
		return
	}
	cfg := x.fe.cfg
	failed := x.term[0] != '-' && x.term[0] != 'L' || x.fe.http && x.status >= 500 || x.retries > 0 || x.redispatched
	switch {
	case cfg.DontLogNull && x.bytesIn == 0 && x.headAt == 0:
		return
	case cfg.DontLogNull && !x.fe.http && x.bytesIn == 0 && x.bytesOut == 0:
		return
	case cfg.DontLogNormal && !failed:
		return
	}
	level := logline.Info
	if failed && cfg.LogSeparateErrors {
		level = logline.Err
	}
	if x.fe.identity != nil && x.unique == nil && x.fe.http && x.headAt == 0 {
		x.unique = nothing // there is no request to tell from others
	}
	x.uniqueID()
	x.fill(&x.w.record)
	x.w.record.LogCounter = uint(x.fe.logged.Add(1)) - 1
	lg.traffic(x.w, level, &x.w.record)
}

// fill writes down what the log line can tell.
func (x *stream) fill(r *logline.Record) {
	w, now := x.w, x.now()
	c := x.c
	*r = logline.Record{
		Accept: w.l.Wall().Add(time.Duration(x.accept - now)),
		HTTP:   x.fe.http,
		Client: c.peer, ListenerID: c.port.id,
		Frontend: x.fe.cfg.Name, Bind: c.port.bind.Name,
		Status: x.status, BytesIn: x.bytesIn, BytesOut: x.bytesOut,
		Term: x.term, Retries: x.retries, Redispatched: x.redispatched,
		ActConn: int(w.s.conns.now.Load()), FeConn: int(x.fe.conns.now.Load()),
		SrvQueue: x.serverAhead, BackendQueue: x.queuedAhead,
		Counter: uint(x.id), UniqueID: x.unique,
		Host: w.s.opts.Node, PID: w.s.opts.Pid,
	}
	r.Times = logline.Times{Idle: x.millis(x.began), Request: x.millis(x.headAt), Queue: x.millis(x.queuedAt),
		Connect: x.millis(x.connected), Data: x.millis(x.dataAt), Close: x.millis(now)}
	if x.be == nil && x.term[0] == 'S' { // without a backend, HAProxy takes the head for one that never came
		r.Times.Request = -1
	}
	x.handshakeTime(r)
	if x.status == 0 && !x.unborn && x.fe.http {
		r.Status = -1
	}
	if len(x.line) > 0 {
		r.Request = x.line
	}
	if c := x.caught; c != nil {
		r.RequestHeaders, r.ResponseHeaders, r.RequestCookie, r.ResponseCookie = c.request, c.response, c.requestCookie, c.answerCookie
	}
	if x.be != nil {
		r.Backend = x.be.cfg.Name
		r.BeConn = int(x.be.sessions.now.Load()) - 1
	}
	if t := x.assigned; t != nil {
		r.Server = t.cfg.Name
		r.SrvConn = int(t.sessions.now.Load())
		if x.t == t { // HAProxy's numbers of the backend and the server leave this stream out
			r.SrvConn--
		}
		if a := t.addr.Load(); a != nil {
			r.ServerAddr = a.ip
		}
	}
	if x.page != nil {
		r.Backend, r.Server = x.pageOwner(), "<STATS>"
	}
	if c.port.tls != nil {
		x.fillTLS(r)
	}
	if x.fe.log.custom {
		r.Local = c.local()
		if x.u != nil {
			r.ServerSource = loop.LocalAddr(x.u.wire().FD())
		}
	}
}

package proxy

import (
	"math"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"herald/stats"
)

// Snapshot answers the statistics of this moment. It reads counters of all
// loops without stopping them, so rows may differ by a request.
func (s *Server) Snapshot() stats.Snapshot {
	now := time.Now()
	snap := stats.Snapshot{At: now, Info: s.info(now)}
	if list := s.instances.Load(); list != nil {
		snap.Instances = *list
	}
	byName := map[string]*backend{}
	for _, b := range s.backends {
		byName[b.cfg.Name] = b
	}
	fronts := map[string]*frontend{}
	for _, f := range s.frontends {
		fronts[f.cfg.Name] = f
	}
	for _, p := range s.cfg.Proxies {
		f, b := fronts[p.Name], byName[p.Name]
		if !p.Frontend {
			f = nil
		}
		if !p.Backend {
			b = nil
		}
		if f == nil && b == nil {
			continue
		}
		out := stats.Proxy{Name: p.Name, ID: p.ID, Mode: modeName(p.Mode == 1), Stats: p.Stats != nil, FrontendCap: f != nil, BackendCap: b != nil}
		if f != nil {
			out.Rows = append(out.Rows, s.frontendRow(f))
		}
		if b != nil {
			b.mu.Lock()
			for _, t := range b.targets {
				out.Rows = append(out.Rows, s.targetRow(t, now))
			}
			out.Rows = append(out.Rows, s.backendRow(b, now))
			b.mu.Unlock()
		}
		snap.Proxies = append(snap.Proxies, out)
	}
	return snap
}

func modeName(http bool) string {
	if http {
		return "http"
	}
	return "tcp"
}

func (s *Server) info(now time.Time) stats.Info {
	i := stats.Info{
		Name: "HAProxy", Version: s.opts.Version, ReleaseDate: s.opts.ReleaseDate, Node: s.opts.Node, Description: s.cfg.Global.Description, Pid: s.opts.Pid,
		Threads: len(s.workers), UptimeSec: int64(now.Sub(s.start).Seconds()), StartSec: s.start.Unix(),
		MaxConn: uint64(max(s.maxConn.Load(), 0)), HardMaxConn: uint64(s.defaultMaxConn()),
		CurrConns: uint64(max(s.conns.now.Load(), 0)),
		ConnRate:  s.connRate.now.Load(), MaxConnRate: s.connRate.most.Load(), ConnRateLimit: uint64(s.connPace.limit.Load()),
		SessRate: s.connRate.now.Load(), MaxSessRate: s.connRate.most.Load(), SessRateLimit: uint64(s.sessPace.limit.Load()),
		MaxTLS: uint64(s.tlsRoom.limit), TLSRateLimit: uint64(s.tlsPace.limit.Load()),
		IdlePct: 100, Stopping: s.draining.Load(), DroppedLogs: s.dropped.Load(), BytesOutRate: s.byteRate.now.Load(),
	}
	s.tls.fill(&i)
	for _, f := range s.frontends {
		i.CumConns += total(f.tallies, func(t *tally) *atomic.Uint64 { return &t.conns })
		i.CumTLS += total(f.tallies, func(t *tally) *atomic.Uint64 { return &t.tlsSessions }) + total(f.tallies, func(t *tally) *atomic.Uint64 { return &t.tlsFailed })
		i.CumReq += total(f.tallies, func(t *tally) *atomic.Uint64 { return &t.requests })
		i.TotalBytesOut += total(f.tallies, func(t *tally) *atomic.Uint64 { return &t.bytesOut })
		i.Listeners += uint64(len(f.cfg.Binds))
	}
	i.Jobs = i.Listeners + i.CurrConns
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	i.PoolBytes, i.PoolUsed = samples[0].Value.Uint64(), samples[1].Value.Uint64()
	i.UlimitN = descriptorLimit()
	i.MaxSock = min(i.UlimitN, math.MaxInt32)
	return i
}

// fill writes what all rows count alike.
func fillRow(r *stats.Row, list []tally, sessions *gauge) {
	sum := func(of func(*tally) *atomic.Uint64) uint64 { return total(list, of) }
	r.SessCur = uint64(max(sessions.now.Load(), 0))
	r.SessMax = uint64(max(sessions.most.Load(), 0))
	r.SessTotal = sum(func(t *tally) *atomic.Uint64 { return &t.sessions })
	r.BytesIn = sum(func(t *tally) *atomic.Uint64 { return &t.bytesIn })
	r.BytesOut = sum(func(t *tally) *atomic.Uint64 { return &t.bytesOut })
	r.DeniedReq = sum(func(t *tally) *atomic.Uint64 { return &t.deniedReq })
	r.DeniedResp = sum(func(t *tally) *atomic.Uint64 { return &t.deniedResp })
	r.DeniedConn = sum(func(t *tally) *atomic.Uint64 { return &t.deniedConn })
	r.DeniedSess = sum(func(t *tally) *atomic.Uint64 { return &t.deniedSess })
	r.ErrReq = sum(func(t *tally) *atomic.Uint64 { return &t.errReq })
	r.ErrConn = sum(func(t *tally) *atomic.Uint64 { return &t.errConn })
	r.ErrResp = sum(func(t *tally) *atomic.Uint64 { return &t.errResp })
	r.ErrInternal = sum(func(t *tally) *atomic.Uint64 { return &t.internal })
	r.Retries = sum(func(t *tally) *atomic.Uint64 { return &t.retries })
	r.Redispatches = sum(func(t *tally) *atomic.Uint64 { return &t.redispatches })
	r.ClientAborts = sum(func(t *tally) *atomic.Uint64 { return &t.clientAborts })
	r.ServerAborts = sum(func(t *tally) *atomic.Uint64 { return &t.serverAborts })
	r.Intercepted = sum(func(t *tally) *atomic.Uint64 { return &t.intercepted })
	r.LBTotal = sum(func(t *tally) *atomic.Uint64 { return &t.chosen })
	r.Connects = sum(func(t *tally) *atomic.Uint64 { return &t.connects })
	r.Reuses = sum(func(t *tally) *atomic.Uint64 { return &t.reuses })
	r.TLSSessions = sum(func(t *tally) *atomic.Uint64 { return &t.tlsSessions })
	r.TLSResumed = sum(func(t *tally) *atomic.Uint64 { return &t.tlsResumed })
	r.TLSFailed = sum(func(t *tally) *atomic.Uint64 { return &t.tlsFailed })
	r.Analyses = sum(func(t *tally) *atomic.Uint64 { return &t.analyses })
	r.ReqTotal = sum(func(t *tally) *atomic.Uint64 { return &t.requests })
	for i := range r.Resp {
		r.Resp[i] = sum(func(t *tally) *atomic.Uint64 { return &t.resp[i] })
	}
	r.QueueTime, r.QueueTimeMax = mean(list, func(t *tally) *average { return &t.queueTime })
	r.ConnectTime, r.ConnectTimeMax = mean(list, func(t *tally) *average { return &t.connectTime })
	r.ResponseTime, r.ResponseTimeMax = mean(list, func(t *tally) *average { return &t.responseTime })
	r.TotalTime, r.TotalTimeMax = mean(list, func(t *tally) *average { return &t.totalTime })
}

func (s *Server) frontendRow(f *frontend) stats.Row {
	r := stats.Row{Type: stats.FrontendRow, Proxy: f.cfg.Name, Name: "FRONTEND", ProxyID: f.cfg.ID, Mode: modeName(f.http), Status: "OPEN"}
	fillRow(&r, f.tallies, &f.conns)
	switch {
	case s.draining.Load():
		r.Status = "STOP"
	case f.off.Load():
		r.Status = "PAUSED"
	case f.paused.Load():
		r.Status = "FULL"
	}
	r.SessLimit = uint64(max(f.maxConn.Load(), 0))
	r.ConnTotal = total(f.tallies, func(t *tally) *atomic.Uint64 { return &t.conns })
	r.SessRate, r.SessRateMax = f.connRate.now.Load(), f.connRate.most.Load()
	r.SessRateLimit = uint64(f.pace.limit.Load())
	r.ConnRate, r.ConnRateMax = r.SessRate, r.SessRateMax
	r.ReqRate, r.ReqRateMax = f.reqRate.now.Load(), f.reqRate.most.Load()
	if f.http {
		r.H1OpenConns, r.H1Conns, r.H1Streams = r.SessCur, r.ConnTotal, r.ReqTotal
		r.H1BytesIn, r.H1BytesOut = r.BytesIn, r.BytesOut
		r.H2 = sumH2(f.tallies)
	}
	return r
}

// backendRow needs the backend's mutex held.
func (s *Server) backendRow(b *backend, now time.Time) stats.Row {
	r := stats.Row{Type: stats.BackendRow, Proxy: b.cfg.Name, Name: "BACKEND", ProxyID: b.cfg.ID, Mode: modeName(b.http), Algo: b.cfg.Balance, Status: "UP"}
	fillRow(&r, b.tallies, &b.sessions)
	r.Active, r.Backup, r.Weight = b.group.Counts()
	r.H2 = sumH2(b.tallies)
	r.FirstWeight, r.NoServers = r.Weight, len(b.targets) == 0
	for _, t := range b.targets {
		if b.group.InUse(t.index) {
			r.UserWeight += t.weight
		}
	}
	down := b.down
	if len(b.targets) > 0 && r.Active+r.Backup == 0 {
		r.Status = "DOWN"
		down += now.Sub(b.since)
	}
	r.CheckDowns = b.downs
	r.QueueCur, r.QueueMax = uint64(b.line.n.now.Load()), uint64(b.line.n.most.Load())
	r.SessLimit = uint64(b.full)
	r.LastChange, r.Downtime = int64(now.Sub(b.since).Seconds()), int64(down.Seconds())
	r.LastSession = since(b.lastUse.Load(), now)
	r.SessRate, r.SessRateMax = b.sessRate.now.Load(), b.sessRate.most.Load()
	return r
}

func since(last int64, now time.Time) int64 {
	if last == 0 {
		return -1
	}
	return max(now.Unix()-last, 0)
}

// targetRow needs the backend's mutex held.
func (s *Server) targetRow(t *target, now time.Time) stats.Row {
	r := stats.Row{Type: stats.ServerRow, Proxy: t.be.cfg.Name, Name: t.cfg.Name, ProxyID: t.be.cfg.ID, ID: t.cfg.ID, Mode: modeName(t.be.http),
		Weight: t.force(), Throttle: t.throttle(), UserWeight: t.weight, FirstWeight: t.cfg.Weight, Cookie: t.cfg.Cookie}
	fillRow(&r, t.tallies, &t.sessions)
	r.Observed = t.watched
	r.SessLimit, r.QueueLimit = uint64(max(t.maxConn.Load(), 0)), uint64(t.cfg.MaxQueue)
	r.QueueCur, r.QueueMax = uint64(t.line.n.now.Load()), uint64(t.line.n.most.Load())
	r.LastSession = since(t.lastUse.Load(), now)
	r.SessRate, r.SessRateMax = t.sessRate.now.Load(), t.sessRate.most.Load()
	r.IdleConns = uint64(max(t.idle.Load(), 0))
	r.SafeIdle = r.IdleConns
	r.UsedConns, r.NeedConns = r.SessCur, r.SessMax
	t.state.Fill(t.check, now, &r)
	r.CheckRunning = t.running
	r.Tracked = t.check.Via
	r.Server.ForcedBackendID, r.Server.ForcedID = t.be.cfg.ForcedID, t.cfg.ForcedID
	if a := t.addr.Load(); a != nil {
		r.Addr = a.text
		r.Server.Host, r.Server.Port = a.unix, int(a.ip.Port())
		if a.unix == "" {
			r.Server.Host = a.ip.Addr().String()
		}
	}
	r.Server.CheckPort, r.Server.CheckAddr = t.aim.checkPort, t.aim.checkAddr
	r.Server.AgentPort, r.Server.AgentAddr = t.aim.agent.Port, t.aim.agent.Addr
	r.AgentRunning = t.asking
	t.fillName(&r)
	return r
}

// descriptorLimit is the soft limit of open descriptors.
func descriptorLimit() uint64 {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	return r.Cur
}

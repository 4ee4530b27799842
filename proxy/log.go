package proxy

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"herald/proxy/logline"
	"herald/proxy/settings"
)

// sink is one opened log target, shared by all proxies that name it.
type sink struct {
	network, address string
	out              Sink
	gathers          int // place among the sinks whose lines a loop gathers, from 1; 0: not one of them
}

// openSinks opens every log target of the configuration once.
func (s *Server) openSinks() error {
	if s.opts.OpenLog == nil {
		return nil
	}
	all := s.cfg.Global.Logs
	for _, p := range s.cfg.Proxies {
		all = append(all[:len(all):len(all)], p.Logs...)
	}
	var problems []error
	for _, target := range all {
		if s.sink(target) != nil {
			continue
		}
		out, err := s.opts.OpenLog(target)
		if err != nil {
			problems = append(problems, fmt.Errorf("log %s: %w", target.Address, err))
			continue
		}
		k := &sink{target.Network, target.Address, out, 0}
		if m, ok := out.(ManySink); ok && m.Gathers() {
			s.gathering = append(s.gathering, m)
			k.gathers = len(s.gathering)
		}
		s.sinks = append(s.sinks, k)
	}
	return errors.Join(problems...)
}

func (s *Server) sink(t settings.LogTarget) *sink {
	for _, k := range s.sinks {
		if k.network == t.Network && k.address == t.Address {
			return k
		}
	}
	return nil
}

// logger writes the lines of one proxy. It is immutable but for the dates,
// which belong to mu; loops bring their own.
type logger struct {
	s       *Server
	format  *logline.Format
	custom  bool // the format may ask for what costs a system call
	secure  bool // the format asks for the client's TLS
	targets []logTarget

	mu    sync.Mutex
	dates logline.Dates
}

type logTarget struct {
	header logline.Header
	*sink
}

func (s *Server) newLogger(p *settings.Proxy) *logger {
	lg := &logger{s: s}
	lg.dates.Zone = s.start.Location()
	switch p.LogFormat {
	case settings.LogTCP:
		lg.format = logline.TCP
	case settings.LogHTTP:
		lg.format = logline.HTTP
	case settings.LogHTTPS:
		lg.format = logline.HTTPS
	case settings.LogCLF:
		lg.format = logline.CLF
	case settings.LogCustom:
		f, err := logline.Compile(p.LogFormatText)
		if err != nil {
			s.notice(p.Name + ": log-format: " + err.Error())
			f = logline.Default
		}
		lg.format = f
	default:
		lg.format = logline.Default
	}
	lg.custom = p.LogFormat == settings.LogCustom || p.LogFormat == settings.LogDefault
	lg.secure = lg.format.Needs("sslv", "sslc", "[ssl_c_err]", "[ssl_c_ca_err]", "[ssl_fc_is_resumed]", "[ssl_fc_sni]")
	tag := p.LogTag
	if tag == "" {
		tag = s.cfg.Global.LogTag
	}
	if tag == "" {
		tag = "haproxy"
	}
	for _, t := range p.Logs {
		k := s.sink(t)
		if k == nil {
			continue
		}
		form, _ := logline.ParseForm(t.Format)
		lg.targets = append(lg.targets, logTarget{sink: k, header: logline.Header{Form: form, Facility: t.Facility,
			MinLevel: logline.Level(t.MinLevel), MaxLevel: logline.Level(t.MaxLevel), MaxLen: t.MaxLen, Tag: tag,
			Host: s.cfg.Global.LogSendHostname, PID: s.opts.Pid}})
	}
	return lg
}

// traffic writes one traffic line from loop w.
func (lg *logger) traffic(w *worker, level logline.Level, r *logline.Record) {
	w.lines = lg.format.Append(w.lines[:0], r, &w.dates)
	lg.send(w, level)
}

// send writes the line in w.lines: at once, or with the others of this turn
// of the loop.
func (lg *logger) send(w *worker, level logline.Level) {
	for i := range lg.targets {
		t := &lg.targets[i]
		if !t.header.Wants(level) {
			continue
		}
		if t.gathers > 0 {
			w.gather(t.gathers-1, &t.header, level)
			continue
		}
		w.message = t.header.Append(w.message[:0], level, w.l.Wall(), w.lines, &w.dates)
		if !t.out.Send(w.message) {
			lg.s.dropped.Add(1)
		}
	}
}

// gathered are lines of one turn of a loop for one target.
type gathered struct {
	text []byte
	ends []int
}

// What a loop gathers at most before it sends.
const (
	mostLines     = 64
	mostLineBytes = 32 << 10
)

// gather keeps the line in w.lines for the end of the turn.
func (w *worker) gather(k int, h *logline.Header, level logline.Level) {
	g := &w.letters[k]
	g.text = h.Append(g.text, level, w.l.Wall(), w.lines, &w.dates)
	g.ends = append(g.ends, len(g.text))
	if len(g.ends) >= mostLines || len(g.text) >= mostLineBytes {
		w.post(k)
	}
}

// post sends what was gathered for target k.
func (w *worker) post(k int) {
	g := &w.letters[k]
	if len(g.ends) == 0 {
		return
	}
	if lost := w.s.gathering[k].SendMany(g.text, g.ends); lost > 0 {
		w.s.dropped.Add(uint64(lost))
	}
	g.text, g.ends = g.text[:0], g.ends[:0]
}

// postAll sends what was gathered for every target.
func (w *worker) postAll() {
	for k := range w.letters {
		w.post(k)
	}
}

// event writes one line about the proxy itself, from any goroutine.
func (lg *logger) event(level logline.Level, text string) {
	lg.mu.Lock()
	defer lg.mu.Unlock()
	now := time.Now()
	for i := range lg.targets {
		t := &lg.targets[i]
		if t.header.Wants(level) && !t.out.Send(t.header.Append(nil, level, now, []byte(text), &lg.dates)) {
			lg.s.dropped.Add(1)
		}
	}
}

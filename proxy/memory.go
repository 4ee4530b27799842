package proxy

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"time"

	"herald/proxy/check"
	"herald/proxy/settings"
)

// This file is what one generation leaves to the next: the health of servers,
// what an operator said about them, averages and maxima. What it counts is in
// totals.go.

// memory is the whole of it, by the names of the configuration.
type memory struct {
	Limit     limitMemory            `json:"limit"` // of the process
	Rates     []limitMemory          `json:"rates,omitempty"`
	Frontends map[string]frontMemory `json:"frontends,omitempty"`
	Backends  map[string]backMemory  `json:"backends,omitempty"`
}

type frontMemory struct {
	Off      bool        `json:"off,omitempty"` // disabled by the operator
	Limit    limitMemory `json:"limit"`
	Times    timesMemory `json:"times"`
	Most     int64       `json:"most,omitempty"`
	ConnRate uint64      `json:"conn_rate,omitempty"` // the highest
	ReqRate  uint64      `json:"req_rate,omitempty"`
	Logged   uint64      `json:"logged,omitempty"`
}

type backMemory struct {
	Times   timesMemory             `json:"times"`
	Most    int64                   `json:"most,omitempty"`
	Queued  int64                   `json:"queued,omitempty"`
	Rate    uint64                  `json:"rate,omitempty"`
	Since   time.Time               `json:"since"`
	Down    time.Duration           `json:"down,omitempty"`
	Downs   uint64                  `json:"downs,omitempty"`
	Empty   bool                    `json:"empty,omitempty"`
	LastUse int64                   `json:"last_use,omitempty"`
	Servers map[string]serverMemory `json:"servers,omitempty"`
}

type serverMemory struct {
	Named   namedMemory  `json:"named"`
	Set     setMemory    `json:"set"`
	Times   timesMemory  `json:"times"`
	Most    int64        `json:"most,omitempty"`
	Rate    uint64       `json:"rate,omitempty"`
	LastUse int64        `json:"last_use,omitempty"`
	Weight  int          `json:"weight"`
	State   check.State  `json:"state"`
	Config  check.Config `json:"config"` // of that time, as are the next two
	Address string       `json:"address"`
	First   int          `json:"first"` // the weight of the file
}

// timesMemory are the averages of a tally in their order, each with its sum,
// samples and maximum.
type timesMemory [][3]uint64

// Memory encodes what a successor can go on from. Any goroutine may call it.
func (s *Server) Memory() ([]byte, error) {
	m := memory{Limit: limitMemory{s.maxConn.Load(), int64(s.defaultMaxConn())}, Frontends: map[string]frontMemory{}, Backends: map[string]backMemory{}}
	for i, p := range s.paces() {
		m.Rates = append(m.Rates, limitMemory{p.limit.Load(), s.fileRates()[i]})
	}
	for _, f := range s.frontends {
		m.Frontends[f.cfg.Name] = frontMemory{Off: f.off.Load(), Limit: limitMemory{f.maxConn.Load(), s.fileLimit(f)}, Times: remember(f.tallies), Most: f.conns.most.Load(),
			ConnRate: f.connRate.most.Load(), ReqRate: f.reqRate.most.Load(), Logged: f.logged.Load()}
	}
	for _, b := range s.backends {
		m.Backends[b.cfg.Name] = b.remember()
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode the proxy's memory: %w", err)
	}
	return raw, nil
}

func (b *backend) remember() backMemory {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := backMemory{Times: remember(b.tallies), Most: b.sessions.most.Load(), Queued: b.line.n.most.Load(), Rate: b.sessRate.most.Load(),
		Since: b.since, Down: b.down, Downs: b.downs, Empty: b.empty, LastUse: b.lastUse.Load(), Servers: map[string]serverMemory{}}
	for _, t := range b.targets {
		m.Servers[t.cfg.Name] = serverMemory{Set: t.rememberSet(), Named: t.rememberName(), Times: remember(t.tallies), Most: t.sessions.most.Load(), Rate: t.sessRate.most.Load(),
			LastUse: t.lastUse.Load(), Weight: t.weight, State: t.state, Config: t.check, Address: checkedAt(t.cfg), First: t.cfg.Weight}
	}
	return m
}

// checkedAt names what a health check of the server asks, by the file.
func checkedAt(cfg *settings.Server) string {
	return net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)) + cfg.Path + "|" + net.JoinHostPort(cfg.CheckAddr, strconv.Itoa(cfg.CheckPort))
}

// remember adds the loops' averages up.
func remember(list []tally) timesMemory {
	m := make(timesMemory, len(list[0].averages()))
	for i := range list {
		for j, a := range list[i].averages() {
			to := &m[j]
			to[0], to[1], to[2] = to[0]+a.sum.Load(), to[1]+a.samples.Load(), max(to[2], a.max.Load())
		}
	}
	return m
}

// Recall goes on from what Memory of another Server gave. It comes between
// New and Serve. What the configuration does not have any more is forgotten;
// after an error nothing was taken.
func (s *Server) Recall(raw []byte) error {
	var m memory
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("decode the proxy's memory: %w", err)
	}
	now := time.Now()
	s.maxConn.Store(m.Limit.recall(int64(s.defaultMaxConn())))
	for i, p := range s.paces() {
		if i < len(m.Rates) {
			p.limit.Store(m.Rates[i].recall(s.fileRates()[i]))
		}
	}
	for _, f := range s.frontends {
		old, known := m.Frontends[f.cfg.Name]
		if !known {
			continue
		}
		recall(f.tallies, old.Times)
		f.off.Store(old.Off)
		f.maxConn.Store(old.Limit.recall(s.fileLimit(f)))
		f.conns.most.Store(old.Most)
		f.connRate.most.Store(old.ConnRate)
		f.reqRate.most.Store(old.ReqRate)
		f.logged.Store(old.Logged)
	}
	for _, b := range s.backends {
		if old, known := m.Backends[b.cfg.Name]; known {
			b.recall(old, now)
		}
	}
	s.followAll(now)
	return nil
}

func (b *backend) recall(old backMemory, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	recall(b.tallies, old.Times)
	b.sessions.most.Store(old.Most)
	b.line.n.most.Store(old.Queued)
	b.sessRate.most.Store(old.Rate)
	b.lastUse.Store(old.LastUse)
	for _, t := range b.targets {
		if m, known := old.Servers[t.cfg.Name]; known {
			t.recall(m, now)
		}
		b.group.Set(t.index, t.member())
	}
	active, backup, _ := b.group.Counts()
	b.downs, b.down = old.Downs, old.Down
	b.empty = len(b.targets) > 0 && active+backup == 0
	switch {
	case b.empty == old.Empty:
		b.since = old.Since
	case old.Empty:
		b.down += now.Sub(old.Since)
	}
}

// recall needs the backend's mutex held.
func (t *target) recall(old serverMemory, now time.Time) {
	recall(t.tallies, old.Times)
	t.sessions.most.Store(old.Most)
	t.sessRate.most.Store(old.Rate)
	t.lastUse.Store(old.LastUse)
	if old.First == t.cfg.Weight { // else the file has a new word on it
		t.weight = old.Weight
	}
	t.recallSet(old.Set)
	t.recallName(old.Named, now)
	defer t.heat(now)
	t.state = check.Resume(old.Config, t.check, t.state, old.State, old.Address != checkedAt(t.cfg), now)
}

// recall puts the times of before into the first loop's tally.
func recall(list []tally, m timesMemory) {
	averages := list[0].averages()
	if len(m) != len(averages) {
		return
	}
	for i, a := range averages {
		sum, samples := m[i][0], m[i][1]
		if samples > window { // of several loops
			sum, samples = sum/samples*window, window
		}
		a.sum.Store(sum)
		a.samples.Store(samples)
		a.max.Store(m[i][2])
	}
}

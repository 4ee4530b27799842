package proxy

import (
	"net/netip"
	"strings"
	"time"

	"herald/proxy/check"
	"herald/proxy/dns"
)

// namedMemory is what a successor goes on with of a server whose name is
// resolved ("init-addr last").
type namedMemory struct {
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	At      string `json:"at,omitempty"` // what the file says
}

func (t *target) rememberName() namedMemory {
	if t.cfg.Path != "" {
		return namedMemory{}
	}
	m := namedMemory{At: writtenAt(t.cfg)}
	if a := t.addr.Load(); a != nil {
		m.Address = a.text
	}
	if t.naming != nil {
		m.Name = t.naming.name()
	}
	return m
}

// recallName comes before Serve, with the backend's mutex held: nobody else
// knows of the names yet.
func (t *target) recallName(m namedMemory, now time.Time) {
	if m.At == "" || m.At != writtenAt(t.cfg) || !t.goesOn() {
		return
	}
	if _, err := netip.ParseAddr(t.cfg.Host); err == nil {
		return
	}
	at, err := netip.ParseAddrPort(m.Address)
	if err != nil {
		return
	}
	t.addr.Store(newAddress(at))
	t.state, _ = check.Step(t.check, t.state, now, check.Event{Kind: check.Located})
	n := t.naming
	if n == nil || m.Name == "" {
		return
	}
	n.of.mu.Lock()
	defer n.of.mu.Unlock()
	if n.set != nil {
		n.slot = dns.Slot{Target: m.Name, Port: at.Port(), Weight: t.weight}
	}
	if !strings.EqualFold(m.Name, n.name()) {
		n.of.want(t, m.Name)
	}
}

// goesOn reports whether init-addr has "last".
func (t *target) goesOn() bool {
	return t.cfg.InitAddr == "" || t.cfg.ByService() || strings.Contains(t.cfg.InitAddr, "last")
}

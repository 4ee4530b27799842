package proxy

import (
	"net"
	"net/netip"
	"strconv"

	"herald/proxy/settings"
)

// This file is what of an operator's or an agent's changes a successor goes on
// with beside states and weights: addresses, limits, and frontends that are
// disabled. A value goes on only where the file still says what it said then.

// setMemory is what was set of a server.
type setMemory struct {
	Address string `json:"address,omitempty"` // set at run time; empty when it was not
	At      string `json:"at"`                // what the file says
	MaxConn int64  `json:"max_conn"`
	MinConn int64  `json:"min_conn"`
	First   int    `json:"first"`  // maxconn of the file
	Aim     spot   `json:"aim"`    // where checks go
	AimAt   spot   `json:"aim_at"` // where the file has them go
}

// limitMemory is a maxconn of a frontend or of the process.
type limitMemory struct {
	Now   int64 `json:"now"`
	First int64 `json:"first"` // of the file
}

// recall answers the limit in force, first being that of the file now.
func (m limitMemory) recall(first int64) int64 {
	if m.First == first && m.Now != 0 {
		return m.Now
	}
	return first
}

// limitTo sets a server's maxconn; 0 means no limit.
func (t *target) limitTo(n int64) {
	if t.minConn.Load() == t.maxConn.Load() {
		t.minConn.Store(n)
	}
	t.maxConn.Store(n)
	if n > 0 {
		t.be.limited.Store(true)
	}
	t.moved()
}

// writtenAt names the address of the file.
func writtenAt(cfg *settings.Server) string {
	return net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)) + cfg.Path
}

func (t *target) rememberSet() setMemory {
	m := setMemory{At: writtenAt(t.cfg), MaxConn: t.maxConn.Load(), MinConn: t.minConn.Load(), First: t.cfg.MaxConn,
		Aim: t.aim.spot(), AimAt: fileSpot(t.cfg)}
	if a := t.addr.Load(); a != nil && t.placed.Load() {
		m.Address = a.text
	}
	return m
}

func (t *target) recallSet(m setMemory) {
	if at, err := netip.ParseAddrPort(m.Address); err == nil && m.At == writtenAt(t.cfg) {
		t.addr.Store(newAddress(at))
		t.placed.Store(true)
	}
	if m.At != "" && m.First == t.cfg.MaxConn && m.MaxConn != t.maxConn.Load() {
		t.limitTo(m.MaxConn)
	}
	if m.At != "" && m.AimAt == fileSpot(t.cfg) {
		t.aim.put(m.Aim)
	}
}

// fileLimit is the maxconn of f as the file has it.
func (s *Server) fileLimit(f *frontend) int64 {
	if n := f.cfg.MaxConn; n > 0 {
		return int64(n)
	}
	return int64(s.defaultMaxConn())
}

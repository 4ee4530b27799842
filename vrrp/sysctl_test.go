package vrrp

import (
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

// SetSysctl makes a fakeHost the Sysctls port.
func (h *fakeHost) SetSysctl(v settings.Sysctl) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before, known := h.sysctls[v.Device]
	if !known {
		before = "0"
	}
	if h.sysctls == nil {
		h.sysctls = map[string]string{}
	}
	h.sysctls[v.Device] = v.Value
	h.note("sysctl %s %s", v.Device, v.Value)
	return before, nil
}

func promoting() *settings.Config {
	cfg := seed()
	cfg.Instances[0].Sysctls = []settings.Sysctl{{Device: "eth0", Name: settings.PromoteSecondaries, Value: "1"}}
	return cfg
}

func beginSysctl(t *testing.T, h *fakeHost, cfg *settings.Config, blob []byte) *Server {
	ports := h.ports()
	ports.Sysctls = h
	return beginPorts(t, h, ports, cfg, blob)
}

func TestSysctlsAreSetAtTheStartAndBackAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := beginSysctl(t, h, promoting(), nil)
		elapse(100 * time.Millisecond)
		wantTrace(t, h.since(), "0.000 sysctl eth0 1")
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		next := beginSysctl(t, h, promoting(), blob)
		elapse(100 * time.Millisecond)
		wantTrace(t, h.since(), "0.100 sysctl eth0 1")
		if err := next.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantTrace(t, h.since(), "0.200 sysctl eth0 0")
	})
}

func TestASysctlNoLongerConfiguredIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := beginSysctl(t, h, promoting(), nil)
		elapse(100 * time.Millisecond)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		beginSysctl(t, h, seed(), blob)
		elapse(100 * time.Millisecond)
		wantTrace(t, h.since(), "0.100 sysctl eth0 0")
	})
}

func TestAnInterfaceThatComesAnewIsSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		beginSysctl(t, h, promoting(), nil)
		elapse(100 * time.Millisecond)
		h.since()
		h.change(func() {
			i := h.snap["eth0"]
			i.Index += 100
			i.Addresses = append([]vip.Present(nil), i.Addresses...)
			h.snap["eth0"] = i
			h.sysctls = nil
		})
		elapse(100 * time.Millisecond)
		wantTrace(t, h.since(), "0.100 sysctl eth0 1")
	})
}

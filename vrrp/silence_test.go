package vrrp

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

// Silence makes a fakeHost the Firewall port.
func (h *fakeHost) Silence(list []settings.Address) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("silent [%s]", addressList(list))
	return nil
}

// inKernel is what happened but what the loop sent: jobs run beside it.
func inKernel(h *fakeHost) string {
	return strings.Join(slices.DeleteFunc(strings.Split(h.since(), "\n"), func(line string) bool {
		return strings.Contains(line, " arp ") || strings.Contains(line, " send ")
	}), "\n")
}

func silentConfig() *settings.Config {
	cfg := seed()
	cfg.Instances[0].NoAccept = true
	return cfg
}

func beginSilent(t *testing.T, h *fakeHost, cfg *settings.Config, blob []byte) *Server {
	ports := h.ports()
	ports.Firewall = h
	return beginPorts(t, h, ports, cfg, blob)
}

func TestASilentAddressIsSilentBeforeItIsThereAndUntilItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		beginSilent(t, h, silentConfig(), nil)
		elapse(3700 * time.Millisecond)
		wantTrace(t, inKernel(h), "0.000 silent []\n3.610 silent [10.1.1.10/32 dev eth0]\n3.610 add 10.1.1.10/32")
		h.advert(t, "10.1.1.21", 200)
		elapse(50 * time.Millisecond)
		wantTrace(t, h.since(), "3.700 delete 10.1.1.10/32\n3.700 silent []")
	})
}

func TestAReloadLeavesASilentAddressSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := beginSilent(t, h, silentConfig(), nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		beginSilent(t, h, silentConfig(), blob)
		elapse(100 * time.Millisecond)
		wantTrace(t, inKernel(h), "4.000 silent [10.1.1.10/32 dev eth0]")
	})
}

func TestAReloadWithoutNoAcceptLetsTheAddressAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := beginSilent(t, h, silentConfig(), nil)
		elapse(4 * time.Second)
		blob, err := s.Handover(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		h.since()
		beginSilent(t, h, seed(), blob)
		elapse(100 * time.Millisecond)
		wantTrace(t, inKernel(h), "4.000 silent []")
	})
}

func TestWithoutNftablesItIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		begin(t, h, silentConfig(), nil)
		elapse(4 * time.Second)
		h.logged(t, "the system has no nftables")
	})
}

// Mute belongs to the Firewall port too.
func (h *fakeHost) Mute(list []settings.VirtualMAC) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("mute %v", namesOf(list))
	return nil
}

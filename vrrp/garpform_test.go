package vrrp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func TestAnAnnouncementHasTheFormTheInstanceAsksFor(t *testing.T) {
	for form, want := range map[settings.GarpForm]string{
		settings.GarpRequest: "arp 10.1.1.10",
		settings.GarpReply:   "arp reply 10.1.1.10",
		settings.GarpBoth:    "arp 10.1.1.10\narp reply 10.1.1.10",
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost()
			cfg := seed()
			cfg.Instances[0].Garp.Form = form
			s := begin(t, h, cfg, nil)
			elapse(4 * time.Second)
			got := arps(h.since())
			if got != want {
				t.Errorf("form %d: got %q, want %q", form, got, want)
			}
			frames := map[bool]uint64{true: 2, false: 1}[form == settings.GarpBoth]
			if n := s.Status()[0].Counters.GratuitousSent; n != frames {
				t.Errorf("form %d: %d frames counted, want %d", form, n, frames)
			}
		})
	}
}

// arps are the announcements of a trace, without their times.
func arps(trace string) string {
	var list []string
	for line := range strings.Lines(trace) {
		if _, what, _ := strings.Cut(strings.TrimSpace(line), " "); strings.HasPrefix(what, "arp") {
			list = append(list, what)
		}
	}
	return strings.Join(list, "\n")
}

package vrrp

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/notice"
	"herald/vrrp/settings"
)

// events gathers what others are told: words of lines, with a mark for what
// is repeated or of an instance that is gone.
func events(h *fakeHost) func(notice.Event) {
	return func(e notice.Event) {
		mark := ""
		if e.Repeated {
			mark = " again"
		}
		if e.Former {
			mark = " former"
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, strings.TrimSpace(e.Line())+mark)
	}
}

func (h *fakeHost) wantEvents(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := strings.Join(h.events, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	h.events = nil
}

func TestOthersAreToldOfEveryTransitionInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Notify.PriorityChanges = true
		s := begin(t, h, cfg, nil)
		h.wantEvents(t, `INSTANCE "1" BACKUP 100`)
		elapse(4 * time.Second)
		h.wantEvents(t, `INSTANCE "1" MASTER 100`)
		s.SetProxyServing(true, "")
		h.wantEvents(t, `INSTANCE "1" MASTER_PRIORITY 102`)
		h.advert(t, "10.1.1.21", 90)
		h.wantEvents(t, `INSTANCE "1" MASTER_RX_LOWER_PRI 102`)
		h.advert(t, "10.1.1.21", 200)
		h.wantEvents(t, `INSTANCE "1" BACKUP 102`)
		h.setUp("eth0", false)
		h.wantEvents(t, `INSTANCE "1" FAULT 102`)
		h.setUp("eth0", true)
		h.wantEvents(t, `INSTANCE "1" BACKUP 102`)
		elapse(4 * time.Second)
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		h.wantEvents(t, `INSTANCE "1" MASTER 102`, `INSTANCE "1" STOP 102`)
	})
}

func TestAReloadTellsNothingAgainUnlessAsked(t *testing.T) {
	for name, want := range map[string][]string{"asked": {`INSTANCE "1" MASTER 100 again`}, "not": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				s := begin(t, h, seed(), nil)
				elapse(4 * time.Second)
				h.wantEvents(t, `INSTANCE "1" BACKUP 100`, `INSTANCE "1" MASTER 100`)
				blob, err := s.Handover(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				cfg := seed()
				cfg.Notification.StatesOnReload = name == "asked"
				begin(t, h, cfg, blob)
				h.wantEvents(t, want...)
			})
		})
	}
}

func TestAnInstanceThatIsGoneIsToldAsFaultOrDeleted(t *testing.T) {
	for state, deleted := range map[string]bool{"FAULT": false, "DELETED": true} {
		t.Run(state, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHost()
				cfg := seed()
				cfg.Instances[0].Notify = settings.Notify{TellDeleted: deleted}
				s := begin(t, h, cfg, nil)
				h.wantEvents(t, `INSTANCE "1" BACKUP 100`)
				blob, err := s.Handover(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				begin(t, h, &settings.Config{}, blob)
				h.wantEvents(t, `INSTANCE "1" `+state+` 100 former`)
			})
		})
	}
}

func TestAGroupIsToldBesideItsMembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		second := cfg.Instances[0]
		second.Name, second.VRID = "2", 2
		cfg.Instances = append(cfg.Instances, second)
		cfg.Groups = []settings.Group{{Name: "G", Members: []string{"1", "2"}}}
		cfg.Notification.StatesOnReload = true
		s := begin(t, h, cfg, nil)
		h.wantEvents(t, `INSTANCE "1" BACKUP 100`, `INSTANCE "2" BACKUP 100`, `GROUP "G" BACKUP 0`)
		elapse(4 * time.Second)
		h.wantEvents(t, `INSTANCE "1" MASTER 100`, `INSTANCE "2" MASTER 100`, `GROUP "G" MASTER 0`)
		blob, err := s.Handover(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s = begin(t, h, cfg, blob)
		h.wantEvents(t, `INSTANCE "1" MASTER 100 again`, `INSTANCE "2" MASTER 100 again`, `GROUP "G" MASTER 0 again`)
		// A reload without the group, and one that has it again.
		if blob, err = s.Handover(context.Background()); err != nil {
			t.Fatal(err)
		}
		without := *cfg
		without.Groups, without.Notification.StatesOnReload = nil, false
		s = begin(t, h, &without, blob)
		h.wantEvents(t, `GROUP "G" DELETED 0 former`)
		if blob, err = s.Handover(context.Background()); err != nil {
			t.Fatal(err)
		}
		s = begin(t, h, cfg, blob)
		h.wantEvents(t, `INSTANCE "1" MASTER 100 again`, `INSTANCE "2" MASTER 100 again`, `GROUP "G" MASTER 0 again`)
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		h.wantEvents(t, `INSTANCE "1" STOP 100`, `INSTANCE "2" STOP 100`, `GROUP "G" STOP 0`)
	})
}

package vrrp

import (
	"encoding/json"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
	"herald/vrrp/vip"
)

func TestAnAddressRemovedBySomebodyElseIsPutBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.since()
		h.change(func() { h.drop(address("10.1.1.10/32", "eth0")) })
		wantTrace(t, h.since(), "4.000 add 10.1.1.10/32\n4.000 arp 10.1.1.10")
		wantState(t, s, "MASTER", 100)
		h.logged(t, "10.1.1.10/32 dev eth0 was removed by somebody else")
	})
}

func TestALinkThatGoesDownIsAFaultUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.since()
		h.setUp("eth0", false)
		wantTrace(t, h.since(), "4.000 send eth0 1/0\n4.000 delete 10.1.1.10/32")
		if got := wantState(t, s, "FAULT", 100); got.Why != "interface eth0 is down" {
			t.Errorf("why: got %q", got.Why)
		}
		elapse(10 * time.Second)
		h.setUp("eth0", true)
		synctest.Wait()
		wantState(t, s, "BACKUP", 100)
		if opened, closed := h.sockets(); opened != 2 || closed != 1 {
			t.Errorf("%d sockets opened, %d closed, want the group joined again", opened, closed)
		}
		elapse(4 * time.Second)
		if got := wantState(t, s, "MASTER", 100).History; len(got) != 5 || got[2].To != "FAULT" || got[2].Why != "interface eth0 is down" {
			t.Errorf("history: got %+v", got)
		}
	})
}

func TestAnInterfaceMayComeLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		eth0 := h.snap["eth0"]
		delete(h.snap, "eth0")
		s := begin(t, h, seed(), nil)
		synctest.Wait()
		if got := wantState(t, s, "FAULT", 100); got.Why != "interface eth0 does not exist" {
			t.Errorf("why: got %q", got.Why)
		}
		eth0.Index = 77
		addresses := eth0.Addresses
		eth0.Addresses = nil
		h.change(func() { h.snap["eth0"] = eth0 })
		elapse(time.Second)
		wantState(t, s, "FAULT", 100)
		eth0.Addresses = addresses
		h.change(func() { h.snap["eth0"] = eth0 })
		synctest.Wait()
		wantState(t, s, "BACKUP", 100)
		// It is replaced by another of the same name.
		eth0.Index = 78
		h.change(func() { h.snap["eth0"] = eth0 })
		synctest.Wait()
		if opened, closed := h.sockets(); opened != 2 || closed != 1 {
			t.Errorf("%d sockets opened, %d closed, want a new one for the new index", opened, closed)
		}
		h.change(func() { delete(h.snap, "eth0") })
		synctest.Wait()
		wantState(t, s, "FAULT", 100)
	})
}

func TestAnotherSourceAddressIsUsedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.change(func() {
			i := h.snap["eth0"]
			i.Addresses = []vip.Present{{Prefix: address("10.1.1.99/24", "eth0").Prefix}, {Prefix: address("10.1.1.10/32", "eth0").Prefix}}
			h.snap["eth0"] = i
		})
		synctest.Wait()
		if got := wantState(t, s, "MASTER", 100).Master; got != "10.1.1.99" {
			t.Errorf("source: got %s, want 10.1.1.99", got)
		}
	})
}

func TestASocketThatOnlyFailsIsOpenedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		synctest.Wait()
		h.mu.Lock()
		l := h.links["eth0"]
		l.recvErr = 1000
		h.mu.Unlock()
		l.ready()
		elapse(1500 * time.Millisecond)
		if opened, closed := h.sockets(); opened != 2 || closed != 1 {
			t.Errorf("%d sockets opened, %d closed, want another", opened, closed)
		}
		wantState(t, s, "BACKUP", 100)
		// One error is passed over.
		h.mu.Lock()
		h.links["eth0"].recvErr = 1
		h.mu.Unlock()
		h.advert(t, "10.1.1.21", 101)
		synctest.Wait()
		if got := s.Status()[0].Master; got != "10.1.1.21" {
			t.Errorf("master: got %q, want 10.1.1.21", got)
		}
	})
}

func TestWithoutPermissionNewFails(t *testing.T) {
	h := newHost()
	h.openErr = syscall.EPERM
	if _, err := New(seed(), h.ports()); !errors.Is(err, syscall.EPERM) {
		t.Errorf("got %v, want operation not permitted", err)
	}
	h = newHost()
	h.listErr = syscall.ENOBUFS
	if _, err := New(seed(), h.ports()); !errors.Is(err, syscall.ENOBUFS) {
		t.Errorf("got %v, want no buffer space", err)
	}
}

func TestALeftAddressIsAdoptedUntilAMasterIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		if err := h.Add(address("10.1.1.10/32", "eth0")); err != nil {
			t.Fatal(err)
		}
		h.since()
		begin(t, h, seed(), nil)
		elapse(3700 * time.Millisecond)
		wantTrace(t, h.since(), "3.610 send eth0 1/100\n3.610 arp 10.1.1.10")
		h.logged(t, "10.1.1.10/32 dev eth0 is here already")
	})
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		if err := h.Add(address("10.1.1.10/32", "eth0")); err != nil {
			t.Fatal(err)
		}
		begin(t, h, seed(), nil)
		elapse(time.Second)
		h.since()
		h.advert(t, "10.1.1.21", 100)
		wantTrace(t, h.since(), "1.000 delete 10.1.1.10/32")
	})
}

// handOver starts a master, hands over and returns the host and what was
// handed.
func handOver(t *testing.T, cfg *settings.Config) (*fakeHost, []byte) {
	t.Helper()
	h := newHost()
	s := begin(t, h, cfg, nil)
	s.SetProxyServing(true, "")
	elapse(4 * time.Second)
	wantState(t, s, "MASTER", 102)
	blob, err := s.Handover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	elapse(100 * time.Millisecond)
	h.since()
	return h, blob
}

func TestAnUnchangedReloadIsOneMoreAdvertisement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, blob := handOver(t, seed())
		s := begin(t, h, seed(), blob)
		elapse(time.Second)
		wantTrace(t, h.since(), "4.100 send eth0 1/102\n5.100 send eth0 1/102")
		got := wantState(t, s, "MASTER", 102)
		if got.Counters.BecomeMaster != 1 || len(got.History) != 2 {
			t.Errorf("counters and history do not go on: %+v", got)
		}
		if want := got.History[1].At; !got.Since.Equal(want) {
			t.Errorf("master since %v, want %v as before the reload", got.Since, want)
		}
	})
}

func TestAReloadWithOtherAddressesMovesOnlyThose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := seed()
		before.Instances[0].Addresses = append(before.Instances[0].Addresses, address("10.1.1.11/32", "eth0"))
		h, blob := handOver(t, before)
		after := seed()
		after.Instances[0].Name = "renamed"
		after.Instances[0].Addresses = append(after.Instances[0].Addresses, address("10.1.1.12/32", "eth0"))
		begin(t, h, after, blob)
		elapse(500 * time.Millisecond)
		wantTrace(t, h.since(), "4.100 send eth0 1/102\n4.100 add 10.1.1.12/32\n4.100 delete 10.1.1.11/32\n4.100 arp 10.1.1.10\n4.100 arp 10.1.1.12")
	})
}

func TestAnInstanceThatIsGoneResignsAndReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, blob := handOver(t, seed())
		after := seed()
		after.Instances[0].VRID = 2
		after.Instances[0].Addresses = []settings.Address{address("10.1.1.12/32", "eth0")}
		s := begin(t, h, after, blob)
		elapse(500 * time.Millisecond)
		wantTrace(t, h.since(), "4.100 send eth0 1/0\n4.100 delete 10.1.1.10/32")
		wantState(t, s, "BACKUP", 102)
		h.logged(t, "(1) no longer configured, released")
	})
}

func TestAfterACrashTheLastStateGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		elapse(4 * time.Second)
		h.mu.Lock()
		blob := h.states[len(h.states)-1]
		h.mu.Unlock()
		// The process dies; what it did to the host stays.
		if _, err := s.Handover(t.Context()); err != nil {
			t.Fatal(err)
		}
		elapse(200 * time.Millisecond)
		h.since()
		next := begin(t, h, seed(), blob)
		wantTrace(t, h.since(), "4.200 send eth0 1/100")
		wantState(t, next, "MASTER", 100)
	})
}

func TestAfterAWithdrawalItStartsAsBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, blob := handOver(t, seed())
		h.change(func() { h.drop(address("10.1.1.10/32", "eth0")) })
		s := begin(t, h, seed(), blob)
		if got := wantState(t, s, "BACKUP", 102); got.Counters.BecomeMaster != 1 {
			t.Errorf("counters do not go on: %+v", got.Counters)
		}
		wantTrace(t, h.since(), "")
	})
}

func TestAnAddressTheBlobDoesNotKnowIsReleasedAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s := begin(t, h, seed(), nil)
		synctest.Wait()
		blob, err := s.Handover(t.Context()) // as backup
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Add(address("10.1.1.10/32", "eth0")); err != nil {
			t.Fatal(err)
		}
		begin(t, h, seed(), blob)
		h.advert(t, "10.1.1.21", 100)
		wantTrace(t, h.since(), "0.000 add 10.1.1.10/32\n0.000 delete 10.1.1.10/32")
	})
}

func TestHandoverAndResumeRefuseWhatTheyCannotUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		s, err := New(seed(), h.ports())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Resume([]byte("not json")); err == nil {
			t.Error("garbage: got no error")
		}
		go s.Run(t.Context())
		elapse(4 * time.Second)
		go s.Stop(t.Context())
		synctest.Wait()
		if _, err := s.Handover(t.Context()); err == nil {
			t.Error("while stopping: got no error")
		}
		elapse(2 * time.Second)
		if _, err := s.Handover(t.Context()); err == nil {
			t.Error("after the end: got no error")
		}
		if got := s.Status()[0].State; got != "INIT" {
			t.Errorf("after the end: got %s, want INIT", got)
		}
	})
}

func TestTheBlobHoldsNoPasswordInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := seed()
		cfg.Instances[0].Auth = settings.Auth{Type: settings.AuthPass, Pass: "secret12"}
		h, blob := handOver(t, cfg)
		if strings.Contains(string(blob), "secret12") || strings.Contains(h.log.String(), "secret12") {
			t.Error("the password is in the blob or the log")
		}
		if !json.Valid(blob) {
			t.Errorf("not JSON: %s", blob)
		}
	})
}

func TestScriptsRunByIntervalAndCountRiseAndFall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Scripts = []settings.Script{{Name: "check", Interval: 2 * time.Second, Timeout: time.Second, Rise: 2, Fall: 2}}
		cfg.Instances[0].Tracks = []settings.Track{{Source: "check", Weight: -10}}
		s := begin(t, h, cfg, nil)
		synctest.Wait()
		for _, ok := range []bool{true, false, false} {
			synctest.Wait()
			s.ScriptDone(0, ok)
			elapse(2 * time.Second)
		}
		wantState(t, s, "MASTER", 90)
		if got := h.since(); strings.Count(got, "script 0") != 4 || !strings.Contains(got, "2.000 script 0") || !strings.Contains(got, "4.000 script 0") {
			t.Errorf("got\n%s\nwant one start every 2 s", got)
		}
		s.ScriptDone(7, true) // nobody's
		s.ScriptDone(0, true)
		s.ScriptDone(0, true) // not running
		synctest.Wait()
		wantState(t, s, "MASTER", 90)
		elapse(2 * time.Second)
		synctest.Wait()
		s.ScriptDone(0, true)
		wantState(t, s, "MASTER", 100)
	})
}

func TestAScriptThatNeverAnswersFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Scripts = []settings.Script{{Name: "check", Interval: time.Second, Timeout: time.Second}}
		cfg.Instances[0].Tracks = []settings.Track{{Source: "check"}}
		s := begin(t, h, cfg, nil)
		elapse(3 * time.Second)
		wantState(t, s, "INIT", 100)
		elapse(2 * time.Second)
		if got := wantState(t, s, "FAULT", 100); got.Why != "script check fails" {
			t.Errorf("why: got %q", got.Why)
		}
	})
}

func TestStoppingDoesNotSpinOnAScriptThatIsOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Scripts = append(cfg.Scripts, settings.Script{Name: "slow", Interval: time.Second})
		s := begin(t, h, cfg, nil)
		elapse(3900 * time.Millisecond) // its answer is overdue at 4 s
		if err := s.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTwoInstancesMoveIndependently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		second := cfg.Instances[0]
		second.Name, second.Interface, second.VRID = "2", "eth1", 2
		second.Addresses = []settings.Address{address("192.168.243.10/32", "eth1")}
		cfg.Instances = append(cfg.Instances, second)
		s := begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		h.setUp("eth0", false)
		synctest.Wait()
		all := s.Status()
		if all[0].State != "FAULT" || all[1].State != "MASTER" {
			t.Errorf("got %s and %s, want FAULT and MASTER", all[0].State, all[1].State)
		}
		if held := s.Held(); len(held) != 1 || held[0].Device != "eth1" {
			t.Errorf("held: got %v, want only eth1's", held)
		}
	})
}

func TestAnAddressTwoInstancesHoldStaysUntilBothLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		second := cfg.Instances[0]
		second.Name, second.Interface, second.VRID = "2", "eth1", 2
		cfg.Instances = append(cfg.Instances, second)
		begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		h.since()
		h.advert(t, "10.1.1.21", 200)
		if got := h.since(); strings.Contains(got, "delete") {
			t.Errorf("got\n%s\nwant the address kept for the other instance", got)
		}
		h.setUp("eth1", false)
		if got := h.since(); !strings.Contains(got, "delete 10.1.1.10/32") {
			t.Errorf("got\n%s\nwant the address gone", got)
		}
	})
}

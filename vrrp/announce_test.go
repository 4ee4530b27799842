package vrrp

import (
	"testing"
	"testing/synctest"
	"time"

	"herald/vrrp/settings"
)

func TestALinkThatComesBackIsAnnouncedOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].Excluded = []settings.Address{address("192.168.243.10/32", "eth1")}
		begin(t, h, cfg, nil)
		elapse(4 * time.Second)
		h.setUp("eth1", false)
		elapse(100 * time.Millisecond)
		h.since()
		h.setUp("eth1", true)
		elapse(100 * time.Millisecond)
		wantTrace(t, h.since(), "4.100 arp 10.1.1.10\n4.100 arp 192.168.243.10")
	})
}

func TestExtraAnnouncementsKeepSwitchesAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost()
		cfg := seed()
		cfg.Instances[0].AdvertInt = 10 * time.Second
		cfg.Instances[0].Excluded = []settings.Address{address("10.1.1.11/32", "eth0"), address("192.168.243.10/32", "eth1")}
		cfg.Instances[0].Garp.Extra, cfg.Instances[0].Garp.ExtraAll = 4*time.Second, true
		begin(t, h, cfg, nil)
		elapse(38 * time.Second)
		h.since()
		elapse(4 * time.Second)
		wantTrace(t, h.since(), "38.610 arp 10.1.1.10\n38.610 arp 192.168.243.10\n40.610 send eth0 1/100")
	})
}

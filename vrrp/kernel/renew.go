package kernel

import (
	"errors"
	"fmt"
	"time"

	"github.com/vishvananda/netlink"

	"herald/vrrp/settings"
)

// Renew puts addresses on their devices with a lifetime, in whole seconds,
// after which the kernel takes them away, or gives present ones that lifetime
// anew; 0 is forever. One that cannot be had does not keep the others.
func (k *Kernel) Renew(list []settings.Address, lifetime time.Duration) error {
	links := map[string]netlink.Link{}
	var failed []error
	for _, a := range list {
		link, known := links[a.Device]
		var err error
		if !known {
			if link, err = k.handle.LinkByName(a.Device); err == nil {
				links[a.Device] = link
			}
		}
		if err == nil {
			err = k.handle.AddrReplace(link, living(a, lifetime))
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("add %v to %s: %w", a.Prefix, a.Device, explain(err)))
		}
	}
	return errors.Join(failed...)
}

// living is an address with a lifetime. It is preferred all its life unless
// the configuration says otherwise.
func living(a settings.Address, lifetime time.Duration) *netlink.Addr {
	m := message(a)
	if lifetime == 0 {
		return m
	}
	m.ValidLft = int(lifetime / time.Second)
	switch {
	case a.Deprecated:
		m.PreferedLft = 0
	case a.PreferredLft > 0:
		m.PreferedLft = min(m.PreferedLft, m.ValidLft)
	default:
		m.PreferedLft = m.ValidLft
	}
	return m
}

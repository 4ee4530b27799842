package withdraw

import (
	"encoding/json"
	"errors"
	"fmt"

	"herald/cmd/herald/internal/ipc"
	"herald/vrrp/firewall"
	"herald/vrrp/kernel"
	"herald/vrrp/settings"
)

// Belongings removes what a VRRP role had in the kernel beside addresses:
// rules first, which may lead into the routes' tables; interfaces go, sysctls are
// set back and the firewall lets addresses answer. What cannot be removed
// does not keep the rest.
func Belongings(raw ipc.Belongings) error {
	var b settings.Belongings
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("read what the VRRP role held: %w", err)
	}
	return inside(b.NetNamespace, func() error { return clear(b) })
}

func clear(b settings.Belongings) error {
	k, err := kernel.Open()
	if err != nil {
		return err
	}
	defer k.Close()
	var failed []error
	for _, r := range b.Routing.Rules {
		failed = append(failed, k.DeleteRule(r))
	}
	for _, r := range b.Routing.Routes {
		failed = append(failed, k.DeleteRoute(r))
	}
	for _, v := range b.VirtualMACs {
		failed = append(failed, k.RemoveVirtualMAC(v))
	}
	for _, s := range b.Sysctls {
		_, err := k.SetSysctl(s)
		failed = append(failed, err)
	}
	if b.Filtered || b.Muted {
		failed = append(failed, answer())
	}
	return errors.Join(failed...)
}

// answer takes the packet filters away, of no_accept and of use_vmac.
func answer() error {
	f, err := firewall.Open()
	if err != nil {
		return err
	}
	return errors.Join(f.Silence(nil), f.Mute(nil), f.Close())
}

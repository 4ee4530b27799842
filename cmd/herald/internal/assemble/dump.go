package assemble

import (
	"encoding/json"
	"net"
	"net/netip"

	"herald/vrrp"
	"herald/vrrp/dump"
	"herald/vrrp/settings"
)

// answer is the VRRP role's part of the status, or a file of keepalived's as
// a JSON string.
func answer(server *vrrp.Server, cfg *settings.Config, file string) (json.RawMessage, error) {
	if file == "" {
		return json.Marshal(server.Status())
	}
	w := dump.World{Config: cfg, Instances: server.Status(), Interfaces: interfaces()}
	for _, s := range server.Scripts() {
		w.Scripts = append(w.Scripts, dump.Script(s))
	}
	var text []byte
	var err error
	switch file {
	case "data":
		text = w.Data()
	case "parent":
		text = w.Parent()
	case "json":
		text, err = w.JSON()
	default:
		text = w.Stats()
		if file == "stats_clear" {
			server.ClearCounters()
		}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(text))
}

// interfaces lists those of this process's network namespace, none when they
// cannot be read.
func interfaces() []dump.Interface {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	var list []dump.Interface
	for _, i := range all {
		one := dump.Interface{Name: i.Name, Index: i.Index, Hardware: i.HardwareAddr.String(), MTU: i.MTU,
			Up: i.Flags&net.FlagUp != 0, Running: i.Flags&net.FlagRunning != 0, Loopback: i.Flags&net.FlagLoopback != 0}
		addrs, _ := i.Addrs() // of an interface that went meanwhile: none
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				one.Addresses = append(one.Addresses, p.Addr())
			}
		}
		list = append(list, one)
	}
	return list
}

package assemble

import (
	"context"
	"net"
	"net/netip"
	"time"

	"herald/vrrp/settings"
)

// resolveAgain is how long a peer's name without an address is left alone.
const resolveAgain = 10 * time.Second

// startResolving starts resolvePeers; stop waits for its end.
func startResolving(ctx context.Context, cfg *settings.Config, found func(string, []netip.Addr)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		resolvePeers(ctx, cfg, lookupPeer, found)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// resolvePeers asks again for the names of peers that had no address when the
// file was read, until each has one or ctx ends. It waits for answers in a
// goroutine of its own, in the role that has the peers: the parent, which is
// root, reads nothing from the network.
func resolvePeers(ctx context.Context, cfg *settings.Config, lookup func(context.Context, string) []netip.Addr, found func(string, []netip.Addr)) {
	missing := map[string]bool{}
	for _, in := range cfg.Instances {
		for _, p := range in.Peers {
			if p.Name != "" && !p.Address.IsValid() {
				missing[p.Name] = true
			}
		}
	}
	for len(missing) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-time.After(resolveAgain):
		}
		for name := range missing {
			if list := lookup(ctx, name); len(list) > 0 {
				delete(missing, name)
				found(name, list)
			}
		}
	}
}

// interfaceOf finds the interface of an address, nil for another machine's
// files.
func (o Options) interfaceOf() func(netip.Addr) string {
	if o.OtherNode {
		return nil
	}
	return func(a netip.Addr) string {
		interfaces, err := net.Interfaces()
		if err != nil {
			return ""
		}
		for _, i := range interfaces {
			addrs, _ := i.Addrs() // of an interface that went meanwhile: none
			for _, present := range addrs {
				if prefix, err := netip.ParsePrefix(present.String()); err == nil && prefix.Addr() == a && i.Flags&net.FlagLoopback == 0 {
					return i.Name
				}
			}
		}
		return ""
	}
}

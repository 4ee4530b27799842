package assemble

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// resolveTimeout bounds the look-up of one peer's name: the daemon starts, or
// reloads, without a name server.
const resolveTimeout = 2 * time.Second

// lookupHost returns the addresses of a host name, none when it has none.
func lookupHost(name string) []netip.Addr { return lookupPeer(context.Background(), name) }

// lookupPeer is lookupHost until ctx ends.
func lookupPeer(ctx context.Context, name string) []netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return nil
	}
	return found
}

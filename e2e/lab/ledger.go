package lab

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Change is one address that appeared on or left a controller, as its kernel
// reported it.
type Change struct {
	At    time.Time
	Node  string
	Addr  string // without prefix length
	Added bool
}

// ledger follows the addresses of all controllers. Its mutex guards changes
// and held; woken is closed and replaced at each change.
type ledger struct {
	end  chan struct{}
	once sync.Once
	done sync.WaitGroup

	mu      sync.Mutex
	changes []Change
	held    map[string]map[string]bool // address -> nodes that have it
	woken   chan struct{}
}

// follow subscribes to the address changes of the nodes, existing addresses
// first.
func follow(nodes []*Node) (*ledger, error) {
	l := &ledger{end: make(chan struct{}), held: map[string]map[string]bool{}, woken: make(chan struct{})}
	for _, n := range nodes {
		ns := netns.NsHandle(n.ns[unix.CLONE_NEWNET].Fd())
		updates := make(chan netlink.AddrUpdate, 256)
		err := netlink.AddrSubscribeWithOptions(updates, l.end, netlink.AddrSubscribeOptions{
			Namespace: &ns, ListExisting: true, ReceiveBufferSize: 1 << 20,
			ErrorCallback: func(error) {}, // the end of the lab
		})
		if err != nil {
			l.stop()
			return nil, fmt.Errorf("follow addresses of %s: %w", n.name, err)
		}
		l.done.Add(1)
		go l.read(n.name, updates)
	}
	for _, n := range nodes {
		if err := l.know(n); err != nil {
			l.stop()
			return nil, err
		}
	}
	l.mu.Lock()
	for i := range l.changes {
		l.changes[i].At = time.Time{} // what was there before is no change
	}
	l.mu.Unlock()
	return l, nil
}

// know waits until every address the node has now has been read.
func (l *ledger) know(n *Node) error {
	for _, p := range n.ports {
		addrs, err := n.Addrs(p.Iface)
		if err != nil {
			return err
		}
		for _, a := range addrs {
			addr, _, _ := strings.Cut(a, "/")
			if !l.await(n.name, addr) {
				return fmt.Errorf("follow addresses of %s: %s was not reported", n.name, addr)
			}
		}
	}
	return nil
}

func (l *ledger) await(node, addr string) bool {
	limit := time.After(5 * time.Second)
	for {
		l.mu.Lock()
		known, woken := l.held[addr][node], l.woken
		l.mu.Unlock()
		if known {
			return true
		}
		select {
		case <-woken:
		case <-limit:
			return false
		}
	}
}

func (l *ledger) stop() {
	l.once.Do(func() { close(l.end) })
	l.done.Wait()
}

func (l *ledger) read(node string, updates <-chan netlink.AddrUpdate) {
	defer l.done.Done()
	for u := range updates {
		if u.LinkAddress.IP.To4() == nil || u.LinkAddress.IP.IsLoopback() {
			continue
		}
		l.note(Change{time.Now(), node, u.LinkAddress.IP.String(), u.NewAddr})
	}
}

// note keeps a change, unless it repeats what is known: the kernel reports an
// address again when one of its attributes changes.
func (l *ledger) note(c Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	nodes := l.held[c.Addr]
	if nodes == nil {
		nodes = map[string]bool{}
		l.held[c.Addr] = nodes
	}
	if nodes[c.Node] == c.Added {
		return
	}
	if c.Added {
		nodes[c.Node] = true
	} else {
		delete(nodes, c.Node)
	}
	l.changes = append(l.changes, c)
	close(l.woken)
	l.woken = make(chan struct{})
}

// Changes returns the address changes of the controllers since a moment, in
// the order they were seen.
func (l *Lab) Changes(since time.Time) []Change {
	l.ledger.mu.Lock()
	defer l.ledger.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.ledger.changes), func(c Change) bool { return c.At.Before(since) })
}

// Holders returns the names of the controllers that have an address now,
// sorted.
func (l *Lab) Holders(addr string) []string {
	l.ledger.mu.Lock()
	defer l.ledger.mu.Unlock()
	var names []string
	for n := range l.ledger.held[addr] {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// WaitFor returns when cond holds. It asks at every address change and, as
// not everything is one, every few milliseconds between them. The error of an
// expired ctx names what was waited for.
func (l *Lab) WaitFor(ctx context.Context, what string, cond func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		l.ledger.mu.Lock()
		woken := l.ledger.woken
		l.ledger.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-woken:
		case <-tick.C:
		}
	}
}

// Overlap returns for how long in total since a moment more than one
// controller had the address, up to now.
func (l *Lab) Overlap(addr string, since time.Time) time.Duration {
	l.ledger.mu.Lock()
	changes := slices.Clone(l.ledger.changes)
	l.ledger.mu.Unlock()
	return overlap(changes, addr, since, time.Now())
}

// overlap is Overlap over a list of changes.
func overlap(changes []Change, addr string, since, until time.Time) time.Duration {
	var total time.Duration
	holders, from := 0, since
	for _, c := range changes {
		if c.Addr != addr {
			continue
		}
		at := c.At
		if at.Before(since) {
			at = since
		}
		if holders > 1 {
			total += at.Sub(from)
		}
		from = at
		if c.Added {
			holders++
		} else {
			holders--
		}
	}
	if holders > 1 {
		total += until.Sub(from)
	}
	return total
}

// MAC returns which hardware address the client has for an address, nil when
// its neighbour table has no complete entry.
func (l *Lab) MAC(addr string) net.HardwareAddr {
	h, err := l.Client().handle()
	if err != nil {
		return nil
	}
	defer h.Close()
	list, err := h.NeighList(0, netlink.FAMILY_V4)
	if err != nil {
		return nil
	}
	for _, e := range list {
		if e.IP.String() == addr && len(e.HardwareAddr) > 0 {
			return e.HardwareAddr
		}
	}
	return nil
}

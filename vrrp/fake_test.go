package vrrp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"herald/stats"
	"herald/vrrp/settings"
	"herald/vrrp/vip"
	"herald/vrrp/wire"
)

// fakeHost is a host as the loop sees it: interfaces, addresses, one socket an
// interface, and a trace of everything done to it. The network behind it is
// the test.
type fakeHost struct {
	lifetime time.Duration // last given
	renewals int
	renewing time.Duration     // how long one renewal takes
	sysctls  map[string]string // by device
	mu       sync.Mutex
	start    time.Time
	snap     vip.Snapshot
	links    map[string]*fakeLink
	changed  func()
	trace    []string
	log      bytes.Buffer

	addErr, sendErr, announceErr, openErr, listErr error
	opened, closed                                 int
	scripts                                        []int // started
	held                                           []settings.Address
	states                                         [][]byte
	events                                         []string // others are told of
	probing                                        bool
	changes                                        [][]stats.Instance
	slow                                           time.Duration // of every kernel operation
	unreachable                                    netip.Addr    // nothing can be sent to it
	sent                                           []wire.Packet
}

func newHost() *fakeHost {
	h := &fakeHost{start: time.Now(), links: map[string]*fakeLink{}, snap: vip.Snapshot{}}
	for i, dev := range []string{"eth0", "eth1"} {
		h.snap[dev] = vip.Interface{Name: dev, Index: i + 2, Up: true, Hardware: [6]byte{2, 0, 0, 0, 0, byte(i)},
			Addresses: []vip.Present{{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 1, byte(i + 1), 20}), 24)}}}
	}
	return h
}

// note writes one line of the trace: seconds since the start and what.
func (h *fakeHost) note(format string, args ...any) {
	h.trace = append(h.trace, fmt.Sprintf("%.3f ", time.Since(h.start).Seconds())+fmt.Sprintf(format, args...))
}

func (h *fakeHost) ports() Ports {
	var prober Prober
	if h.probing {
		prober = h
	}
	return Ports{
		Prober:    prober,
		Open:      h.open,
		Kernel:    h,
		Announcer: h,
		Scripts:   h,
		Log:       slog.New(slog.NewTextHandler(lockedWriter{h}, &slog.HandlerOptions{ReplaceAttr: onlyMessage})),
		OnChange:  func(all []stats.Instance) { h.changes = append(h.changes, all) },
		OnHeld:    func(held []settings.Address) { h.held = held },
		OnState:   func(b []byte) { h.states = append(h.states, b) },
		OnEvent:   events(h),
	}
}

func onlyMessage(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

type lockedWriter struct{ h *fakeHost }

func (w lockedWriter) Write(b []byte) (int, error) {
	w.h.mu.Lock()
	defer w.h.mu.Unlock()
	return w.h.log.Write(b)
}

func (h *fakeHost) open(p Place, ready func()) (Link, error) {
	dev := p.Device
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.openErr != nil {
		return nil, h.openErr
	}
	h.opened++
	if p.Group != wire.Group || p.AH {
		h.note("open %s %v join %t ah %t", dev, p.Group, p.Join, p.AH)
	}
	l := &fakeLink{host: h, dev: dev, ready: ready, place: p}
	// The last opened on the device; of two families, in whatever order they
	// are opened, that of IPv6 is beside the one of IPv4.
	if other := h.links[dev]; other != nil && other.place.Group.Is6() != p.Group.Is6() {
		if p.Group.Is6() {
			dev += "/6"
		} else {
			h.links[dev+"/6"] = other
		}
	}
	h.links[dev] = l
	return l, nil
}

type fakeLink struct {
	host    *fakeHost
	dev     string
	ready   func()
	place   Place
	waiting []wire.Packet
	recvErr int // so many receives fail
	buf     [2048]byte
}

func (l *fakeLink) Receive() (wire.Packet, bool, error) {
	l.host.mu.Lock()
	defer l.host.mu.Unlock()
	if l.recvErr > 0 {
		l.recvErr--
		return wire.Packet{}, true, syscall.ENETDOWN
	}
	if len(l.waiting) == 0 {
		return wire.Packet{}, false, nil
	}
	p := l.waiting[0]
	l.waiting = l.waiting[1:]
	p.Payload = l.buf[:copy(l.buf[:], p.Payload)]
	return p, true, nil
}

func (l *fakeLink) Send(p wire.Packet) error {
	l.host.mu.Lock()
	defer l.host.mu.Unlock()
	a, reason := wire.Decode(p)
	if reason != wire.Accepted {
		return errors.New(reason.String())
	}
	if p.Destination == l.host.unreachable {
		return fmt.Errorf("send to %v: %w", p.Destination, syscall.EHOSTUNREACH)
	}
	if l.host.sendErr != nil {
		l.host.note("refused %d/%d", a.VRID, a.Priority)
		return l.host.sendErr
	}
	l.host.sent = append(l.host.sent, p)
	if p.Destination == wire.Group {
		l.host.note("send %s %d/%d", l.dev, a.VRID, a.Priority)
	} else {
		l.host.note("send %s %d/%d from %v to %v ttl %d", l.dev, a.VRID, a.Priority, p.Source, p.Destination, p.TTL)
	}
	return nil
}

func (l *fakeLink) Close() error {
	l.host.mu.Lock()
	defer l.host.mu.Unlock()
	l.host.closed++
	return nil
}

func (h *fakeHost) Snapshot() (vip.Snapshot, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listErr != nil {
		return nil, h.listErr
	}
	s := vip.Snapshot{}
	for name, i := range h.snap {
		i.Addresses = slices.Clone(i.Addresses)
		s[name] = i
	}
	return s, nil
}

func (h *fakeHost) Add(a settings.Address) error {
	if h.slow > 0 {
		elapse(h.slow)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.addErr != nil {
		return h.addErr
	}
	i, ok := h.snap[a.Device]
	if !ok {
		return syscall.ENODEV
	}
	if !h.snap.Has(a) {
		h.note("add %v", a.Prefix)
		i.Addresses = append(i.Addresses, vip.Present{Prefix: a.Prefix})
		h.snap[a.Device] = i
		h.tell()
	}
	return nil
}

// Renew adds what is absent and remembers the lifetime.
func (h *fakeHost) Renew(list []settings.Address, lifetime time.Duration) error {
	h.mu.Lock()
	took := h.renewing
	h.mu.Unlock()
	elapse(took)
	snap, _ := h.Snapshot()
	for _, a := range list {
		if !snap.Has(a) {
			if err := h.Add(a); err != nil {
				return err
			}
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lifetime = lifetime
	h.renewals++
	return nil
}

func (h *fakeHost) Delete(a settings.Address) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.snap.Has(a) {
		h.note("delete %v", a.Prefix)
		h.drop(a)
	}
	return nil
}

func (h *fakeHost) drop(a settings.Address) {
	i := h.snap[a.Device]
	i.Addresses = slices.DeleteFunc(slices.Clone(i.Addresses), func(p vip.Present) bool { return p.Prefix == a.Prefix })
	h.snap[a.Device] = i
	h.tell()
}

func (h *fakeHost) tell() {
	if h.changed != nil {
		h.changed()
	}
}

func (h *fakeHost) Watch(changed func()) (func(), error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed = changed
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.changed = nil
	}, nil
}

func (h *fakeHost) Announce(dev string, index int, hardware [6]byte, addr netip.Addr) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.announceErr != nil {
		return h.announceErr
	}
	if index == 0 || hardware == [6]byte{} {
		return errors.New("no interface")
	}
	h.note("arp %v", addr)
	return nil
}

func (h *fakeHost) AnnounceReply(_ string, _ int, _ [6]byte, addr netip.Addr) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.note("arp reply %v", addr)
	return h.announceErr
}

func (h *fakeHost) Start(script int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.scripts = append(h.scripts, script)
	h.note("script %d", script)
}

// change changes the host and tells the watcher.
func (h *fakeHost) change(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
	h.tell()
}

func (h *fakeHost) setUp(dev string, up bool) {
	h.change(func() {
		i := h.snap[dev]
		i.Up = up
		h.snap[dev] = i
	})
}

// packet hands one packet to an interface.
func (h *fakeHost) packet(dev string, p wire.Packet) {
	h.mu.Lock()
	l := h.links[dev]
	l.waiting = append(l.waiting, p)
	h.mu.Unlock()
	l.ready()
}

// advert lets a router advertise VRID 1 on eth0.
func (h *fakeHost) advert(t *testing.T, from string, priority uint8) {
	t.Helper()
	h.packet("eth0", advertPacket(t, from, priority, nil))
}

func advertPacket(t *testing.T, from string, priority uint8, change func(*wire.Advert)) wire.Packet {
	t.Helper()
	a := wire.Advert{VRID: 1, Priority: priority, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.1.1.10")}}
	if change != nil {
		change(&a)
	}
	b, err := a.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return wire.Packet{Source: netip.MustParseAddr(from), Destination: wire.Group, TTL: 255, Payload: b}
}

// sockets returns how many were opened and closed.
func (h *fakeHost) sockets() (opened, closed int) {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.opened, h.closed
}

// since returns the trace and forgets it.
func (h *fakeHost) since() string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	s := strings.Join(h.trace, "\n")
	h.trace = nil
	return s
}

func (h *fakeHost) logged(t *testing.T, want string) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !strings.Contains(h.log.String(), want) {
		t.Errorf("log lacks %q:\n%s", want, h.log.String())
	}
}

// seed is the instance of the published scenario, with one burst only so that
// traces stay short.
func seed() *settings.Config {
	return &settings.Config{
		Scripts: []settings.Script{{Name: "haproxy", InProcess: true, Interval: 2 * time.Second, Weight: 2, Rise: 1, Fall: 1}},
		Instances: []settings.Instance{{
			Name: "1", Interface: "eth0", VRID: 1, Version: 2, Priority: 100, AdvertInt: time.Second,
			Addresses: []settings.Address{address("10.1.1.10/32", "eth0")},
			Tracks:    []settings.Track{{Source: "haproxy", Weight: 2}},
			Garp:      settings.Garp{Repeat: 1, LowerPrioRepeat: 1},
		}},
	}
}

func address(prefix, dev string) settings.Address {
	return settings.Address{Prefix: netip.MustParsePrefix(prefix), Device: dev}
}

// begin starts a Server in a goroutine of the bubble. Its end is waited for.
func begin(t *testing.T, h *fakeHost, cfg *settings.Config, blob []byte) *Server {
	t.Helper()
	return beginPorts(t, h, h.ports(), cfg, blob)
}

func beginPorts(t *testing.T, h *fakeHost, ports Ports, cfg *settings.Config, blob []byte) *Server {
	t.Helper()
	s, err := New(cfg, ports)
	if err != nil {
		t.Fatal(err)
	}
	if blob != nil {
		if err := s.Resume(blob); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.opened != h.closed {
			t.Errorf("%d sockets opened, %d closed", h.opened, h.closed)
		}
		if t.Failed() {
			t.Logf("log:\n%s", h.log.String())
		}
	})
	return s
}

func wantTrace(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func wantState(t *testing.T, s *Server, state string, priority uint8) stats.Instance {
	t.Helper()
	synctest.Wait()
	got := s.Status()[0]
	if got.State != state || got.Priority != priority {
		t.Errorf("got %s with priority %d (%s), want %s with %d", got.State, got.Priority, got.Why, state, priority)
	}
	return got
}

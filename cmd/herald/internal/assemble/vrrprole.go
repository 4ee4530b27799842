package assemble

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/privilege"
	"herald/config"
	"herald/garp/arp"
	"herald/stats"
	"herald/vrrp"
	"herald/vrrp/firewall"
	"herald/vrrp/kernel"
	"herald/vrrp/poll"
	"herald/vrrp/rawip"
	"herald/vrrp/settings"
)

// resignTimeout bounds a resignation; the parent kills the role some time
// after it.
const resignTimeout = 2 * time.Second

// lastMail is when mail that waits is given up, from the word to stop on: the
// parent kills a role that has not gone after 3 s.
const lastMail = 2500 * time.Millisecond

// heartbeat is how often a role tells that it lives.
const heartbeat = time.Second

// RunVRRPRole is the life of a VRRP role: load, declare scripts, open
// sockets, give up privileges, wait for the parent's word, run the instances
// until told to stop or hand over, or until the parent is gone.
func RunVRRPRole(ctx context.Context, role *ipc.Role, o Options) error {
	var diags config.Diagnostics
	cfg := loadVRRP(o, &diags)
	report(role, &diags)

	place := cfg.Process.NetNamespace
	if o.InNamespace {
		place = "" // the parent is there too
	}
	scripts := &scriptRunner{ctx: ctx, role: role, startup: -1}
	others := newNotifier(role, cfg)
	defer others.close()
	if err := scripts.declare(ctx, cfg, others.scripts(cfg), place); err != nil {
		return err
	}
	files, err := watchedFiles(ctx, role, cfg)
	if err != nil {
		return err
	}
	counts, err := countedProcesses(ctx, role, cfg)
	if err != nil {
		return err
	}
	k, err := kernel.Open()
	if err != nil {
		return err
	}
	defer k.Close()
	announcer := newAnnouncer()
	defer announcer.close()
	var filter vrrp.Firewall // none where the kernel has no nftables
	if f, err := firewall.Open(); err == nil {
		defer f.Close()
		filter = f
	}
	poller, err := poll.Open()
	if err != nil {
		return err
	}
	defer poller.Close()
	var server *vrrp.Server
	prober := arp.NewProber(func(device string, addr netip.Addr, hardware [6]byte) { server.Answered(device, addr, hardware) })
	defer prober.Close()
	server, err = vrrp.New(cfg, vrrp.Ports{
		Open: func(p vrrp.Place, ready func()) (vrrp.Link, error) {
			return rawip.Open(rawip.Place(p), poller, ready)
		},
		Alarm:        poller,
		Kernel:       k,
		Routing:      k,
		Sysctls:      k,
		Firewall:     filter,
		Virtual:      k,
		Announcer:    announcer,
		Prober:       prober,
		Scripts:      scripts,
		Log:          roleLog(role),
		OnChange:     func(list []stats.Instance) { publish(role, list) },
		OnHeld:       func(list []settings.Address) { role.Held(addresses(list, place)) },
		OnBelongings: func(b settings.Belongings) { b.NetNamespace = place; belongings(role, b) },
		OnState:      func(b []byte) { role.State(legacy{VRRP: b}.pack()) },
		OnEvent:      others.tell,
	})
	if err != nil {
		return err
	}
	scripts.done = server.ScriptDone
	tellFiles(server, files)
	tellCounts(server, counts)

	notes, err := privilege.VRRP()
	if err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	confined := privilege.Confine(privilege.VRRPBounds())
	begin, err := role.Ready(ctx, ipc.Prepared{Note: sentence(notes, confined.Note), Confined: confined.Holds, NetNamespace: cfg.Process.NetNamespace})
	if err != nil {
		return err
	}
	before := unpack(begin.State)
	if before.VRRP != nil {
		if err := server.Resume(before.VRRP); err != nil {
			role.Log(fmt.Sprintf("the state of the process before cannot be used, starting afresh: %v", err))
		}
	} else if left, ok := inherited(begin.Left, cfg.Process.NetNamespace); ok {
		server.Inherit(left)
	} else if len(begin.Left) > 0 {
		role.Log("what a daemon before left in another network namespace stays there")
	}
	server.SetDrained(begin.Rest)
	if begin.Parts != nil {
		server.SetProxyParts(begin.Parts.Frontends, begin.Parts.Backends)
	}
	tellServing(server, begin.Proxy)
	others.start(cfg.Notification.Mail, before.Mail)
	scripts.startUp(ctx, begin)
	defer startResolving(ctx, cfg, server.SetPeer)()
	return serveVRRP(ctx, role, server, cfg, others, o.patience())
}

// serveVRRP runs the instances and obeys the parent.
func serveVRRP(ctx context.Context, role *ipc.Role, server *vrrp.Server, cfg *settings.Config, others *notifier, patience time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	beating, stopBeating := context.WithCancel(ctx)
	defer stopBeating()
	go beat(beating, role, server, len(cfg.Instances))
	for {
		select {
		case err := <-ended:
			return err
		case c, alive := <-role.Commands():
			if !alive {
				// The parent was killed: nobody restarts us, so the addresses
				// must not stay.
				return resign(role, server, ended, others, patience)
			}
			switch c := c.(type) {
			case ipc.Stop:
				return resign(role, server, ended, others, patience)
			case ipc.Handover:
				return handOver(role, server, ended, others)
			case ipc.Rest:
				server.SetDrained(bool(c))
			case ipc.ProxyFact:
				tellServing(server, c)
			case ipc.Parts:
				server.SetProxyParts(c.Frontends, c.Backends)
			case ipc.Files:
				tellFiles(server, c)
			case ipc.Counts:
				tellCounts(server, c)
			case *ipc.StatusRequest:
				raw, err := answer(server, cfg, c.Dump)
				if err != nil {
					return fmt.Errorf("encode status: %w", err)
				}
				c.Answer(raw)
			}
		}
	}
}

// beat tells the parent every second that the loop, not only the process,
// lives, and now and then how the instances are: the counters on the page go on
// although no state changes. It ends with ctx.
func beat(ctx context.Context, role *ipc.Role, server *vrrp.Server, instances int) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	every := beatsBetween(instances)
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !server.Alive(ctx) {
			continue
		}
		role.Health(true, "")
		if n%every == 0 {
			publish(role, server.Status())
		}
	}
}

// beatsBetween is how many heartbeats lie between two publications of counters:
// 255 instances are 200 KB of JSON, which cost as much as all their
// advertisements. States are published when they change.
func beatsBetween(instances int) int { return 1 + instances/24 }

// resign gives everything up within patience: zero does not wait for
// successors, as keepalived does not. Mail that waits has the rest of the
// time the parent gives.
func resign(role *ipc.Role, server *vrrp.Server, ended <-chan error, others *notifier, patience time.Duration) error {
	last := time.Now().Add(lastMail)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := server.Stop(ctx)
	<-ended
	others.finish(last)
	shutDown(role)
	return err
}

// handOver leaves everything as it is to a successor.
func handOver(role *ipc.Role, server *vrrp.Server, ended <-chan error, others *notifier) error {
	ctx, cancel := context.WithTimeout(context.Background(), resignTimeout)
	defer cancel()
	blob, err := server.Handover(ctx)
	if err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	err = <-ended
	role.HandOver(legacy{VRRP: blob, Mail: others.waiting()}.pack())
	return err
}

// tellServing answers the tracked question whether the proxy serves; before
// the proxy has said anything it stays open.
func tellServing(server *vrrp.Server, fact ipc.ProxyFact) {
	if fact.Known {
		server.SetProxyServing(fact.Serving, fact.Reason)
	}
}

// publish passes the instances on for the page, which shows neither histories
// nor peers: `herald history` and `herald status` ask for them.
func publish(role *ipc.Role, list []stats.Instance) {
	list = slices.Clone(list)
	for i := range list {
		list[i].History, list[i].Peers = nil, nil
	}
	raw, err := json.Marshal(list)
	if err != nil {
		role.Log(fmt.Sprintf("encode instances: %v", err))
		return
	}
	role.Instances(raw)
}

// inherited reads what a daemon before left, if it is where this one works.
func inherited(raw json.RawMessage, place string) (b settings.Belongings, ok bool) {
	return b, len(raw) > 0 && json.Unmarshal(raw, &b) == nil && b.NetNamespace == place
}

// belongings tells the parent what is in the kernel beside addresses.
func belongings(role *ipc.Role, b settings.Belongings) {
	raw, err := json.Marshal(b)
	if err != nil {
		role.Log(fmt.Sprintf("encode routes: %v", err))
		return
	}
	role.Belongings(raw)
}

func addresses(list []settings.Address, place string) []ipc.Address {
	held := make([]ipc.Address, 0, len(list))
	for _, a := range list {
		held = append(held, ipc.Address{Prefix: a.Prefix.String(), Interface: a.Device, Label: a.Label, NetNamespace: place})
	}
	return held
}

// scriptRunner has the parent run the tracking scripts; the role itself has
// no right to.
type scriptRunner struct {
	ctx  context.Context
	role *ipc.Role
	// startup is the index of startup_script among those declared, -1 when
	// there is none.
	startup int
	index   []int // of each settings.Script among those declared; -1 is not run
	done    func(script int, ok bool)
}

// declare names every script that is really executed. One the parent refuses
// counts as failing, and the log says why. notices are declared with them:
// the parent takes one list. place is the network namespace of all.
func (r *scriptRunner) declare(ctx context.Context, cfg *settings.Config, notices []ipc.Script, place string) error {
	var list []ipc.Script
	for _, s := range cfg.Scripts {
		if s.InProcess {
			r.index = append(r.index, -1)
			continue
		}
		r.index = append(r.index, len(list))
		list = append(list, ipc.Script{Name: s.Name, Argv: s.Argv, Timeout: s.Timeout,
			User: first(s.User, cfg.ScriptUser), Group: first(s.Group, cfg.ScriptGroup)})
	}
	tracking := len(list)
	list = append(list, notices...)
	if len(list) == 0 {
		return nil
	}
	for i := range list {
		if list[i].Lane == "" && i >= tracking {
			r.startup = i
		}
		list[i].NetNamespace = place
	}
	refused, err := r.role.DeclareScripts(ctx, list)
	if err != nil {
		return err
	}
	for i, why := range refused {
		switch {
		case why != "" && i >= tracking:
			r.role.Log(fmt.Sprintf("%s: %s is not run: %s", first(list[i].Lane, daemonLane), list[i].Name, why))
		case why != "":
			r.role.Log(fmt.Sprintf("vrrp_script %s is not run and counts as failing: %s", list[i].Name, why))
		}
	}
	return nil
}

// Start implements vrrp.ScriptRunner.
func (r *scriptRunner) Start(script int) {
	go r.run(script)
}

func (r *scriptRunner) run(script int) {
	if r.index[script] < 0 {
		return
	}
	result, err := r.role.RunScript(r.ctx, r.index[script])
	r.done(script, err == nil && result.OK())
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

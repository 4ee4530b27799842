package assemble

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/privilege"
	"herald/config"
	"herald/proxy"
	"herald/proxy/admin"
	"herald/proxy/settings"
	"herald/proxy/syslog"
	"herald/stats"
)

// RunProxyRole is the life of a proxy role: load, open the ways to the logs,
// borrow the listening sockets, give up privileges, wait for the parent's
// word, serve until told to drain or stop, or until the parent is gone.
func RunProxyRole(ctx context.Context, role *ipc.Role, o Options) error {
	var diags config.Diagnostics
	cfg := loadProxy(o, &diags)
	report(role, &diags)
	if diags.HasErrors() {
		return errors.New("the HAProxy configuration has errors")
	}
	changed := make(chan struct{}, 1)
	engine, err := proxy.New(cfg, proxy.Options{
		Changed: func() {
			select {
			case changed <- struct{}{}:
			default: // it is told already
			}
		},
		Version:     o.Version,
		ReleaseDate: o.ReleaseDate,
		Node:        hostName(),
		Pid:         os.Getpid(),
		OpenLog:     openLog,
		Notice:      role.Log,
	})
	if err != nil {
		return err
	}
	defer engine.Close()

	if err := declareCommands(ctx, role, engine, cfg); err != nil {
		return err
	}
	if err := engine.SetSockets(ctx, func(ctx context.Context, namespace string, ipv6 bool, n int) ([]int, error) {
		return role.Outward(ctx, ipc.Outward{NetNamespace: namespace, IPv6: ipv6, Count: n})
	}); err != nil {
		return err
	}
	needs := engine.Needs()
	lent, err := role.Listen(ctx, sockets(needs))
	if err != nil {
		return err
	}
	console, err := openConsole(engine, needs, lent, cfg)
	if err != nil {
		return err
	}
	defer console.close()
	role.Follow(engine.TLSFiles())
	note, err := privilege.Proxy(privilege.Identity{UID: cfg.Global.UID, GID: cfg.Global.GID, Chroot: cfg.Global.Chroot,
		Files: descriptors(cfg), Raw: engine.Impersonates()})
	if err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	confined := privilege.Confine(privilege.ProxyBounds())
	begin, err := role.Ready(ctx, ipc.Prepared{PidFile: cfg.Global.PidFile, Note: sentence(note, confined.Note), Confined: confined.Holds})
	if err != nil {
		return err
	}
	if begin.State != nil {
		if err := engine.Recall(begin.State); err != nil {
			role.Log(fmt.Sprintf("what the process before knew cannot be used, starting afresh: %v", err))
		}
	}
	takeOver(role, engine, begin.Tallies)
	if err := engine.Serve(lent); err != nil {
		return err
	}
	closeLent(lent)
	console.serve()
	showInstances(role, engine, begin.Instances)
	return serveProxy(ctx, role, engine, console, changed)
}

// serveProxy tells the parent how the engine is and obeys it.
func serveProxy(ctx context.Context, role *ipc.Role, engine *proxy.Server, console *console, changed <-chan struct{}) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	role.Health(engine.Serving())
	role.Parts(ipc.Parts(engine.Parts()))
	var memory recollection
	memory.tell(role, engine)
	counts := tally{role: role, engine: engine}
	counts.tell(false)
	var drained chan error // not nil while draining
	defer func() {
		engine.Close() // then nothing counts any more
		counts.tell(drained != nil)
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-drained:
			console.finish(ctx)
			return err
		case <-engine.Changed():
			role.Parts(ipc.Parts(engine.Parts()))
		case <-beat.C:
			counts.tell(drained != nil)
			if drained == nil {
				role.Health(engine.Serving())
				if memory.due(time.Now()) {
					memory.tell(role, engine)
				}
			}
		case <-changed:
			if drained == nil && memory.news(time.Now()) { // else a successor knows better
				memory.tell(role, engine)
				counts.tell(false)
			}
		case c, alive := <-role.Commands():
			if !alive {
				return ipc.ErrParentGone
			}
			switch c := c.(type) {
			case ipc.Stop:
				return nil
			case ipc.Drain:
				if drained == nil {
					drained = make(chan error, 1)
					go func() { drained <- engine.Drain(ctx) }()
					console.drain()
					counts.drain()
				}
			case ipc.OtherTally:
				takeOver(role, engine, []ipc.OtherTally{c})
			case ipc.Contents:
				renew(role, engine, c)
			case ipc.Instances:
				showInstances(role, engine, c.JSON)
			case *ipc.StatusRequest:
				raw, err := json.Marshal(engine.Snapshot())
				if err != nil {
					return fmt.Errorf("encode status: %w", err)
				}
				c.Answer(raw)
			}
		}
	}
}

// renew exchanges certificates.
func renew(role *ipc.Role, engine *proxy.Server, files ipc.Contents) {
	renewed, err := engine.Renew(files)
	if len(renewed) > 0 {
		role.Log("new certificates are used by " + strings.Join(renewed, ", "))
	}
	if err != nil {
		role.Log(err.Error())
	}
}

// showInstances puts the VRRP role's rows on the statistics page.
func showInstances(role *ipc.Role, engine *proxy.Server, raw json.RawMessage) {
	if raw == nil {
		return
	}
	var list []stats.Instance
	if err := json.Unmarshal(raw, &list); err != nil {
		role.Log(fmt.Sprintf("decode VRRP instances: %v", err))
		return
	}
	engine.SetInstances(list)
}

// openLog opens the way to one log target.
func openLog(t settings.LogTarget) (proxy.Sink, error) {
	return syslog.Open(t.Network, t.Address)
}

// sockets describes what the engine needs in the parent's words.
func sockets(needs []proxy.Listener) []ipc.Socket {
	list := make([]ipc.Socket, 0, len(needs))
	for _, n := range needs {
		list = append(list, ipc.Socket{Key: n.Key(), Network: n.Network, Address: n.Address, Interface: n.Interface, NetNamespace: n.Namespace,
			V6Only: n.V6Only, Transparent: n.Transparent, Backlog: n.Backlog, Count: n.Sockets,
			FastOpen: n.Tune.FastOpen, DeferAccept: n.Tune.DeferAccept, MSS: n.Tune.MSS, UserTimeout: int(n.Tune.UserTimeout.Milliseconds()),
			Mode: n.Mode, Owner: account(n.UID), Group: account(n.GID)})
	}
	return list
}

func account(id int) *int {
	if id < 0 {
		return nil
	}
	return &id
}

// closeLent closes our copies once the engine has its own.
func closeLent(lent map[string][]int) {
	for _, fds := range lent {
		for _, fd := range fds {
			os.NewFile(uintptr(fd), "").Close()
		}
	}
}

// console is the runtime API on the stats sockets.
type console struct {
	server    *admin.Server
	listeners []net.Listener
	levels    []admin.Level
	serving   bool
}

// openConsole takes the stats sockets out of what was lent.
func openConsole(engine *proxy.Server, needs []proxy.Listener, lent map[string][]int, cfg *settings.Config) (*console, error) {
	c := &console{}
	o := admin.Options{Timeout: cfg.Global.StatsTimeout, MaxSessions: cfg.Global.StatsMaxConn, Env: os.Environ()}
	for _, n := range needs {
		if !n.Stats {
			continue
		}
		for _, fd := range lent[n.Key()] {
			f := os.NewFile(uintptr(fd), n.Address)
			l, err := net.FileListener(f)
			f.Close()
			if err != nil {
				c.close()
				return nil, fmt.Errorf("stats socket %s: %w", n.Address, err)
			}
			if u, ok := l.(*net.UnixListener); ok {
				u.SetUnlinkOnClose(false) // the path is the parent's
			}
			level := levelOf(n, cfg)
			c.listeners, c.levels = append(c.listeners, l), append(c.levels, level)
			o.Sockets = append(o.Sockets, admin.Socket{Address: n.Network + "@" + n.Address, Level: level})
		}
		delete(lent, n.Key())
	}
	c.server = admin.New(engine, o)
	return c, nil
}

// levelOf finds what the configuration allows on a stats socket.
func levelOf(n proxy.Listener, cfg *settings.Config) admin.Level {
	for _, s := range cfg.Global.StatsSockets {
		if s.Bind.Path == n.Address || s.Bind.Path == "" && net.JoinHostPort(s.Bind.Host, fmt.Sprint(s.Bind.Port)) == n.Address {
			return admin.Level(s.Level)
		}
	}
	return admin.User
}

// serve answers on every socket until close.
func (c *console) serve() {
	c.serving = true
	for i, l := range c.listeners {
		go c.server.Serve(l, c.levels[i])
	}
}

// drain ends no session, and takes none any more: the next process answers.
func (c *console) drain() { c.server.Drain() }

// lastAnswers is how long sessions may go on when no connection is left.
const lastAnswers = time.Second

// finish lets the sessions end that began before drain: somebody who asks
// during a reload is to have an answer.
func (c *console) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lastAnswers)
	defer cancel()
	c.server.Finish(ctx)
}

// close ends every session.
func (c *console) close() {
	if c.serving {
		c.server.Close()
		return
	}
	for _, l := range c.listeners {
		l.Close()
	}
}

// spareDescriptors are for listeners, checks, logs and the runtime API.
const spareDescriptors = 1000

// descriptors is how many the proxy may need: two for each connection.
func descriptors(cfg *settings.Config) uint64 {
	if cfg.Global.MaxConn == 0 {
		return 0
	}
	return uint64(2*cfg.Global.MaxConn + spareDescriptors)
}

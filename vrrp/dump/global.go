package dump

import (
	"net/netip"
	"slices"
	"strings"

	"herald/stats"
	"herald/vrrp/settings"
)

// Interface is one network interface of the machine.
type Interface struct {
	Name      string
	Index     int
	Addresses []netip.Addr
	Hardware  string // "02:00:00:00:00:01"; empty when it has none
	MTU       int
	Up        bool
	Running   bool // it has a carrier
	Loopback  bool
}

// Parent is keepalived_parent.data (SIGUSR1).
func (w World) Parent() []byte {
	var b strings.Builder
	w.globals(lines(&b))
	return []byte(b.String())
}

// globals writes what the whole configuration says.
func (w World) globals(line func(string, ...any)) {
	c := w.Config
	line("------< Global definitions >------")
	if ns := c.Process.NetNamespace; ns != "" {
		line(" Network namespace = %s", ns)
	}
	if c.Process.Instance != "" {
		line(" Instance name = %s", c.Process.Instance)
	}
	line(" Router ID = %s", c.RouterID)
	m := c.Notification.Mail
	if m.Server != "" {
		host, port := m.Server, ""
		if i := strings.LastIndexByte(host, ':'); i >= 0 {
			host, port = strings.Trim(host[:i], "[]"), host[i+1:]
		}
		line(" Smtp server = %s", host)
		line(" Smtp server port = %s", port)
		line(" Smtp HELO name = %s", m.Helo)
		line(" Smtp server connection timeout = %s", seconds(m.Timeout))
	}
	if len(m.To) > 0 {
		line(" Email notification from = %s", m.From)
		line(" Email notification to:")
		for _, to := range m.To {
			line("   %s", to)
		}
	}
	line(" Dynamic interfaces = true")
	for _, f := range c.Notification.Fifos {
		line(" VRRP notify fifo = %s", f.Path)
		if len(f.Script.Argv) > 0 {
			line(" VRRP notify fifo script = %s", command(f.Script.Argv))
		}
	}
	line(" FIFO write vrrp states on reload = %s", word(c.Notification.StatesOnReload, "true", "false"))
	if c.StartupDelay > 0 {
		line(" VRRP startup delay = %s", seconds(c.StartupDelay))
	}
	line(" Script security %s", word(c.ScriptSecurity, "enabled", "disabled"))
	if c.ScriptUser != "" {
		line(" Default script user = %s", c.ScriptUser)
	}
}

// groups writes the sync groups with their members.
func (w World) groups(line func(string, ...any)) {
	if len(w.Config.Groups) > 0 {
		line("------< VRRP Sync groups >------")
	}
	for _, g := range w.Config.Groups {
		line(" VRRP Sync Group = %s, %s", g.Name, w.groupState(g))
		line("   VRRP member instances :")
		for _, m := range g.Members {
			line("     %s", m)
		}
		line("   Using smtp notification = %s", word(g.Notify.Mail, "yes", "no"))
	}
}

// groupState is the state the members have together.
func (w World) groupState(g settings.Group) string {
	state := ""
	for _, in := range w.Instances {
		if slices.Contains(g.Members, in.Name) && (state == "" || in.State == "FAULT" || in.State != "MASTER" && state != "FAULT") {
			state = in.State
		}
	}
	return state
}

// interfaces writes the interfaces of the machine.
func (w World) interfaces(line func(string, ...any)) {
	if len(w.Interfaces) > 0 {
		line("------< Interfaces >------")
	}
	for _, i := range w.Interfaces {
		line(" Name = %s", i.Name)
		line("   index = %d", i.Index)
		line("   IPv4 address = %s", i.address(netip.Addr.Is4))
		line("   IPv6 address = %s", i.address(netip.Addr.Is6))
		if i.Hardware != "" && !i.Loopback {
			line("   MAC = %s", i.Hardware)
		}
		line("   State = %s, %s%s", word(i.Up, "UP", "not UP"), word(i.Running, "RUNNING", "not RUNNING"), word(i.Loopback, ", loopback", ""))
		line("   MTU = %d", i.MTU)
		line("   HW Type = %s", word(i.Loopback, "LOOPBACK", word(i.Hardware != "", "ETHERNET", "UNKNOWN")))
		w.trackers(line, i.Name)
	}
}

// address is the first address of a family, the link-local one in IPv6.
func (i Interface) address(of func(netip.Addr) bool) string {
	for _, a := range i.Addresses {
		if of(a) && (a.Is4() || a.IsLinkLocalUnicast()) {
			return a.String()
		}
	}
	return "(none)"
}

// trackers lists the instances a fault of the interface concerns.
func (w World) trackers(line func(string, ...any), name string) {
	head := false
	for i := range w.Instances {
		weight, tracks := w.tracks(&w.Instances[i], name)
		if !tracks {
			continue
		}
		if !head {
			line("   Tracking VRRP instances :")
			head = true
		}
		line("     %s, weight %d", w.Instances[i].Name, weight)
	}
}

func (w World) tracks(in *stats.Instance, name string) (weight int, tracks bool) {
	c := w.config(in)
	for _, t := range c.TrackInterfaces {
		if t.Name == name {
			return t.Weight, true
		}
	}
	return 0, in.Interface == name && !c.DontTrackPrimary
}

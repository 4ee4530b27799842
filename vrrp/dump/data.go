package dump

import (
	"fmt"
	"strings"
	"time"

	"herald/stats"
	"herald/vrrp/settings"
)

// Data is keepalived.data (SIGUSR1).
func (w World) Data() []byte {
	var b strings.Builder
	line := lines(&b)
	w.globals(line)
	line("------< VRRP Topology >------")
	for i := range w.Instances {
		instance(line, &w.Instances[i], w.config(&w.Instances[i]))
	}
	w.groups(line)
	if len(w.Config.Scripts) > 0 {
		line("------< VRRP Scripts >------")
	}
	for i, s := range w.Config.Scripts {
		var known Script
		if i < len(w.Scripts) {
			known = w.Scripts[i]
		}
		script(line, s, known)
	}
	w.interfaces(line)
	return []byte(b.String())
}

// lines returns what writes one line.
func lines(b *strings.Builder) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
}

func instance(line func(string, ...any), in *stats.Instance, c *settings.Instance) {
	line(" VRRP Instance = %s", in.Name)
	line("   VRRP Version = %d", c.Version)
	if in.Group != "" {
		line("   Sync group = %s", in.Group)
	}
	line("   State = %s", in.State)
	if in.State == "BACKUP" && in.Master != "" {
		line("   Master router = %s", in.Master)
		line("   Master priority = %d", in.MasterPriority)
	}
	line("   Wantstate = %s", want(in.State))
	line("   Last transition = %s (%s)", unix(in.Since), in.Since.Format("Mon Jan _2 15:04:05.000000 2006"))
	if v, own := c.Own(); own {
		line("   Interface = %s, vmac on %s%s", v.Name, v.Parent, word(c.Sender == "", ", xmit base i/f", ""))
	} else {
		line("   Interface = %s", in.Interface)
	}
	if in.State == "MASTER" {
		line("   Using src_ip = %s", in.Master)
	}
	g := c.Garp
	line("   Gratuitous ARP delay = %s", seconds(g.Delay))
	line("   Gratuitous ARP repeat = %d", g.Repeat)
	line("   Gratuitous ARP refresh = %s", seconds(g.Refresh))
	line("   Gratuitous ARP refresh repeat = %d", g.RefreshRepeat)
	line("   Gratuitous ARP lower priority delay = %s", seconds(g.LowerPrioDelay))
	line("   Gratuitous ARP lower priority repeat = %d", g.LowerPrioRepeat)
	line("   Virtual Router ID = %d", in.VRID)
	line("   Priority = %d", in.BasePriority)
	line("   Effective priority = %d", in.Priority)
	line("   Total priority = %d", in.Priority)
	line("   Advert interval = %s", interval(c))
	line("   Accept = %s", word(c.NoAccept, "disabled", "enabled"))
	line("   Preempt = %s", word(c.NoPreempt, "disabled", "enabled"))
	if c.PreemptDelay > 0 {
		line("   Preempt delay = %s secs", seconds(c.PreemptDelay))
	}
	if c.Auth.Type != settings.AuthNone {
		line("   Authentication type = %s", word(c.Auth.Type == settings.AuthPass, "SIMPLE_PASSWORD", "IPSEC_AH"))
		line("   Password = %s", c.Auth.Pass)
	}
	for _, part := range []struct {
		head string
		list []settings.Address
	}{{"Virtual IP", c.Addresses}, {"Virtual IP Excluded", c.Excluded}} {
		if len(part.list) == 0 {
			continue
		}
		line("   %s (%d):", part.head, len(part.list))
		for _, a := range part.list {
			line("     %s", addressLine(a, in.State == "MASTER"))
		}
	}
	if len(c.Tracks) > 0 {
		line("   Tracked scripts :")
		for _, t := range c.Tracks {
			line("     %s weight %d%s", t.Source, t.Weight, word(t.Reverse, " reverse", ""))
		}
	}
}

func interval(c *settings.Instance) string {
	if c.Version == 3 {
		return fmt.Sprintf("%d milli-sec", c.AdvertInt.Milliseconds())
	}
	return seconds(c.AdvertInt) + " sec"
}

func script(line func(string, ...any), s settings.Script, known Script) {
	line(" VRRP Script = %s", s.Name)
	line("   Command = %s", command(s.Argv))
	line("   Interval = %s sec", seconds(s.Interval))
	line("   Timeout = %s sec", seconds(s.Timeout))
	line("   Weight = %d%s", s.Weight, word(s.Reverse, " reverse", ""))
	line("   Rise = %d", s.Rise)
	line("   Fall = %d", s.Fall)
	line("   Insecure = no")
	line("   Status = %s", word(!known.Known, "UNKNOWN", word(known.Good, "GOOD", "BAD")))
	line("   State = %s", word(known.Running, "running", "idle"))
}

// unix is a time in seconds since the epoch, with microseconds.
func unix(t time.Time) string {
	if t.IsZero() {
		return "0.000000"
	}
	return fmt.Sprintf("%d.%06d", t.Unix(), t.Nanosecond()/1000)
}

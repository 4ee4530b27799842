package directive

import (
	"slices"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// longestLinkDelay is what keepalived allows.
const longestLinkDelay = 255 * time.Second

var linkDelayActs = []row[build]{
	{Name: "interface_up_down_delays", Syntax: "{ INTERFACE DOWN [UP] }", Doc: "Seconds a link has to be down, or up, before instances believe it; up as down when it is not said.",
		Example: "interface_up_down_delays { eth0 1 2 }", Do: topKeyword{act: func(b *build, _ *build, st block.Statement) {
			for _, line := range items(st, beginsInterface) {
				b.linkDelay(line)
			}
		}}},
}

// beginsInterface tells the name of an interface from a delay.
func beginsInterface(words []block.Word, i int) bool {
	_, err := config.Seconds(words[i].Text)
	return err != nil
}

func (b *build) linkDelay(line block.Statement) {
	name := line.Keyword()
	if wrong := interfaceName(name); wrong != "" {
		b.diags.Warnf(line.Pos, name, "interface_up_down_delays: %q is %s; the line is ignored", name, wrong)
		return
	}
	if len(line.Words) < 2 || len(line.Words) > 3 {
		b.diags.Warnf(line.Pos, name, "interface_up_down_delays: %s needs INTERFACE DOWN [UP]; the line is ignored", name)
		return
	}
	if slices.ContainsFunc(b.config.LinkDelays, func(d settings.LinkDelay) bool { return d.Interface == name }) {
		b.diags.Warnf(line.Pos, name, "interface_up_down_delays: %s has delays already; the line is ignored", name)
		return
	}
	d := settings.LinkDelay{Interface: name, Down: b.seconds(line, 1, 0, longestLinkDelay, 0)}
	if d.Up = d.Down; len(line.Words) == 3 {
		d.Up = b.seconds(line, 2, 0, longestLinkDelay, 0)
	}
	b.config.LinkDelays = append(b.config.LinkDelays, d)
	b.linkDelayPos = append(b.linkDelayPos, line.Pos)
}

// boundLinkDelays keeps delays shorter than the time after which the other
// nodes take over from an instance on the interface: it must be FAULT by then.
func (b *build) boundLinkDelays() {
	for i := range b.config.LinkDelays {
		d := &b.config.LinkDelays[i]
		for _, in := range b.config.Instances {
			down := in.DownAdverts
			if down == 0 {
				down = 3
			}
			limit := time.Duration(max(down-1, 1)) * in.AdvertInt
			if in.Interface != d.Interface || d.Down < limit && d.Up < limit {
				continue
			}
			limit -= time.Millisecond
			d.Down, d.Up = min(d.Down, limit), min(d.Up, limit)
			b.diags.Warnf(b.linkDelayPos[i], d.Interface, "interface_up_down_delays: %s: the others would take over from vrrp_instance %s before it is FAULT; at most %v is taken", d.Interface, in.Name, limit)
		}
	}
}

package directive

import (
	"slices"

	"herald/config/block"
	"herald/vrrp/settings"
)

var trackActs = slices.Concat(watchRows(func(d *draft) *watching { return &d.watch }), sourceActs, []row[draft]{
	{Name: "track_script", Syntax: "{ NAME [weight NUMBER] [reverse] }", Doc: "The vrrp_script blocks whose results change the priority, or FAULT with weight 0.",
		Example: "track_script { check weight 20 }", Do: instanceKeyword{act: func(_ *build, d *draft, st block.Statement) {
			d.tracks = append(d.tracks, items(st, beginsTracked)...)
		}}},
	{Name: "track_interface", Syntax: "{ INTERFACE [weight NUMBER] [reverse] }", Doc: "Interfaces whose link changes the priority, or FAULT with weight 0.",
		Example: "track_interface { eth1 weight -20 }", Do: instanceKeyword{act: trackInterface}},
})

// beginsTracked tells a new name from an option of the one before.
func beginsTracked(words []block.Word, i int) bool {
	if words[i-1].Text == "weight" && i > 1 {
		return false
	}
	switch words[i].Text {
	case "weight", "reverse", "noreverse":
		return false
	}
	return true
}

func trackInterface(b *build, d *draft, st block.Statement) {
	d.TrackInterfaces = append(d.TrackInterfaces, b.trackInterfaces(st)...)
}

func (b *build) trackInterfaces(st block.Statement) []settings.TrackInterface {
	var list []settings.TrackInterface
	for _, line := range items(st, beginsTracked) {
		name := line.Keyword()
		if wrong := interfaceName(name); wrong != "" {
			b.diags.Warnf(line.Pos, name, "track_interface: %q is %s; it is ignored", name, wrong)
			continue
		}
		t := settings.TrackInterface{Name: name}
		t.Weight, t.Reverse = b.weight(line, 1, 0, false)
		list = append(list, t)
	}
	return list
}

// resolveTracks connects the tracked scripts, which may stand after their
// use.
func (b *build) resolveTracks(d *draft) {
	d.Tracks = b.tracksOf("vrrp_instance "+d.Name, d.tracks, d.Priority == owner)
	d.Watched = b.watched("vrrp_instance "+d.Name, d.watch, d.Priority == owner)
}

// tracksOf reads lines of track_script. A script that does not exist is
// ignored, as keepalived does.
func (b *build) tracksOf(where string, lines []block.Statement, owned bool) []settings.Track {
	var tracks []settings.Track
	for _, line := range lines {
		name := line.Keyword()
		s, ok := b.scriptNamed(name)
		if !ok {
			b.diags.Warnf(line.Pos, name, "%s: track_script %s: there is no such vrrp_script; it is ignored", where, name)
			continue
		}
		t := settings.Track{Source: name}
		t.Weight, t.Reverse = b.weight(line, 1, s.Weight, s.Reverse)
		if owned && t.Weight != 0 {
			b.diags.Warnf(line.Pos, name, "%s: track_script %s is ignored: a weight cannot change priority 255", where, name)
			continue
		}
		tracks = append(tracks, t)
	}
	return tracks
}

func (b *build) scriptNamed(name string) (settings.Script, bool) {
	for _, s := range b.config.Scripts {
		if s.Name == name {
			return s, true
		}
	}
	return settings.Script{}, false
}

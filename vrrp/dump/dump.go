// Package dump writes what keepalived 2.2.7 writes into /tmp on a signal: the
// state of the instances and scripts, their counters, and both as JSON.
// Programs that watch keepalived read these files.
//
// It has every line such programs look for, in keepalived's words, and leaves
// out what herald does not have. It writes no file.
//
//	w := dump.World{Config: cfg, Instances: server.Status(), Scripts: states}
//	text := w.Stats() // SIGUSR2
package dump

import (
	"fmt"
	"strings"
	"time"

	"herald/stats"
	"herald/vrrp/settings"
)

// World is everything that is dumped.
type World struct {
	Config    *settings.Config
	Instances []stats.Instance // in configuration order
	Scripts   []Script         // in configuration order
	// Interfaces are those of the machine.
	Interfaces []Interface
}

// Script is what is known of Config.Scripts at the same index.
type Script struct {
	Known, Good bool
	Running     bool
}

// Stats is keepalived.stats (SIGUSR2).
func (w World) Stats() []byte {
	var b strings.Builder
	for i := range w.Instances {
		in := &w.Instances[i]
		c := &in.Counters
		fmt.Fprintf(&b, "VRRP Instance: %s\n", in.Name)
		for _, part := range []struct {
			head  string
			names []string
			of    []uint64
		}{
			{"Advertisements", []string{"Received", "Sent"}, []uint64{c.AdvertiseRcvd, c.AdvertiseSent}},
			{"", []string{"Became master", "Released master"}, []uint64{c.BecomeMaster, released(in)}},
			{"Packet Errors", []string{"Length", "TTL", "Invalid Type", "Advertisement Interval", "Address List"},
				[]uint64{c.PacketLengthErrors, c.IPTTLErrors, c.InvalidTypePktsRcvd, c.AdvertiseIntervalErrors, c.AddressListErrors}},
			{"Authentication Errors", []string{"Invalid Type", "Type Mismatch", "Failure"},
				[]uint64{c.InvalidAuthType, c.AuthTypeMismatch, c.AuthFailures}},
			{"Priority Zero", []string{"Received", "Sent"}, []uint64{c.PriorityZeroPktsRcvd, c.PriorityZeroPktsSent}},
		} {
			indent := "  "
			if part.head != "" {
				fmt.Fprintf(&b, "  %s:\n", part.head)
				indent = "    "
			}
			for j, name := range part.names {
				fmt.Fprintf(&b, "%s%s: %d\n", indent, name, part.of[j])
			}
		}
	}
	return []byte(b.String())
}

// released is how often the addresses were given away: every time but the
// one that lasts.
func released(in *stats.Instance) uint64 {
	n := in.Counters.BecomeMaster
	if in.State == "MASTER" && n > 0 {
		n--
	}
	return n
}

// config is the configuration of an instance.
func (w World) config(in *stats.Instance) *settings.Instance {
	for i := range w.Config.Instances {
		if w.Config.Instances[i].Name == in.Name {
			return &w.Config.Instances[i]
		}
	}
	return &settings.Instance{}
}

// addressLine is an address as keepalived shows it.
func addressLine(a settings.Address, set bool) string {
	text := a.Prefix.Addr().String()
	if a.Prefix.Bits() != a.Prefix.Addr().BitLen() {
		text = a.Prefix.String()
	}
	if a.Broadcast.IsValid() {
		text += " brd " + a.Broadcast.String()
	}
	text += " dev " + a.Device + " scope " + scopeName(a.Scope)
	if a.Label != "" {
		text += " label " + a.Label
	}
	if set {
		text += " set"
	}
	return text
}

// scopeName is the word of a scope (rt_scopes of iproute2).
func scopeName(scope int) string {
	switch scope {
	case 0:
		return "global"
	case 200:
		return "site"
	case 253:
		return "link"
	case 254:
		return "host"
	}
	return fmt.Sprint(scope)
}

// command is a script's command line, each word in quotes.
func command(argv []string) string { return "'" + strings.Join(argv, "' '") + "'" }

func seconds(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.6f", d.Seconds()), "0"), ".")
}

// want is the state that is aimed at: no instance aims at a fault.
func want(state string) string {
	if state == "MASTER" {
		return state
	}
	return "BACKUP"
}

func word(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}

package directive

import (
	"fmt"
	"slices"
	"time"

	"herald/config"
	"herald/config/block"
	"herald/vrrp/settings"
)

// A draft is one vrrp_instance being read.
type draft struct {
	settings.Instance
	garp        garpDraft
	version     int    // 0 when the instance names none
	auth        auth   // as written
	pos         points // where the words stood that later checks may blame
	hasPriority bool
	listed      int   // lines in virtual_ipaddress
	promote     bool  // promote_secondaries
	accept      *bool // nil when neither accept nor no_accept is given
	broken      bool  // an error has been reported; the instance is left out
	tracks      []block.Statement
	notify      notifyDraft
	protocol    protocol
	way         way
	watch       watching
	vmac        vmac
	hmac        hmacDraft
}

// points remembers positions for checks that need the whole instance.
type points struct {
	nopreempt, preemptDelay, advertInt, auth, accept config.Pos
}

// fault reports an error that leaves the instance out.
func (b *build) fault(d *draft, pos config.Pos, word, format string, args ...any) {
	b.diags.Errorf(pos, word, "vrrp_instance %s is left out: %s", d.Name, fmt.Sprintf(format, args...))
	d.broken = true
}

type instanceKeyword = keyword[draft]

var instanceWords = config.NewRegistry(slices.Concat(instanceActs, protocolActs, trackActs, garpActs, garpExtraActs, garpFormActs, acceptActs, vmacActs, routingActs, instanceNotifyActs,
	builtIn(plan[draft](instanceBuiltIn)), plan[draft](instancePlan))...)

var instanceActs = []row[draft]{
	{Name: "state", Syntax: "MASTER|BACKUP", Doc: "A hint only: the election decides at once.", Example: "state BACKUP",
		Do: instanceKeyword{act: state}},
	{Name: "interface", Syntax: "INTERFACE", Doc: "Where advertisements go.", Example: "interface eth0",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.Interface = st.Arg(1)
			if wrong := interfaceName(d.Interface); wrong != "" {
				b.fault(d, st.Words[1].Pos, d.Interface, "interface %q is %s", d.Interface, wrong)
			} else if d.Interface == "lo" {
				b.fault(d, st.Words[1].Pos, d.Interface, "advertisements cannot go over the loopback interface lo")
			}
		}}},
	{Name: "virtual_router_id", Syntax: "NUMBER", Doc: "1 to 255, the same on all nodes, once per interface.", Example: "virtual_router_id 51",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			n, err := config.Int(st.Arg(1), 1, 255)
			if err != nil {
				b.fault(d, st.Words[1].Pos, st.Arg(1), "virtual_router_id: %v", err)
			}
			d.VRID = uint8(n)
		}}},
	{Name: "priority", Syntax: "NUMBER", Doc: "1 to 255, the highest holds the addresses; 100 by default, 255 with state MASTER. 255 means owner and never changes.",
		Example: "priority 101", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.Priority, d.hasPriority = uint8(b.number(st, 1, 1, 255, 100)), true
		}}},
	{Name: "advert_int", Syntax: "SECONDS", Doc: "Time between advertisements, 1 s, the same on all nodes; whole seconds in version 2.", Example: "advert_int 1",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.pos.advertInt = st.Pos
			d.AdvertInt = b.seconds(st, 1, 10*time.Millisecond, 255*time.Second, time.Second)
		}}},
	{Name: "nopreempt", Doc: "A better node leaves the addresses where they are; not with state MASTER.", Example: "nopreempt",
		Do: instanceKeyword{act: func(_ *build, d *draft, st block.Statement) { d.NoPreempt, d.pos.nopreempt = true, st.Pos }}},
	{Name: "preempt", Doc: "A better node takes the addresses, the default.", Example: "preempt",
		Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.NoPreempt = false }}},
	{Name: "preempt_delay", Syntax: "SECONDS", Doc: "A better node waits 0 to 1000 s before it takes over; not with state MASTER.", Example: "preempt_delay 30",
		Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.PreemptDelay, d.pos.preemptDelay = b.seconds(st, 1, 0, 1000*time.Second, 0), st.Pos
		}}},
	{Name: "authentication", Syntax: "{ ... }", Doc: "A password in every advertisement, in clear text, or an authentication header (version 2).",
		Example: "authentication { auth_type PASS auth_pass secret }", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.pos.auth = st.Pos
			apply(b, "authentication", authWords, &d.auth, st.Children)
		}}},
	{Name: "auth_hmac", Syntax: "{ ... }", Doc: "Signs every advertisement (HMAC-SHA256) with a number that grows with time, in all versions and families, as keepalived 2.4; not beside authentication.",
		Example: "auth_hmac { key 1 hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f active_key 1 }", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.hmac.set, d.hmac.pos = true, st.Pos
			apply(b, "auth_hmac", hmacWords, &d.hmac, st.Children)
		}}},
	{Name: "virtual_ipaddress", Syntax: "{ ADDRESS[/LENGTH] [OPTION...] }", Doc: "Addresses the master holds and advertises. Options: dev, brd, scope, label, peer, home, -nodad, mngtmpaddr, noprefixroute, autojoin, preferred_lft, no_track, use_vmac [NAME] [MAC].",
		Example: "virtual_ipaddress { 192.0.2.10/24 dev eth0 label eth0:1 }", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			d.listed += len(st.Children)
			b.addresses(d, &d.Addresses, st)
		}}},
	{Name: "virtual_ipaddress_excluded", Syntax: "{ ADDRESS[/LENGTH] [OPTION...] }", Doc: "Addresses the master holds and does not advertise, of either family.",
		Example: "virtual_ipaddress_excluded { 192.0.2.11/24 }", Do: instanceKeyword{act: func(b *build, d *draft, st block.Statement) {
			b.addresses(d, &d.Excluded, st)
		}}},
	{Name: "dont_track_primary", Doc: "Keeps running when the interface is down.", Example: "dont_track_primary",
		Do: instanceKeyword{act: func(_ *build, d *draft, _ block.Statement) { d.DontTrackPrimary = true }}},
}

var garpActs = []row[draft]{
	{Name: "garp_master_delay", Syntax: "SECONDS", Doc: "Time from becoming master to the second burst of announcements, 5 s; 0 is none.", Example: "garp_master_delay 5",
		Do: instanceKeyword{act: garpTime(func(d *draft) **time.Duration { return &d.garp.delay }, 5*time.Second)}},
	{Name: "garp_master_repeat", Syntax: "COUNT", Doc: "Announcements of each address per burst, 5.", Example: "garp_master_repeat 5",
		Do: instanceKeyword{act: garpCount(func(d *draft) **int { return &d.garp.repeat }, 1)}},
	{Name: "garp_master_refresh", Syntax: "SECONDS", Doc: "Announces again and again while master; 0 is never, the default.", Example: "garp_master_refresh 60",
		Do: instanceKeyword{act: garpTime(func(d *draft) **time.Duration { return &d.garp.refresh }, 0)}},
	{Name: "garp_master_refresh_repeat", Syntax: "COUNT", Doc: "Announcements per refresh, 1.", Example: "garp_master_refresh_repeat 2",
		Do: instanceKeyword{act: garpCount(func(d *draft) **int { return &d.garp.refreshRepeat }, 1)}},
	{Name: "garp_lower_prio_delay", Syntax: "SECONDS", Doc: "The second burst after a lower-priority master was heard; as garp_master_delay.", Example: "garp_lower_prio_delay 5",
		Do: instanceKeyword{act: garpTime(func(d *draft) **time.Duration { return &d.garp.lowerDelay }, 5*time.Second)}},
	{Name: "garp_lower_prio_repeat", Syntax: "COUNT", Doc: "Announcements then; as garp_master_repeat.", Example: "garp_lower_prio_repeat 1",
		Do: instanceKeyword{act: garpCount(func(d *draft) **int { return &d.garp.lowerRepeat }, 0)}},
	{Name: "garp_interval", Syntax: "SECONDS", Doc: "Least time between two announcements on one interface, 0; keepalived knows it for all instances only.", Example: "garp_interval 0.01",
		Do: instanceKeyword{act: garpTime(func(d *draft) **time.Duration { return &d.garp.pace }, 0)}},
}

func state(b *build, d *draft, st block.Statement) {
	switch word := st.Arg(1); word {
	case "MASTER":
		d.StartMaster = true
	case "BACKUP":
		d.StartMaster = false
	default:
		d.StartMaster = false
		b.diags.Warnf(st.Words[1].Pos, word, "state: %q is not MASTER or BACKUP; BACKUP is taken", word)
	}
}

// instance reads one vrrp_instance.
func instance(b *build, _ *build, st block.Statement) {
	d := &draft{Instance: settings.Instance{Pos: st.Pos, Name: st.Arg(1), AdvertInt: time.Second}}
	for _, other := range b.drafts {
		if other.Name == d.Name {
			b.fault(d, st.Pos, d.Name, "the name is taken by the instance at %v", other.Pos)
			return
		}
	}
	apply(b, "vrrp_instance", instanceWords, d, st.Children)
	b.drafts = append(b.drafts, d)
}

const instanceBuiltIn = `
old_unicast_checksum [never] | All three checksums of version 3 are accepted: always so. |
skip_check_adv_addr [BOOL] | A differing address list is counted and reported, never a reason to drop: always so. |
`

const instancePlan = `
use_ipvlan [NAME|ADDRESS...] | Holds the addresses on an ipvlan interface. |
track_bfd { NAME [weight NUMBER] [reverse] } | BFD sessions whose state changes the priority. | { b weight 5 }
vrf NAME | The VRF of the addresses. | red
lvs_sync_daemon_interface INTERFACE | Where IPVS connections are synchronised. | eth1
debug LEVEL | Debug output. | 0
owner_ignore_adverts | The owner does not listen (newer than 2.2.7). |
timer_expired_backup [BOOL] | Becomes BACKUP after a stall of its own (newer than 2.2.7). |
`

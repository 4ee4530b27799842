// Package syncgroup keeps the members of a vrrp_sync_group in one state
// (keepalived.conf(5), vrrp_sync_group).
//
// It is functions of values: Share gives a member's faults to all, Follow
// says what the others do when one changed its state, Alive whether a silent
// master is heard by another member, Whole is the state of the group. It steps no state machine and knows no address.
//
//	standings = syncgroup.Share(names, standings) // before weighing
//	next, actions := fsm.Step(...)                // of member i
//	for _, order := range syncgroup.Follow(names, kinds, i, transition) {
//		// step member order.Member with order.Event
//	}
package syncgroup

import (
	"slices"
	"time"

	"herald/vrrp/fsm"
	"herald/vrrp/group"
)

// Order is an event for one member.
type Order struct {
	Member int
	Event  fsm.Event
}

// Follow returns what the other members do after the transition t of member
// i: one that became master takes the backups along, and one that gave way
// takes the masters along. A fault needs no order: Share has told it to all.
func Follow(names []string, kinds []fsm.Kind, i int, t fsm.Transition) []Order {
	switch {
	case t.To == fsm.Master:
		return others(kinds, i, fsm.Backup, fsm.Lead{Member: names[i]})
	case t.From == fsm.Master && (t.To == fsm.Backup || t.To == fsm.Leaving && t.Cause == fsm.Outranked):
		return others(kinds, i, fsm.Master, fsm.Yield{Member: names[i]})
	case t.To == fsm.Backup && slices.Contains(kinds, fsm.Master):
		// One that joins a group under way, after a reload.
		leader := slices.Index(kinds, fsm.Master)
		return []Order{{i, fsm.Lead{Member: names[leader]}}}
	}
	return nil
}

func others(kinds []fsm.Kind, i int, which fsm.Kind, e fsm.Event) []Order {
	var orders []Order
	for j, k := range kinds {
		if j != i && k == which {
			orders = append(orders, Order{j, e})
		}
	}
	return orders
}

// Alive returns the member that hears the master member i has lost, or -1:
// then only i's network is broken. A member hears it when an advertisement
// came within an interval and a half; those of a router that is dead are twice
// as old when the first member misses them. A master that resigned, or that
// is to be preempted, is not lost.
func Alive(now time.Time, configs []fsm.Config, states []fsm.State, i int) int {
	if states[i].Kind != fsm.Backup || states[i].Heard == fsm.Resignation || states[i].Heard == fsm.Lesser {
		return -1
	}
	for j, s := range states {
		if j != i && s.Kind == fsm.Backup && s.Heard == fsm.AMaster && now.Sub(s.HeardAt) <= configs[j].Interval*3/2 {
			return j
		}
	}
	return -1
}

// Rally returns what the other masters do when member i saw a rival.
func Rally(kinds []fsm.Kind, i int) []Order { return others(kinds, i, fsm.Master, fsm.Rally{}) }

// Share returns what each member has to reckon with: its own faults, else
// the first fault of each other member, and everything a member still waits
// for. Priorities stay each member's own.
func Share(names []string, standings []group.Standing) []group.Standing {
	shared := slices.Clone(standings)
	for i := range shared {
		own := len(standings[i].Faults) > 0
		for j, other := range standings {
			if j == i {
				continue
			}
			if !own && len(other.Faults) > 0 {
				shared[i].Faults = append(slices.Clip(shared[i].Faults), names[j]+" of its sync group: "+other.Faults[0])
			}
			for _, w := range other.Waiting {
				if !slices.Contains(shared[i].Waiting, w) {
					shared[i].Waiting = append(slices.Clip(shared[i].Waiting), w)
				}
			}
		}
	}
	return shared
}

// Whole is the state of a group: that of its members where they agree, else
// the first of FAULT, INIT and BACKUP that one of them is in.
func Whole(kinds []fsm.Kind) fsm.Kind {
	for _, k := range []fsm.Kind{fsm.Fault, fsm.Initialize, fsm.Backup, fsm.Leaving} {
		if slices.Contains(kinds, k) {
			return k
		}
	}
	return fsm.Master
}

// Package garp decides when to send gratuitous ARP: which addresses, how many
// and how fast.
//
// It sends nothing and reads no clock. A Queue is fed with bursts by whoever
// becomes master and asked for the frames that are due; garp/arp puts them on
// the wire. It knows owners by number only, not what they are.
//
// The schedule is keepalived's (keepalived.conf(5), garp_master_*): a burst at
// once, a second one after Delay, single announcements every Refresh. When a
// rival was seen the addresses are announced again after 50, 250 and 1100 ms:
// the rival's last announcement may have left after our first.
//
//	q.Master(now, owner, plan, targets)
//	for {
//		<-at(q.Next())
//		for _, a := range q.Due(now) {
//			if err := send(a.Target); err != nil {
//				q.Retry(now, a)
//			}
//		}
//	}
package garp

import (
	"net/netip"
	"slices"
	"time"
)

// Target is one address to announce on one interface.
type Target struct {
	Device  string
	Address netip.Addr
}

// Plan is the schedule of one owner.
type Plan struct {
	Repeat          int           // announcements per address and burst
	Delay           time.Duration // until the second burst; 0 means none
	Refresh         time.Duration // period while master; 0 means never
	RefreshRepeat   int           // announcements per address and refresh
	LowerPrioDelay  time.Duration // second burst after a rival; 0 means none
	LowerPrioRepeat int           // announcements per address after a rival
	Interval        time.Duration // least time between two gratuitous ARPs on one device
	NAInterval      time.Duration // the same of neighbour advertisements (IPv6)
	// Extra is the period of one announcement per device beside all others, so
	// that switches do not forget it; 0 means never. Keepers are those devices.
	Extra   time.Duration
	Keepers []string
	// Paces are the devices that share a pace or have one of their own, by
	// name; it is not changed once given.
	Paces map[string]Pace
}

// Pace is how fast a group of devices may announce, counted together.
type Pace struct {
	Group   string // the same for devices that count together
	ARP, NA time.Duration
}

// Announcement is one frame to send now.
type Announcement struct {
	Owner  int
	Target Target
	Tries  int // how often it failed before
	lane   lane
}

// lane is what paces one kind of frames: a device, or a group of them.
type lane struct {
	name string
	six  bool
}

// A frame the system refuses (no buffers, a firewall being reloaded) is tried
// again maxTries times, first after retryAfter and then twice as late each
// time.
const (
	maxTries   = 6
	retryAfter = 10 * time.Millisecond
)

// rivalAgain is when addresses are announced again after a rival was seen.
var rivalAgain = [...]time.Duration{50 * time.Millisecond, 250 * time.Millisecond, 1100 * time.Millisecond}

// Queue holds what is to be announced. It belongs to one goroutine; the zero
// value is empty and ready.
type Queue struct {
	owners []owner
	ready  []frame // due and held back by pacing only, in order
	later  []frame // to be tried again
	free   map[lane]time.Time
}

// owner is one master and its coming bursts.
type owner struct {
	id      int
	plan    Plan
	targets []Target
	bursts  []burst // by time
}

type burst struct {
	at      time.Time
	repeat  int
	refresh bool // books its successor
	extra   bool // one frame per keeper; books its successor
}

type frame struct {
	Announcement
	space time.Duration
	at    time.Time // of a frame to be tried again
}

// Master starts the schedule of a new master: what the owner had planned
// before is forgotten.
func (q *Queue) Master(now time.Time, id int, p Plan, targets []Target) {
	o := q.reset(id, p, targets)
	o.add(now, p.Repeat)
	if p.Delay > 0 {
		o.add(now.Add(p.Delay), p.Repeat)
	}
	o.refresh(now)
	o.extra(now)
}

// Rival announces again because another router was heard as master. Bursts
// already planned for an earlier rival are replaced, so a flood of rivals is
// answered no more often than one.
func (q *Queue) Rival(now time.Time, id int, p Plan, targets []Target) {
	pending := q.pending(id)
	o := q.reset(id, p, targets)
	if !pending {
		o.add(now, p.LowerPrioRepeat)
	}
	for _, d := range rivalAgain {
		o.add(now.Add(d), 1)
	}
	if p.LowerPrioDelay > 0 {
		o.add(now.Add(p.LowerPrioDelay), p.LowerPrioRepeat)
	}
	o.refresh(now)
	o.extra(now)
}

// Drop forgets everything of an owner: it is no longer master.
func (q *Queue) Drop(id int) {
	q.owners = slices.DeleteFunc(q.owners, func(o owner) bool { return o.id == id })
	of := func(f frame) bool { return f.Owner == id }
	q.ready = slices.DeleteFunc(q.ready, of)
	q.later = slices.DeleteFunc(q.later, of)
}

// Next returns when Due has something to say; zero means never.
func (q *Queue) Next() time.Time {
	var next time.Time
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for i := range q.owners {
		if len(q.owners[i].bursts) > 0 {
			earlier(q.owners[i].bursts[0].at)
		}
	}
	for _, f := range q.later {
		earlier(f.at)
	}
	for _, f := range q.ready {
		at := q.free[f.lane]
		if at.IsZero() {
			at = time.Unix(0, 0) // at once
		}
		earlier(at)
	}
	return next
}

// Due returns the targets to announce now, in order: every target once, then
// every target again, as often as the burst repeats. A device whose pace does
// not allow a frame yet keeps its frames for later.
func (q *Queue) Due(now time.Time) []Announcement {
	q.later = slices.DeleteFunc(q.later, func(f frame) bool {
		if now.Before(f.at) {
			return false
		}
		q.ready = append(q.ready, f)
		return true
	})
	for i := range q.owners {
		q.ready = q.owners[i].expand(now, q.ready)
	}
	if len(q.ready) == 0 {
		return nil
	}
	if q.free == nil {
		q.free = map[lane]time.Time{}
	}
	var due []Announcement
	kept := q.ready[:0]
	for _, f := range q.ready {
		if now.Before(q.free[f.lane]) {
			kept = append(kept, f)
			continue
		}
		due = append(due, f.Announcement)
		if f.space > 0 {
			q.free[f.lane] = now.Add(f.space)
		} else {
			delete(q.free, f.lane)
		}
	}
	q.ready = kept
	return due
}

// Retry books another try for a frame that could not be sent. It reports
// false, and forgets the frame, when it was tried often enough.
func (q *Queue) Retry(now time.Time, a Announcement) bool {
	if a.Tries >= maxTries {
		return false
	}
	at := now.Add(retryAfter << a.Tries)
	a.Tries++
	q.later = append(q.later, frame{Announcement: a, at: at})
	return true
}

func (q *Queue) pending(id int) bool {
	return slices.ContainsFunc(q.ready, func(f frame) bool { return f.Owner == id })
}

func (q *Queue) reset(id int, p Plan, targets []Target) *owner {
	i := slices.IndexFunc(q.owners, func(o owner) bool { return o.id == id })
	if i < 0 {
		q.owners = append(q.owners, owner{id: id})
		i = len(q.owners) - 1
	}
	q.owners[i] = owner{id: id, plan: p, targets: slices.Clone(targets)}
	return &q.owners[i]
}

func (o *owner) add(at time.Time, repeat int) { o.book(burst{at: at, repeat: repeat}) }

func (o *owner) refresh(after time.Time) {
	if o.plan.Refresh > 0 {
		o.book(burst{at: after.Add(o.plan.Refresh), repeat: max(o.plan.RefreshRepeat, 1), refresh: true})
	}
}

func (o *owner) extra(after time.Time) {
	if o.plan.Extra > 0 && len(o.plan.Keepers) > 0 {
		o.book(burst{at: after.Add(o.plan.Extra), repeat: 1, extra: true})
	}
}

func (o *owner) book(b burst) {
	if b.repeat <= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(o.bursts, b, func(x, y burst) int {
		if x.at.After(y.at) {
			return 1
		}
		return -1 // equal times keep the order they were booked in
	})
	o.bursts = slices.Insert(o.bursts, i, b)
}

// expand turns the bursts that are due into frames. After a stall only the
// newest burst counts: announcing sixty times at once helps nobody.
func (o *owner) expand(now time.Time, frames []frame) []frame {
	repeat, extra := 0, false
	for len(o.bursts) > 0 && !now.Before(o.bursts[0].at) {
		b := o.bursts[0]
		o.bursts = slices.Delete(o.bursts, 0, 1)
		if b.extra {
			extra = true
			o.extra(now)
			continue
		}
		repeat = max(repeat, b.repeat)
		if b.refresh {
			o.refresh(now)
		}
	}
	for range repeat {
		for _, t := range o.targets {
			frames = append(frames, o.frame(t))
		}
	}
	if extra && repeat == 0 { // a burst has kept every device awake
		for _, device := range o.plan.Keepers {
			if i := slices.IndexFunc(o.targets, func(t Target) bool { return t.Device == device }); i >= 0 {
				frames = append(frames, o.frame(o.targets[i]))
			}
		}
	}
	return frames
}

// frame puts an announcement into its lane.
func (o *owner) frame(t Target) frame {
	six := !t.Address.Is4()
	f := frame{Announcement: Announcement{Owner: o.id, Target: t, lane: lane{t.Device, six}}, space: o.plan.Interval}
	if six {
		f.space = o.plan.NAInterval
	}
	if p, ok := o.plan.Paces[t.Device]; ok {
		f.lane.name, f.space = p.Group, p.ARP
		if six {
			f.space = p.NA
		}
	}
	return f
}

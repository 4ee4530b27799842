package dns

import "net/netip"

// Seat is one server that wants an address.
type Seat struct {
	Addr     netip.Addr     // it has now; the zero value is none
	Family   Type           // preferred: A or AAAA
	Networks []netip.Prefix // preferred; the first ones no more than the others
	AllowDup bool           // may have an address that another server has
}

// Place answers the address of each server that shares a resolution, the zero
// value where none is left. A server keeps its address as long as the records
// hold it, unless another one is preferred more (Configuration manual 5.2,
// "resolve-prefer", "resolve-net", "resolve-opts").
func Place(seats []Seat, records []Record) []netip.Addr {
	out := make([]netip.Addr, len(seats))
	users := map[netip.Addr]int{}
	for i, s := range seats {
		if out[i] = s.Addr; s.Addr.IsValid() {
			users[s.Addr]++
		}
	}
	for i := range seats {
		s := &seats[i]
		if s.Addr.IsValid() {
			users[s.Addr]--
		}
		best, most := netip.Addr{}, -1
		for _, r := range records {
			used := users[r.Addr] > 0
			if used && !s.AllowDup {
				continue
			}
			if n := s.score(r.Addr, used); n > most {
				best, most = r.Addr, n
			}
		}
		if out[i] = best; best.IsValid() {
			users[best]++
		}
	}
	return out
}

func (s *Seat) score(a netip.Addr, used bool) int {
	n := 0
	if a.Is4() == (s.Family == A) {
		n += 8
	}
	for _, p := range s.Networks {
		if p.Contains(a) {
			n += 4
			break
		}
	}
	if !used {
		n += 2
	}
	if a == s.Addr {
		n++
	}
	return n
}

// Slot is one server that SRV records fill. An empty Target is a free one.
type Slot struct {
	Target string
	Port   uint16
	Weight int // 0..256
}

// Fill answers what each server of a set is by the SRV records: it stays what
// it is as long as the records say so, and free servers become those that are
// new, the ones freed by this very change last.
func Fill(slots []Slot, records []Record) []Slot {
	out := make([]Slot, len(slots))
	placed := make([]bool, len(records))
	var free, freed []int
	for i, s := range slots {
		if s.Target == "" {
			free = append(free, i)
			continue
		}
		at := -1
		for j, r := range records {
			if !placed[j] && r.Target == s.Target && r.Port == s.Port {
				at = j
				break
			}
		}
		if at < 0 {
			freed = append(freed, i)
			continue
		}
		placed[at] = true
		out[i] = slotOf(records[at])
	}
	free = append(free, freed...)
	for j, r := range records {
		if placed[j] || len(free) == 0 {
			continue
		}
		out[free[0]] = slotOf(r)
		free = free[1:]
	}
	return out
}

// slotOf scales a weight of 0..65535 to one of a server, as HAProxy does.
func slotOf(r Record) Slot {
	return Slot{Target: r.Target, Port: r.Port, Weight: (int(r.Weight) + 255) / 256}
}

package logline

import "time"

// Dates caches formatted dates by second and holds the line being written. It
// belongs to one loop. The zero
// value formats in UTC; set Zone before first use.
type Dates struct {
	Zone  *time.Location
	slots [8]second // by second modulo their number
	line  writer
}

// second is everything ever written about one second of local time.
type second struct {
	at     int64
	known  bool
	clf    [20]byte // 22/Nov/2026:16:10:15
	zone   [5]byte  // +0000
	header [15]byte // Nov 22 16:10:15, the day padded with a space
	iso    [19]byte // 2026-11-22T16:10:15
}

func (d *Dates) second(t time.Time) *second {
	at := t.Unix()
	s := &d.slots[uint64(at)%uint64(len(d.slots))]
	if s.at == at && s.known {
		return s
	}
	zone := d.Zone
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	s.at, s.known = at, true
	t.AppendFormat(s.clf[:0], "02/Jan/2006:15:04:05")
	t.AppendFormat(s.zone[:0], "-0700")
	t.AppendFormat(s.header[:0], "Jan _2 15:04:05")
	t.AppendFormat(s.iso[:0], "2006-01-02T15:04:05")
	return s
}

// date writes local time with milliseconds: 22/Nov/2026:16:10:15.994.
func (w *writer) date(t time.Time) {
	w.dst = append(w.dst, w.d.second(t).clf[:]...)
	w.dst = append(w.dst, '.')
	w.dst = appendPadded(w.dst, t.Nanosecond()/1e6, 3)
}

// gmt writes 22/Nov/2026:16:10:15 +0000.
func (w *writer) gmt(t time.Time) {
	s := w.d.second(t)
	if string(s.zone[:]) != "+0000" {
		w.dst = t.UTC().AppendFormat(w.dst, "02/Jan/2006:15:04:05 +0000")
		return
	}
	w.dst = append(append(append(w.dst, s.clf[:]...), ' '), s.zone[:]...)
}

// local writes 22/Nov/2026:17:10:15 +0100.
func (w *writer) local(t time.Time) {
	s := w.d.second(t)
	w.dst = append(append(append(w.dst, s.clf[:]...), ' '), s.zone[:]...)
}

func (w *writer) millis(t time.Time) {
	ms := t.Nanosecond() / 1e6
	if w.flags&hex != 0 {
		w.number(int64(ms), 2)
		return
	}
	w.dst = appendPadded(w.dst, ms, 3)
}

// appendPadded appends n in width digits.
func appendPadded(dst []byte, n, width int) []byte {
	at := len(dst) + width
	for range width {
		dst = append(dst, '0')
	}
	for i := at - 1; i >= at-width; i-- {
		dst[i] = '0' + byte(n%10)
		n /= 10
	}
	return dst
}

package assemble

import (
	"time"

	"herald/cmd/herald/internal/ipc"
	"herald/proxy"
)

// recollection paces what the proxy gives the parent for a successor: every
// second, and at once when a server's state changes, as long as it is small.
// What a thousand servers have to tell goes every few seconds; encoding it
// every second would cost more than their checks.
type recollection struct {
	told time.Time
	size int // of the last, in bytes
	late bool
}

// paid is how much a second of waiting pays for.
const paid = 128 << 10

// rest is the pause that the last telling asks for.
func (r *recollection) rest() time.Duration { return time.Duration(r.size) * time.Second / paid }

// due reports whether averages are to be told again, or news that waited.
func (r *recollection) due(now time.Time) bool { return r.late || now.Sub(r.told) >= r.rest() }

// news reports whether a change is to be told now; else it waits for the next
// beat.
func (r *recollection) news(now time.Time) bool {
	r.late = now.Sub(r.told) < r.rest()/10
	return !r.late
}

// tell gives the parent what a successor goes on from.
func (r *recollection) tell(role *ipc.Role, engine *proxy.Server) {
	raw, err := engine.Memory()
	if err != nil {
		role.Log(err.Error())
		return
	}
	role.State(raw)
	r.told, r.size, r.late = time.Now(), len(raw), false
}

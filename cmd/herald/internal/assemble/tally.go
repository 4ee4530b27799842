package assemble

import (
	"bytes"
	"fmt"

	"herald/cmd/herald/internal/ipc"
	"herald/proxy"
)

// tally is what the parent was told of the proxy's counters last.
type tally struct {
	role   *ipc.Role
	engine *proxy.Server
	told   []byte
}

// tell gives the parent the counters when they have changed.
func (t *tally) tell(draining bool) {
	raw, err := t.engine.Counted()
	if err != nil {
		t.role.Log(err.Error())
		return
	}
	if !bytes.Equal(raw, t.told) {
		t.told = raw
		t.role.Tally(ipc.Tally{Draining: draining, Counted: raw})
	}
}

// drain tells in any case: the successor waits for it.
func (t *tally) drain() {
	t.told = nil
	t.tell(true)
}

// takeOver has the engine go on from what others have counted.
func takeOver(role *ipc.Role, engine *proxy.Server, tallies []ipc.OtherTally) {
	for _, t := range tallies {
		var err error
		if t.Ended {
			err = engine.TakeOver(t.Counted)
		} else {
			err = engine.Tally(t.Generation, t.Counted)
		}
		if err != nil {
			role.Log(fmt.Sprintf("the counters of process %d are left out: %v", t.Generation, err))
		}
	}
}

package loop

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// teller says that its event has come.
type teller struct {
	Socket
	name  int
	open  *int // how many have had their first event: they can be written
	peer  int  // the other end
	told  chan<- int
	first func() // done when it is told
}

func (h *teller) Ready(ev Event) {
	if ev == Writable {
		*h.open++
		return
	}
	if h.first != nil {
		h.first()
		h.first = nil
	}
	h.told <- h.name
}

func TestSocketsThatYieldAreToldAfterTheOthersAndOnce(t *testing.T) {
	const many = 3 * yieldAll
	l := turning(t)
	told := make(chan int, 2*many)
	all := make([]*teller, many+2)
	var open int // the loop's
	on(l, func() {
		for i := range all {
			pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { unix.Close(pair[1]) })
			all[i] = &teller{name: i, open: &open, peer: pair[1], told: told}
			l.Register(&all[i].Socket, pair[0], all[i])
			if i < many {
				all[i].Yield()
			}
		}
	})
	if t.Failed() {
		return
	}
	for ready := false; !ready; {
		on(l, func() { ready = open == len(all) })
	}
	say := func(i int) { unix.Write(all[i].peer, []byte("x")) }
	closed := yieldFew + 1
	all[0].first = func() {
		say(many + 1)
		say(many - 1) // waits already
		all[closed].Close()
	}
	on(l, func() {
		for i := range many + 1 {
			say(i)
		}
	})
	var order []int
	for len(order) < many+1 {
		order = append(order, <-told)
	}
	want := []int{many}
	for i := range many {
		switch i {
		case closed:
			continue
		case yieldFew:
			want = append(want, many+1)
		}
		want = append(want, i)
	}
	if !slices.Equal(order, want) {
		t.Errorf("told in the order\n%v, want\n%v", order, want)
	}
	on(l, func() {})
	on(l, func() {})
	if len(told) > 0 {
		t.Errorf("%d was told again", <-told)
	}
}

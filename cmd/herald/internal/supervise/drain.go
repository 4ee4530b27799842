package supervise

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"herald/cmd/herald/internal/ipc"
)

// Drain has the VRRP role give its addresses to other nodes and waits until
// it holds none. It lasts, through reloads and restarts of the role, until
// Undrain or the end of the daemon. The proxy goes on.
func (s *Supervisor) Drain(ctx context.Context) error {
	free := make(chan struct{})
	if err := s.setRest(true, free); err != nil {
		return err
	}
	select {
	case <-free:
		return nil
	case <-s.done:
		return errors.New("herald has ended")
	case <-ctx.Done():
		return fmt.Errorf("drained, but addresses are still here: %w", ctx.Err())
	}
}

// Undrain lets the VRRP role take part again.
func (s *Supervisor) Undrain(context.Context) error {
	return s.setRest(false, make(chan struct{}))
}

// setRest tells the role; free is closed when nothing is held any more, or
// when it need not be.
func (s *Supervisor) setRest(rest bool, free chan struct{}) error {
	if !slices.Contains(s.opt.Roles, ipc.VRRP) {
		return errors.New("there is no VRRP here")
	}
	if !s.call(func() { s.restNow(rest, free) }) {
		return errors.New("herald has ended")
	}
	return nil
}

func (s *Supervisor) restNow(rest bool, free chan struct{}) {
	if rest != s.rest {
		s.log("%s", map[bool]string{true: "drained: other nodes take the addresses", false: "undrained"}[rest])
	}
	s.rest = rest
	s.resting = append(s.resting, free)
	for _, r := range s.roles {
		if r.name == ipc.VRRP && r.serving {
			r.process.Peer().Rest(rest)
		}
	}
	s.rested()
}

// rested tells who waits when nothing is held any more.
func (s *Supervisor) rested() {
	if s.rest && len(s.held) > 0 {
		return
	}
	for _, free := range s.resting {
		close(free)
	}
	s.resting = nil
}

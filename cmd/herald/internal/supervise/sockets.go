package supervise

import (
	"errors"

	"herald/cmd/herald/internal/ipc"
)

// lend opens what is missing and lends the sockets of every address. All
// sockets of an address are lent, also those an older generation wanted: the
// kernel hands connections to each of them, so each needs a reader.
func (s *Supervisor) lend(r *role, m *ipc.ListenRequest) {
	var list [][]int
	for _, spec := range m.Sockets {
		l, err := s.socket(spec)
		if err != nil {
			r.process.Peer().Lend(m, nil, err)
			return
		}
		r.keys = append(r.keys, spec.Name())
		list = append(list, l.Descriptors())
	}
	r.process.Peer().Lend(m, list, nil)
}

// socket returns the sockets of spec, at least Count.
func (s *Supervisor) socket(spec ipc.Socket) (Listener, error) {
	key := spec.Name()
	if l := s.sockets[key]; l != nil {
		if err := l.Grow(max(spec.Count, 1)); err != nil {
			return nil, err
		}
		return l, nil
	}
	l, err := s.sys.Listen(spec, s.shares(spec))
	if err != nil {
		return nil, err
	}
	s.sockets[key], s.specs[key] = l, spec
	return l, nil
}

// shares reports whether a socket of ours has the port of spec.
func (s *Supervisor) shares(spec ipc.Socket) bool {
	port := s.sys.Port(spec)
	for _, have := range s.specs {
		if port != 0 && s.sys.Port(have) == port && have.NetNamespace == spec.NetNamespace {
			return true
		}
	}
	return false
}

// closeUnused closes the sockets no process uses that serves or will: one that
// drains accepts no more.
func (s *Supervisor) closeUnused() {
	used := map[string]bool{}
	for _, p := range s.machine.Status() {
		if r := s.roles[p.ID]; r != nil && p.State != "leaving" {
			for _, key := range r.keys {
				used[key] = true
			}
		}
	}
	for key := range s.sockets {
		if !used[key] {
			s.closeSocket(key)
		}
	}
}

func (s *Supervisor) closeSocket(key string) {
	s.sockets[key].Close()
	delete(s.sockets, key)
	delete(s.specs, key)
}

// giveOutward makes sockets for a proxy role in a network namespace, of those
// it named before it was ready: from then on the process is not trusted with
// others.
func (s *Supervisor) giveOutward(r *role, m *ipc.OutwardRequest) {
	o := m.Outward
	refuse := func(why string) { r.process.Peer().Give(m, nil, errors.New(why)) }
	switch {
	case r.name != ipc.Proxy || s.sys.Outward == nil:
		refuse("only the proxy role connects to servers")
		return
	case o.Count < 1 || o.Count > ipc.MostOutward:
		refuse("too many sockets at a time")
		return
	case r.ready == nil:
		r.outward[o.NetNamespace] = true
	case !r.outward[o.NetNamespace]:
		refuse("the network namespace was not named before the role was ready")
		return
	}
	fds, err := s.sys.Outward(o)
	r.process.Peer().Give(m, fds, err)
}

package proxy

// Parts is which parts of the proxy can do their work.
type Parts struct {
	Frontends map[string]bool // whether each accepts connections
	Backends  map[string]int  // how many servers of each are up, backups too
}

// Parts returns how the parts are now.
func (s *Server) Parts() Parts {
	p := Parts{Frontends: map[string]bool{}, Backends: map[string]int{}}
	for _, f := range s.frontends {
		p.Frontends[f.cfg.Name] = !f.off.Load() && !s.draining.Load()
	}
	for _, b := range s.backends {
		b.mu.Lock()
		active, backup, _ := b.group.Counts()
		b.mu.Unlock()
		p.Backends[b.cfg.Name] = active + backup
	}
	return p
}

// Changed receives after every change of what Parts returns; several changes
// may be told by one.
func (s *Server) Changed() <-chan struct{} { return s.changed }

// partChanged tells Changed without waiting.
func (s *Server) partChanged() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

package proxy

import (
	"testing"
	"time"

	"herald/proxy/admin"
)

// changes waits until the parts were told to have changed.
func changes(t *testing.T, s *Server) Parts {
	t.Helper()
	select {
	case <-s.Changed():
	case <-time.After(5 * time.Second):
		t.Fatal("no change was told")
	}
	return s.Parts()
}

func TestAPartThatChangesIsToldInThatMoment(t *testing.T) {
	p := section(script(t, says(five)))
	r := serve(t, 1, p)
	name := r.frontends[0].cfg.Name
	backend, server := r.backends[0].cfg.Name, r.backends[0].targets[0].cfg.Name
	if got := r.Parts(); !got.Frontends[name] || got.Backends[backend] != 1 {
		t.Errorf("got %+v, want an open frontend and one server", got)
	}
	if err := r.SetServerState(backend, server, admin.StateMaint); err != nil {
		t.Fatal(err)
	}
	if got := changes(t, r.Server); got.Backends[backend] != 0 {
		t.Errorf("got %+v, want no server", got)
	}
	if err := r.SetServerState(backend, server, admin.StateReady); err != nil {
		t.Fatal(err)
	}
	if got := changes(t, r.Server); got.Backends[backend] != 1 {
		t.Errorf("got %+v, want one server", got)
	}
	if err := r.SetFrontend(name, false); err != nil {
		t.Fatal(err)
	}
	if got := changes(t, r.Server); got.Frontends[name] {
		t.Errorf("got %+v, want a closed frontend", got)
	}
}

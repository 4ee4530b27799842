package ipc

import (
	"maps"
	"testing"
)

func TestFilesAreDeclaredAndToldOf(t *testing.T) {
	p, r := connected(t)
	go func() {
		if req, err := p.Receive(); err == nil {
			w := req.(*WatchRequest)
			p.Watched(w, Files{w.Files[0].Name: w.Files[0].Value})
		}
	}()
	now, err := r.Watch(within(t), []File{{Name: "m", Path: "/run/m", Init: true, Value: 4}})
	if err != nil || now["m"] != 4 {
		t.Errorf("got %v, %v, want 4", now, err)
	}
	p.Files(Files{"m": 5})
	if got, ok := (<-r.Commands()).(Files); !ok || got["m"] != 5 {
		t.Errorf("got %v, want 5", got)
	}
}

func TestTheProxysPartsTravelBothWays(t *testing.T) {
	p, r := connected(t)
	want := Parts{Frontends: map[string]bool{"web": true}, Backends: map[string]int{"app": 2}}
	r.Parts(want)
	if got := receive[Parts](t, p); !maps.Equal(got.Frontends, want.Frontends) || !maps.Equal(got.Backends, want.Backends) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	p.Parts(want)
	if got, ok := (<-r.Commands()).(Parts); !ok || !maps.Equal(got.Backends, want.Backends) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

package ipc

import "testing"

func TestProcessesAreDeclaredAndToldOf(t *testing.T) {
	p, r := connected(t)
	go func() {
		if req, err := p.Receive(); err == nil {
			c := req.(*CountRequest)
			p.Counted(c, Counts{c.Programs[0].Name: len(c.Programs[0].Params)})
		}
	}()
	now, err := r.Count(within(t), []Program{{Name: "web", Path: "nginx", Full: true, Params: []string{"-g", "off"}, Match: "partial"}})
	if err != nil || now["web"] != 2 {
		t.Errorf("got %v, %v, want 2", now, err)
	}
	p.Counts(Counts{"web": 5})
	if got, ok := (<-r.Commands()).(Counts); !ok || got["web"] != 5 {
		t.Errorf("got %v, want 5", got)
	}
}

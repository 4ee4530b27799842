package proxy

import (
	"bytes"
	"math/rand/v2"

	"herald/proxy/expr"
	"herald/proxy/h1"
	"herald/proxy/lb"
)

// arrange makes the group of b's targets.
func (b *backend) arrange() error {
	p := b.cfg
	members := make([]lb.Server, len(b.targets))
	for i, t := range b.targets {
		members[i] = t.member()
	}
	fixed := true
	for _, t := range b.targets {
		fixed = fixed && t.minConn.Load() >= t.maxConn.Load() && t.cfg.SlowStart == 0
	}
	var err error
	if b.group, err = lb.New(lb.Config{Algorithm: p.Balance, AllBackups: p.AllBackups, Hash: lb.Hash(p.HashType), Factor: p.HashFactor,
		Draws: p.BalanceDraws, Chance: rand.Uint32, FixedLimits: fixed,
		Served:  func(i int) int { return int(b.targets[i].sessions.now.Load()) },
		Waiting: func(i int) int { return int(b.targets[i].line.n.now.Load()) },
		Total:   b.served,
	}, members); err != nil {
		return err
	}
	active, backup, _ := b.group.Counts()
	b.empty = len(b.targets) > 0 && active+backup == 0
	b.byLoad = b.group.Kind().Loads
	b.key, err = lb.KeyOf(p.Balance, lb.Args(p.BalanceArgs))
	return err
}

// served counts the sessions on all servers of b.
func (b *backend) served() (n int) {
	for _, t := range b.targets {
		n += int(t.sessions.now.Load())
	}
	return n
}

// takeKey notes the hash that the balancing algorithm goes by. Buf begins with
// the request's head, of which the loop's head speaks; nil in mode tcp.
func (x *stream) takeKey(buf []byte) {
	if x.be == nil || x.be.key == nil {
		return
	}
	w, c := x.w, x.c
	q := &w.request
	*q = lb.Request{Source: c.peer}
	q.Target = c.local()
	if x.fe.http {
		h := &w.head
		w.fields = fields{h, buf}
		q.HTTP, q.Method, q.URI, q.Headers = true, h.MethodAt.In(buf), h.Target.In(buf), &w.fields
	} else {
		q.Payload = c.in
	}
	x.hash, x.hashed = x.be.key(q, lb.Hash(x.be.cfg.HashType))
	*q, w.fields = lb.Request{}, fields{}
}

// takeHash is takeKey for balance hash, which goes by the request as it is
// sent.
func (x *stream) takeHash() {
	if b := x.be; b.cfg.HashOf != nil && !x.hashed {
		v, out := b.cfg.HashOf.As(x.lookAtSent(), expr.Bin)
		if x.hashed = out == expr.Found; x.hashed {
			x.hash = lb.Hash(b.cfg.HashType).Of(v.Str)
		}
	}
}

// takeBodyKey is takeKey for balance url_param, which looks in what is there of
// a POST's body when the URI has no such parameter.
func (x *stream) takeBodyKey() {
	b := x.be
	if x.hashed || b.key == nil || b.cfg.Balance != "url_param" || x.method != h1.MethodPost {
		return
	}
	_, body, _ := bytes.Cut(x.out, []byte("\r\n\r\n"))
	if x.up.body.Framing() == h1.Chunked { // the first chunk alone
		_, body, _ = bytes.Cut(body, []byte("\r\n"))
		body, _, _ = bytes.Cut(body, []byte("\r\n"))
	}
	x.hash, x.hashed = b.key(&lb.Request{HTTP: true, Method: post, Body: body}, lb.Hash(b.cfg.HashType))
}

var post = []byte("POST")

// waitsForBody reports that balance url_param asks for the body of a POST
// (check_post).
func (x *stream) waitsForBody() bool {
	return x.be != nil && x.be.cfg.BalanceArgs.CheckPost && x.method == h1.MethodPost && !x.hashed
}

// fields are the headers of a parsed head, as the balancing algorithms look
// for them.
type fields struct {
	h   *h1.Head
	buf []byte
}

// Value answers the nth line of a field, or from the last, -1, on.
func (f *fields) Value(name string, n int) ([]byte, bool) {
	i, step := 0, 1
	if n < 0 {
		i, step, n = len(f.h.Headers)-1, -1, -n-1
	}
	for ; i >= 0 && i < len(f.h.Headers); i += step {
		if l := &f.h.Headers[i]; !l.Drop && string(l.Name.In(f.buf)) == name {
			if n == 0 {
				return l.Value.In(f.buf), true
			}
			n--
		}
	}
	return nil, false
}

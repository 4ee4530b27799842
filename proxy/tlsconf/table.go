package tlsconf

import (
	"slices"
	"strings"
)

// Table finds the certificate for the name a client asks for (server name
// indication, RFC 6066 section 3). It is immutable.
type Table struct {
	exact    map[string][]*Pair
	wildcard map[string][]*Pair // by what follows the star: ".example.com"
	fallback []*Pair            // without a name, or for one nobody has; none when strict
	all      []*Pair
}

// NewTable makes the table of a bind line. The first pair is the default,
// and those for the same names with another kind of key, unless strict.
func NewTable(pairs []*Pair, strict bool) *Table {
	t := &Table{exact: map[string][]*Pair{}, wildcard: map[string][]*Pair{}, all: pairs}
	for _, p := range pairs {
		for _, name := range p.Names {
			if rest, ok := strings.CutPrefix(name, "*"); ok {
				t.wildcard[rest] = append(t.wildcard[rest], p)
			} else {
				t.exact[name] = append(t.exact[name], p)
			}
		}
	}
	if strict || len(pairs) == 0 {
		return t
	}
	t.fallback = []*Pair{pairs[0]}
	for _, p := range pairs[1:] {
		if p.RSA() != pairs[0].RSA() && p.Own == pairs[0].Own && len(p.Names) > 0 && len(pairs[0].Names) > 0 && p.Names[0] == pairs[0].Names[0] {
			t.fallback = append(t.fallback, p)
			break
		}
	}
	return t
}

// Pairs is every pair in order.
func (t *Table) Pairs() []*Pair { return t.all }

// Find is the pairs whose settings a name has, in order of preference: those
// that name it, else those of its wildcard; the default when the name is empty
// or nobody's; none with a strict table.
func (t *Table) Find(name string) []*Pair {
	exact, wildcard := t.named(name)
	switch {
	case len(exact) > 0:
		return exact
	case len(wildcard) > 0:
		return wildcard
	}
	return t.fallback
}

// named is the pairs that name a name, and those of its wildcard. The filter
// "*" is nobody's, as in HAProxy.
func (t *Table) named(name string) (exact, wildcard []*Pair) {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if i := strings.IndexByte(name, '.'); i > 0 {
		wildcard = allowed(t.wildcard[name[i:]], name)
	}
	if name != "" {
		exact = t.exact[name]
	}
	return exact, wildcard
}

// allowed leaves out the pairs that exclude the name.
func allowed(list []*Pair, name string) []*Pair {
	for i, p := range list {
		if !contains(p.Exclude, name) {
			continue
		}
		kept := append([]*Pair(nil), list[:i]...)
		for _, q := range list[i+1:] {
			if !contains(q.Exclude, name) {
				kept = append(kept, q)
			}
		}
		return kept
	}
	return list
}

// Choose is the pair for a name among those the client can use: one with an
// ECDSA key when there is one, as its signatures cost a fraction of RSA's, and
// of each kind rather one that names it than one of its wildcard. nil when
// there is none.
func (t *Table) Choose(name string, usable func(*Pair) bool) *Pair {
	found, wildcard := t.named(name)
	if len(wildcard) > 0 {
		found = slices.Concat(found, wildcard)
	}
	if len(found) == 0 {
		found = t.fallback
	}
	if len(found) == 1 {
		return found[0]
	}
	var rsa *Pair
	for _, p := range found {
		switch {
		case p.RSA() && rsa != nil, !usable(p):
		case p.RSA():
			rsa = p
		default:
			return p
		}
	}
	if rsa == nil && len(found) > 0 {
		return found[0] // it will not do, and the handshake says why
	}
	return rsa
}

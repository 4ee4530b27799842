package expr

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gaissmai/bart"
)

// span is a range of integers, both ends included.
type span struct {
	lo, hi int64
	which  int
}

// spans are ranges of integers: sorted when none overlap, else in order.
type spans struct {
	list   []span
	apart  bool
	length bool // of the text's length
}

func (s *spans) find(_ *Input, v *Value) int {
	n := v.Int
	if s.length {
		n = int64(len(v.Str))
	}
	if !s.apart {
		for i := range s.list {
			if e := &s.list[i]; n >= e.lo && n <= e.hi {
				return e.which
			}
		}
		return -1
	}
	i, exact := slices.BinarySearchFunc(s.list, n, func(e span, n int64) int { return cmp.Compare(e.lo, n) })
	if !exact {
		i--
	}
	if i >= 0 && n <= s.list[i].hi {
		return s.list[i].which
	}
	return -1
}

// newSpans reads [OPERATOR] N, N:M, N: and :M (7.1.2). As in HAProxy a minus
// sign may stand for the colon, so that -1 is what :1 is.
func newSpans(patterns []string, number func(string) (int64, error)) (*spans, error) {
	const lowest, highest = -1 << 62, 1 << 62
	var list []span
	op := "eq"
	for _, p := range patterns {
		if slices.Contains([]string{"eq", "ge", "gt", "le", "lt"}, p) {
			op = p
			continue
		}
		s := span{lowest, highest, len(list)}
		lo, hi, isRange := p, "", false
		if i := strings.IndexAny(p, ":-"); i >= 0 {
			lo, hi, isRange = p[:i], p[i+1:], true
		}
		var err error
		if lo != "" {
			if s.lo, err = number(lo); err != nil {
				return nil, fmt.Errorf("%q is not an integer", p)
			}
		}
		switch n := s.lo; {
		case isRange && hi != "":
			if s.hi, err = number(hi); err != nil {
				return nil, fmt.Errorf("%q is not a range of integers", p)
			}
		case isRange && lo == "":
			return nil, fmt.Errorf("%q is not a range of integers", p)
		case isRange:
		case op == "eq":
			s.hi = n
		case op == "gt":
			s.lo = n + 1
		case op == "le":
			s.lo, s.hi = lowest, n
		case op == "lt":
			s.lo, s.hi = lowest, n-1
		}
		list = append(list, s)
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	sorted = slices.CompactFunc(sorted, func(a, b span) bool { return a.lo == b.lo && a.hi == b.hi })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].lo <= sorted[i-1].hi {
			return &spans{list: list}, nil
		}
	}
	return &spans{list: sorted, apart: true}, nil
}

// integer reads an integer pattern.
func integer(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// dottedVersion reads MAJOR.MINOR, or a number.
func dottedVersion(s string) (int64, error) {
	major, minor, ok := strings.Cut(s, ".")
	if !ok {
		return integer(s)
	}
	a, err := strconv.ParseInt(major, 10, 16)
	if err != nil {
		return 0, err
	}
	b, err := strconv.ParseInt(minor, 10, 16)
	return a<<16 | b, err
}

// networks are addresses and networks in a tree; those whose mask has gaps,
// which are rare, in a list.
type networks struct {
	tree *bart.Table[int]
	gaps []gap
}

type gap struct {
	addr, mask [4]byte
	which      int
}

func (n *networks) find(_ *Input, v *Value) int {
	if which, ok := n.tree.Lookup(v.Addr); ok {
		return which
	}
	if len(n.gaps) > 0 && v.Addr.Is4() {
		a := v.Addr.As4()
		for i := range n.gaps {
			g := &n.gaps[i]
			if a[0]&g.mask[0] == g.addr[0] && a[1]&g.mask[1] == g.addr[1] && a[2]&g.mask[2] == g.addr[2] && a[3]&g.mask[3] == g.addr[3] {
				return g.which
			}
		}
	}
	return -1
}

func newNetworks(patterns []string) (*networks, error) {
	s := &networks{tree: new(bart.Table[int])}
	for i, p := range patterns {
		var n netip.Prefix
		if a, err := netip.ParseAddr(p); err == nil {
			n = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen())
		} else if n, err = prefix(p); err != nil {
			g, ok := withGaps(p)
			if !ok {
				return nil, fmt.Errorf("%q is not ADDRESS[/MASK]; names are not resolved", p)
			}
			g.which = i
			s.gaps = append(s.gaps, g)
			continue
		}
		s.add(n.Masked(), i)
		if mapped := netip.MustParsePrefix("::ffff:0:0/96"); n.Addr().Is6() && n.Bits() <= 96 && n.Contains(mapped.Addr()) {
			s.add(netip.MustParsePrefix("0.0.0.0/0"), i) // IPv4 is within, as ::ffff:0:0/96
		} else if n.Addr().Is4In6() && n.Bits() > 96 {
			s.add(netip.PrefixFrom(n.Addr().Unmap(), n.Bits()-96).Masked(), i)
		}
	}
	return s, nil
}

func (n *networks) add(p netip.Prefix, which int) {
	if _, taken := n.tree.Get(p); !taken {
		n.tree.Insert(p, which)
	}
}

// withGaps reads ADDRESS/NETMASK whose ones are not all at the left.
func withGaps(text string) (g gap, ok bool) {
	addr, mask, _ := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	m, err2 := netip.ParseAddr(mask)
	if err != nil || err2 != nil || !a.Is4() || !m.Is4() {
		return g, false
	}
	g.addr, g.mask = a.As4(), m.As4()
	for i := range g.addr {
		g.addr[i] &= g.mask[i]
	}
	return g, true
}

// expressions are regular expressions, tried in turn.
type expressions []*regexp.Regexp

func (list expressions) find(_ *Input, v *Value) int {
	for i, r := range list {
		if r.Match(v.Str) {
			return i
		}
	}
	return -1
}

func newExpressions(patterns []string, fold bool) (expressions, error) {
	var list expressions
	for _, p := range patterns {
		r, err := compileExpression(p, fold)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

func compileExpression(p string, fold bool) (*regexp.Regexp, error) {
	written := p
	if fold {
		p = "(?i)" + p
	}
	r, err := regexp.Compile(p)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %v", written, err)
	}
	return r, nil
}

// exact are texts to be equal to.
type exact map[string]int

func (e exact) find(_ *Input, v *Value) int {
	if i, ok := e[string(v.Str)]; ok {
		return i
	}
	return -1
}

func newExact(words []string) exact {
	e := make(exact, len(words))
	for i, w := range words {
		if _, ok := e[w]; !ok {
			e[w] = i
		}
	}
	return e
}

func newBytes(words []string) (set, error) {
	plain := make([]string, len(words))
	for i, w := range words {
		b, err := hex.DecodeString(w)
		if err != nil {
			return nil, fmt.Errorf("%q is not hexadecimal", w)
		}
		plain[i] = string(b)
	}
	return newExact(plain), nil
}

// newTexts makes the set of a method that compares texts.
func newTexts(method string, words []string) set {
	switch method {
	case "beg":
		return newEnds(words, false)
	case "end":
		return newEnds(words, true)
	case "sub":
		return newWithin(words)
	case "dom", "dir":
		return newBetween(words, separators[method])
	}
	return newExact(words)
}

// ends are texts to begin or end with: all of one length are looked up at
// once.
type ends struct {
	all     exact
	lengths []int // rising
	behind  bool  // they are at the end
}

func newEnds(words []string, behind bool) *ends {
	e := &ends{all: newExact(words), behind: behind}
	for _, w := range words {
		if i, found := slices.BinarySearch(e.lengths, len(w)); !found {
			e.lengths = slices.Insert(e.lengths, i, len(w))
		}
	}
	return e
}

// find answers of beginnings the longest, of ends the first in order.
func (e *ends) find(_ *Input, v *Value) int {
	best := -1
	for _, n := range e.lengths {
		if n > len(v.Str) {
			break
		}
		b := v.Str[:n]
		if e.behind {
			b = v.Str[len(v.Str)-n:]
		}
		if i, ok := e.all[string(b)]; ok && (best < 0 || !e.behind || i < best) {
			best = i
		}
	}
	return best
}

// few is up to how many patterns are tried one by one.
const few = 4

// contained are texts to contain. Many are found by their first bytes.
type contained struct {
	words  [][]byte
	first  map[uint32]*ends // by the first bytes
	length int              // how many those are
	short  *contained       // words shorter than that
	which  []int            // the place of each word in the whole list
}

func newWithin(words []string) *contained {
	which := make([]int, len(words))
	for i := range which {
		which[i] = i
	}
	return newContained(words, which, 4)
}

func newContained(words []string, which []int, length int) *contained {
	c := &contained{length: length, which: which}
	if len(words) <= few || length == 0 {
		for _, w := range words {
			c.words = append(c.words, []byte(w))
		}
		return c
	}
	groups, places := map[uint32][]string{}, map[uint32][]int{}
	var short []string
	var shortAt []int
	for i, w := range words {
		if len(w) < length {
			short, shortAt = append(short, w), append(shortAt, which[i])
			continue
		}
		k := firstBytes([]byte(w), length)
		groups[k], places[k] = append(groups[k], w), append(places[k], which[i])
	}
	c.first = make(map[uint32]*ends, len(groups))
	for k, list := range groups {
		e := newEnds(list, false)
		for w, i := range e.all {
			e.all[w] = places[k][i]
		}
		c.first[k] = e
	}
	if len(short) > 0 {
		c.short = newContained(short, shortAt, length-1)
	}
	return c
}

func firstBytes(b []byte, n int) (k uint32) {
	for _, c := range b[:n] {
		k = k<<8 | uint32(c)
	}
	return k
}

// find answers the first in order.
func (c *contained) find(in *Input, v *Value) int {
	best := -1
	for i, w := range c.words {
		if bytes.Contains(v.Str, w) && (best < 0 || c.which[i] < best) {
			best = c.which[i]
		}
	}
	for at := 0; c.first != nil && at+c.length <= len(v.Str); at++ {
		e := c.first[firstBytes(v.Str[at:], c.length)]
		if e == nil {
			continue
		}
		rest := v.Str[at:]
		for _, n := range e.lengths {
			if n > len(rest) {
				break
			}
			if i, ok := e.all[string(rest[:n])]; ok && (best < 0 || i < best) {
				best = i
			}
		}
	}
	if c.short != nil {
		if i := c.short.find(in, v); i >= 0 && (best < 0 || i < best) {
			best = i
		}
	}
	return best
}

// between are texts to stand between separators or the ends (Configuration
// manual 7.1.3: "dom" and "dir").
type between struct {
	all        exact
	longest    int
	separators string
}

func newBetween(words []string, separators string) *between {
	b := &between{all: make(exact, len(words)), separators: separators}
	for i, w := range words {
		w = strings.Trim(w, separators)
		if _, ok := b.all[w]; !ok && w != "" {
			b.all[w] = i
			b.longest = max(b.longest, len(w))
		}
	}
	return b
}

// find looks up everything from the beginning of a part to the end of one,
// and answers the first in order.
func (b *between) find(_ *Input, v *Value) int {
	best := -1
	text := v.Str
	separates := func(at int) bool { return strings.IndexByte(b.separators, text[at]) >= 0 }
	for from := 0; from < len(text); from++ {
		if separates(from) || from > 0 && !separates(from-1) {
			continue
		}
		for to := from + 1; to <= len(text) && to-from <= b.longest; to++ {
			if to < len(text) && !separates(to) {
				continue
			}
			if i, ok := b.all[string(text[from:to])]; ok && (best < 0 || i < best) {
				best = i
			}
		}
	}
	return best
}

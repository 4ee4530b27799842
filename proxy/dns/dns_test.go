package dns

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	wire "github.com/miekg/dns"
	"pgregory.net/rapid"
)

// answer makes the packet of a reply to q with records in zone file form.
func answer(t testing.TB, q Question, change func(m *wire.Msg), records ...string) []byte {
	t.Helper()
	var m wire.Msg
	m.SetQuestion(wire.Fqdn(q.Name), uint16(q.Type))
	m.Id, m.Response = q.ID, true
	for _, text := range records {
		rr, err := wire.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	if change != nil {
		change(&m)
	}
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func addrs(list []Record) (out []string) {
	for _, r := range list {
		out = append(out, r.Addr.String())
	}
	return out
}

func TestAQuestionIsOnePacketWithAnID(t *testing.T) {
	raw, err := Question{ID: 0xbeef, Name: "app.example", Type: AAAA}.Pack(100)
	if err != nil {
		t.Fatal(err)
	}
	var m wire.Msg
	if err := m.Unpack(raw); err != nil {
		t.Fatal(err)
	}
	if o := m.IsEdns0(); m.Id != 0xbeef || !m.RecursionDesired || m.Question[0].Name != "app.example." || m.Question[0].Qtype != 28 || o == nil || o.UDPSize() != 512 {
		t.Errorf("got %v", m.String())
	}
	if _, err := (Question{Name: strings.Repeat("a", 64) + ".example", Type: A}).Pack(512); err == nil {
		t.Error("a label of 64 bytes was packed")
	}
}

func TestRepliesAreJudged(t *testing.T) {
	q := Question{ID: 7, Name: "App.example", Type: A}
	rcode := func(n int) func(*wire.Msg) { return func(m *wire.Msg) { m.Rcode = n } }
	tests := []struct {
		name    string
		raw     []byte
		verdict Verdict
		addrs   []string
	}{
		{"addresses", answer(t, q, nil, "app.EXAMPLE. 60 A 192.0.2.1", "app.example. 60 A 192.0.2.2"), Valid, []string{"192.0.2.1", "192.0.2.2"}},
		{"an alias", answer(t, q, nil, "app.example. 60 CNAME b.example.", "b.example. 60 CNAME c.example.", "c.example. 60 A 192.0.2.3"), Valid, []string{"192.0.2.3"}},
		{"an alias out of order", answer(t, q, nil, "c.example. 60 A 192.0.2.3", "app.example. 60 CNAME c.example."), Valid, []string{"192.0.2.3"}},
		{"an alias to nowhere", answer(t, q, nil, "app.example. 60 CNAME c.example."), BadAlias, nil},
		{"aliases in a ring", answer(t, q, nil, "app.example. 60 CNAME b.example.", "b.example. 60 CNAME app.example.", "evil.example. 60 A 192.0.2.66"), BadAlias, nil},
		{"records of another name", answer(t, q, nil, "evil.example. 60 A 192.0.2.66"), Empty, nil},
		{"records of another type", answer(t, q, nil, "app.example. 60 AAAA 2001:db8::1"), Empty, nil},
		{"nothing", answer(t, q, nil), Empty, nil},
		{"no such name", answer(t, q, rcode(wire.RcodeNameError)), NX, nil},
		{"refused", answer(t, q, rcode(wire.RcodeRefused)), Refused, nil},
		{"failed", answer(t, q, rcode(wire.RcodeServerFailure)), Failed, nil},
		{"truncated", answer(t, q, func(m *wire.Msg) { m.Truncated = true }), Truncated, nil},
		{"another ID", answer(t, Question{ID: 8, Name: q.Name, Type: A}, nil, "app.example. 60 A 192.0.2.66"), Foreign, nil},
		{"another question", answer(t, Question{ID: 7, Name: "b.example", Type: A}, nil, "app.example. 60 A 192.0.2.66"), Foreign, nil},
		{"another type", answer(t, Question{ID: 7, Name: q.Name, Type: AAAA}, nil, "app.example. 60 A 192.0.2.66"), Foreign, nil},
		{"a question", answer(t, q, func(m *wire.Msg) { m.Response = false }), Foreign, nil},
		{"no question", answer(t, q, func(m *wire.Msg) { m.Question = nil }, "app.example. 60 A 192.0.2.66"), Foreign, nil},
		{"another class", answer(t, q, func(m *wire.Msg) { m.Question[0].Qclass = wire.ClassCHAOS }), Foreign, nil},
		{"nothing at all", nil, Foreign, nil},
		{"half a header", []byte{0, 7, 0x81}, Foreign, nil},
		{"a cut record", answer(t, q, nil, "app.example. 60 A 192.0.2.1")[:45], Unreadable, nil},
	}
	for _, tt := range tests {
		got := q.Read(tt.raw)
		if got.Verdict != tt.verdict || !slices.Equal(addrs(got.Records), tt.addrs) {
			t.Errorf("%s: got %v %v, want %v %v", tt.name, got.Verdict, addrs(got.Records), tt.verdict, tt.addrs)
		}
	}
}

// TestCVE202123017 : a label's length and its pointers lead past the end, in a
// ring, or make a name longer than 255 bytes (the overflow of nginx's
// resolver).
func TestCVE202123017(t *testing.T) {
	q := Question{ID: 7, Name: "app.example", Type: A}
	head := answer(t, q, func(m *wire.Msg) { m.Answer = nil })
	head[7] = 1 // one answer follows
	for name, tail := range map[string][]byte{
		"a label past the end":       {63, 'a'},
		"a pointer past the end":     {0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4},
		"a pointer to itself":        {0xc0, byte(len(head)), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4},
		"a pointer back and forth":   {1, 'a', 0xc0, byte(len(head)), 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4},
		"a dot instead of a length":  {'.', 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4},
		"a reserved kind of label":   {0x80, 1, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4},
		"a name of five long labels": append([]byte(strings.Repeat("\x3f"+strings.Repeat("a", 63), 5)), 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4),
		"data past the end":          {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0xff, 0xff, 1, 2, 3, 4},
	} {
		if got := q.Read(append(slices.Clone(head), tail...)); got.Verdict == Valid || len(got.Records) > 0 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestServicesAreReadWithPortsAndWeights(t *testing.T) {
	q := Question{ID: 1, Name: "_http._tcp.example", Type: SRV}
	got := q.Read(answer(t, q, nil, "_http._tcp.example. 60 SRV 10 300 8080 A.example.", "_http._tcp.example. 60 SRV 10 0 0 ."))
	if want := []Record{{Target: "a.example", Port: 8080, Weight: 300}}; got.Verdict != Valid || !slices.Equal(got.Records, want) {
		t.Errorf("got %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	q := Question{ID: 7, Name: "app.example", Type: A}
	f.Add(answer(f, q, nil, "app.example. 60 CNAME c.example.", "c.example. 60 A 192.0.2.3"), uint16(1))
	s := Question{ID: 7, Name: "app.example", Type: SRV}
	f.Add(answer(f, s, nil, "app.example. 60 SRV 1 2 3 c.example."), uint16(33))
	f.Fuzz(func(t *testing.T, raw []byte, kind uint16) {
		q := Question{ID: 7, Name: "app.example", Type: Type(kind)}
		r := q.Read(raw)
		if (r.Verdict == Valid) != (len(r.Records) > 0) {
			t.Errorf("verdict %v with %d records", r.Verdict, len(r.Records))
		}
		for _, rec := range r.Records {
			if !rec.Addr.IsValid() && rec.Target == "" {
				t.Errorf("an empty record: %+v", rec)
			}
		}
	})
}

var began = time.Unix(1000, 0)

func at(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }

func reply(v Verdict, list ...string) *Reply {
	r := &Reply{Verdict: v}
	for _, text := range list {
		r.Records = append(r.Records, Record{Addr: netip.MustParseAddr(text)})
	}
	return r
}

// config asks two nameservers three times, 300 ms apart, every second.
var config = Config{First: AAAA, Servers: 2, Retries: 3, Resolve: time.Second, Retry: 300 * time.Millisecond,
	Hold: Hold{Valid: time.Second, Obsolete: 0, NX: 2 * time.Second, Timeout: 3 * time.Second, Refused: 4 * time.Second, Other: 5 * time.Second}}

// play steps through what happens, and answers the last state and step.
func play(t *testing.T, s State, steps ...func(State) (State, Do, Do)) State {
	t.Helper()
	for i, step := range steps {
		next, do, want := step(s)
		if do != want {
			t.Fatalf("step %d: got %+v, want %+v, state %+v", i, do, want, next)
		}
		s = next
	}
	return s
}

func tick(ms int, want Do) func(State) (State, Do, Do) {
	return func(s State) (State, Do, Do) { n, do := Step(config, s, at(ms), Event{}); return n, do, want }
}

func comes(ms int, r *Reply, want Do) func(State) (State, Do, Do) {
	return func(s State) (State, Do, Do) {
		n, do := Step(config, s, at(ms), Event{Reply: r, Round: s.Round})
		return n, do, want
	}
}

func TestTheFirstGoodAnswerEndsAResolution(t *testing.T) {
	s := play(t, Start(config, began),
		tick(0, Do{Ask: true}),
		comes(5, reply(NX), Do{}), // another may know better
		comes(9, reply(Valid, "2001:db8::1"), Do{Settled: true}),
		comes(12, reply(Valid, "2001:db8::2"), Do{}), // too late
		tick(900, Do{}))
	if s.Status != StatusValid || !slices.Equal(addrs(s.Records), []string{"2001:db8::1"}) || !s.Next.Equal(at(1000)) || s.Type != AAAA {
		t.Errorf("got %+v", s)
	}
	s = play(t, s, tick(1000, Do{Ask: true}))
	if !s.Asking || s.Round != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestErrorsOfAllLeadToTheOtherFamilyOnce(t *testing.T) {
	s := play(t, Start(config, began), tick(0, Do{Ask: true}), comes(1, reply(Empty), Do{}), comes(2, reply(Empty), Do{Ask: true}))
	if s.Type != A {
		t.Errorf("asked for %v", s.Type)
	}
	s = play(t, s, comes(3, reply(NX), Do{}), comes(4, reply(Silent), Do{Settled: true}))
	if s.Status != StatusNX || s.Asking {
		t.Errorf("got %+v", s)
	}
	s = play(t, s, tick(1000, Do{Ask: true}))
	if s.Type != AAAA {
		t.Errorf("the next resolution begins with %v", s.Type)
	}
}

func TestSilenceIsAskedAgainAndThenATimeout(t *testing.T) {
	s := play(t, Start(config, began), tick(0, Do{Ask: true}), tick(100, Do{}), tick(300, Do{Ask: true}),
		comes(301, reply(Silent), Do{}), comes(302, reply(Silent), Do{}),
		tick(600, Do{Ask: true}), tick(900, Do{Settled: true}))
	if s.Status != StatusTimeout || s.Type != AAAA || !s.Next.Equal(at(1000)) {
		t.Errorf("got %+v", s)
	}
}

func TestAnErrorBesideADeadNameserverCountsWhenTheRoundIsOver(t *testing.T) {
	s := play(t, Start(config, began), tick(0, Do{Ask: true}), comes(1, reply(Refused), Do{}), tick(300, Do{Ask: true}))
	if s.Type != A {
		t.Errorf("got %+v", s)
	}
	s = play(t, s, comes(301, reply(Refused), Do{}), tick(600, Do{Settled: true}))
	if s.Status != StatusRefused {
		t.Errorf("got %+v", s)
	}
}

func TestRepliesOfAnEarlierRoundAndForeignOnesChangeNothing(t *testing.T) {
	s := play(t, Start(config, began), tick(0, Do{Ask: true}), tick(300, Do{Ask: true}))
	for _, e := range []Event{{Reply: reply(Valid, "2001:db8::66"), Round: 1}, {Reply: reply(Foreign), Round: 2}} {
		if next, do := Step(config, s, at(301), e); do != (Do{}) || len(next.Records) > 0 || next.Bad != 0 {
			t.Errorf("got %+v %+v", do, next)
		}
	}
}

func TestOldAnswersHoldAsLongAsTheErrorSays(t *testing.T) {
	for status, hold := range map[Status]int{StatusNX: 2000, StatusTimeout: 3000, StatusRefused: 4000, StatusOther: 5000} {
		s := State{Status: status, Valid: began}
		if s.Expired(config, at(hold-1)) || !s.Expired(config, at(hold)) {
			t.Errorf("%v does not hold %d ms", status, hold)
		}
	}
	if s := (State{Status: StatusValid, Valid: began}); s.Expired(config, at(1e6)) || !s.Fresh(config, at(999)) || s.Fresh(config, at(1000)) {
		t.Error("a valid answer ends")
	}
}

func TestRecordsThatAreGoneStayUntilTheyAreObsolete(t *testing.T) {
	old := merge(nil, reply(Valid, "192.0.2.1", "192.0.2.2").Records, at(0), time.Second)
	list := merge(old, reply(Valid, "192.0.2.3", "192.0.2.2").Records, at(900), time.Second)
	if got := addrs(list); !slices.Equal(got, []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
		t.Errorf("got %v", got)
	}
	list = merge(list, reply(Valid, "192.0.2.3", "192.0.2.2").Records, at(1000), time.Second)
	if got := addrs(list); !slices.Equal(got, []string{"192.0.2.2", "192.0.2.3"}) {
		t.Errorf("got %v", got)
	}
	list = merge(list, reply(Valid, "192.0.2.4").Records, at(1001), 0)
	if got := addrs(list); !slices.Equal(got, []string{"192.0.2.4"}) {
		t.Errorf("got %v", got)
	}
}

func TestAddressesOfIPv6AreRead(t *testing.T) {
	q := Question{ID: 7, Name: "app.example", Type: AAAA}
	got := q.Read(answer(t, q, nil, "app.example. 60 AAAA 2001:db8::1", "app.example. 60 A 192.0.2.1", "app.example. 60 AAAA 2001:db8::2"))
	if want := []string{"2001:db8::1", "2001:db8::2"}; got.Verdict != Valid || !slices.Equal(addrs(got.Records), want) {
		t.Errorf("got %v %v, want %v", got.Verdict, addrs(got.Records), want)
	}
	// A type nobody places servers with brings nothing.
	text := Question{ID: 7, Name: "app.example", Type: Type(wire.TypeTXT)}
	if got := text.Read(answer(t, text, nil, `app.example. 60 TXT "a"`)); got.Verdict != Empty {
		t.Errorf("a text: got %+v, want none", got)
	}
	// An address of no bytes, as of a dynamic update (RFC 2136).
	empty := q.Read(answer(t, q, func(m *wire.Msg) {
		m.Answer = []wire.RR{&wire.AAAA{Hdr: wire.RR_Header{Name: "app.example.", Rrtype: wire.TypeAAAA, Class: wire.ClassINET}}}
	}))
	if empty.Verdict != Empty || len(empty.Records) > 0 {
		t.Errorf("an empty address: got %+v, want none", empty)
	}
}

// Another implementation's packet, compressed or not, with records in any
// order and of other names between, means the addresses that were put in.
func TestWhateverAnotherPacksIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringMatching(`[a-zA-Z0-9]{1,20}`)
		q := Question{ID: rapid.Uint16().Draw(t, "id"), Name: label.Draw(t, "name") + ".example", Type: A}
		var m wire.Msg
		m.SetQuestion(wire.Fqdn(strings.ToUpper(q.Name)), wire.TypeA)
		m.Id, m.Response, m.Compress = q.ID, true, rapid.Bool().Draw(t, "compressed")
		owner := wire.Fqdn(q.Name)
		for i := range rapid.IntRange(0, 5).Draw(t, "aliases") {
			next := "alias" + strconv.Itoa(i) + ".other."
			m.Answer = append(m.Answer, &wire.CNAME{Hdr: wire.RR_Header{Name: owner, Rrtype: wire.TypeCNAME, Class: wire.ClassINET}, Target: next})
			owner = next
		}
		var want []string
		for i := range rapid.IntRange(0, 20).Draw(t, "addresses") {
			ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
			want = append(want, ip.String())
			m.Answer = append(m.Answer, &wire.A{Hdr: wire.RR_Header{Name: strings.ToUpper(owner), Rrtype: wire.TypeA, Class: wire.ClassINET}, A: ip.AsSlice()})
		}
		for range rapid.IntRange(0, 3).Draw(t, "strangers") {
			m.Answer = append(m.Answer, &wire.A{Hdr: wire.RR_Header{Name: "stranger.test.", Rrtype: wire.TypeA, Class: wire.ClassINET}, A: []byte{192, 0, 2, 66}})
		}
		m.Answer = rapid.Permutation(m.Answer).Draw(t, "answer")
		raw, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		got := addrs(q.Read(raw).Records)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v of %v", got, want, &m)
		}
		for n := range raw { // cut anywhere it says less, never something else
			for _, a := range addrs(q.Read(raw[:n]).Records) {
				if !slices.Contains(want, a) {
					t.Errorf("cut at %d: got %s", n, a)
				}
			}
		}
	})
}

func TestAResolutionThatFailsSaysWhy(t *testing.T) {
	for verdict, want := range map[Verdict]string{NX: "DNS NX status", Refused: "DNS refused status", Empty: "unspecified DNS error", Failed: "unspecified DNS error",
		Truncated: "unspecified DNS error", BadAlias: "unspecified DNS error", Unreadable: "unspecified DNS error", Silent: "DNS timeout status"} {
		s := Start(config, began)
		for ms := 0; !(ms > 0 && !s.Asking) && ms < 5000; ms += 100 {
			var do Do
			if s, do = Step(config, s, at(ms), Event{}); do.Ask {
				for range config.Servers {
					s, _ = Step(config, s, at(ms), Event{Reply: reply(verdict), Round: s.Round})
				}
			}
		}
		if got := s.Status.Why(); got != want {
			t.Errorf("%v: got %q, want %q", verdict, got, want)
		}
	}
}

// Services have no other family to ask for, and nameservers that answer at
// once, or only after the next resolution was due, are not asked in a ring.
func TestServicesThatFailAreAskedForAgainAfterARest(t *testing.T) {
	c := config
	c.First, c.Servers, c.Resolve = SRV, 1, 0
	s, do := Step(c, Start(c, began), at(0), Event{})
	if !do.Ask || s.Type != SRV {
		t.Fatalf("got %+v, %+v", do, s)
	}
	s, do = Step(c, s, at(0), Event{Reply: reply(NX), Round: s.Round})
	if do != (Do{Settled: true}) || s.Type != SRV || s.Status != StatusNX || !s.Next.Equal(at(300)) {
		t.Errorf("got %+v, %+v, want the end, and 300 ms of rest", do, s)
	}
	c.Resolve = 50 * time.Millisecond
	s, _ = Step(c, Start(c, began), at(0), Event{})
	if s, do = Step(c, s, at(120), Event{Reply: reply(NX), Round: s.Round}); !do.Settled || !s.Next.Equal(at(420)) {
		t.Errorf("late: got %+v, next %v, want 300 ms after the answer", do, s.Next)
	}
}

package proxy

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"herald/proxy/settings"
)

func TestSumsAreAddedByName(t *testing.T) {
	for name, tc := range map[string]struct {
		list []sums
		want sums
	}{
		"none":               {nil, sums{}},
		"of other names":     {[]sums{{"a": {1}}, {"b": {2}}}, sums{"a": {1}, "b": {2}}},
		"of other lengths":   {[]sums{{"a": {1, 2, 3}}, {"a": {10}}, {"a": {0, 0, 0, 7}}}, sums{"a": {11, 2, 3, 7}}},
		"one that is absent": {[]sums{nil, {"a": {4}}}, sums{"a": {4}}},
		"below zero":         {[]sums{sums{"a": {5, 1}}.negative(), {"a": {7, 1}}}, sums{"a": {2, 0}}},
	} {
		if got := plus(tc.list...); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
	a := sums{"a": {1}}
	if plus(a, a); a["a"][0] != 1 {
		t.Errorf("adding up changed what was added to %v", a)
	}
}

// family is the generations of a test that nothing but the test makes count.
type family struct {
	t    *testing.T
	list []*Server
}

// begin adds a generation; those named have ended.
func (f *family) begin(ended ...int) *Server {
	f.t.Helper()
	s, err := New(&settings.Config{Proxies: []*settings.Proxy{section("127.0.0.1:1")}}, Options{Loops: 2})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { s.Close() })
	for _, i := range ended {
		if err := s.TakeOver(f.told(i)); err != nil {
			f.t.Fatal(err)
		}
	}
	f.list = append(f.list, s)
	return s
}

// told is what a generation tells of itself.
func (f *family) told(i int) []byte {
	f.t.Helper()
	raw, err := f.list[i].Counted()
	if err != nil {
		f.t.Fatal(err)
	}
	return raw
}

// tell has a generation hear of others.
func (f *family) tell(to int, others ...int) {
	f.t.Helper()
	for _, i := range others {
		if err := f.list[to].Tally(i, f.told(i)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// count has one loop of a generation count requests everywhere.
func (f *family) count(i, loop int, n uint64) {
	s := f.list[i]
	for _, c := range s.counters {
		c.tallies[loop].requests.Add(n)
		c.tallies[loop].tlsSessions.Add(n)
		c.tallies[loop].h2.streams.Add(2 * n)
	}
}

// shows wants the last generation to show n requests in every row.
func (f *family) shows(when string, n uint64) {
	f.t.Helper()
	s := f.list[len(f.list)-1]
	snap := s.Snapshot()
	var got []string
	for _, row := range snap.Proxies[0].Rows {
		streams := row.H2.Streams
		if row.Name == "s1" { // whose HTTP/2 is the backend's
			streams = 2 * n
		}
		got = append(got, fmt.Sprintf("%s %d/%d", row.Name, row.ReqTotal, streams))
	}
	want := fmt.Sprintf("[FRONTEND %[1]d/%[2]d s1 %[1]d/%[2]d BACKEND %[1]d/%[2]d], %[1]d", n, 2*n)
	if got := fmt.Sprintf("%v, %d", got, snap.Info.CumReq); got != want {
		f.t.Errorf("%s: got %s, want %s", when, got, want)
	}
}

func TestWhatGenerationsCountIsOneTotal(t *testing.T) {
	f := &family{t: t}
	f.begin()
	f.count(0, 0, 1)
	f.count(0, 1, 2)
	f.shows("alone", 3)

	f.begin()
	f.tell(1, 0)
	f.shows("before anything is counted", 3)
	f.count(0, 0, 10)
	f.count(1, 1, 100)
	f.tell(1, 0)
	f.tell(1, 0)
	f.shows("with one that drains, told twice", 113)

	f.begin()
	f.tell(2, 0, 1)
	f.count(1, 0, 1000)
	f.tell(2, 0, 1)
	f.shows("with two that drain", 1113)
	f.count(0, 0, 10_000) // its last word
	f.tell(2, 0)
	f.shows("after the end of the first", 11_113)

	f.begin(0)
	f.tell(3, 1, 2)
	f.shows("after a reload, one ended and two draining", 11_113)
	f.count(2, 0, 100_000)
	f.count(3, 0, 1_000_000)
	f.tell(3, 2)
	f.shows("which count on", 1_111_113)

	f.begin(1, 2, 3)
	f.shows("after the end of all", 1_111_113)
}

func TestClearedCountersStayClearedInWhatComes(t *testing.T) {
	f := &family{t: t}
	f.begin()
	f.count(0, 0, 1)
	f.begin(0)
	f.count(1, 0, 10)
	f.begin()
	f.tell(2, 1)
	f.count(2, 0, 100)
	f.shows("before", 111)
	f.list[2].ClearCounters(false)
	f.shows("cleared maxima", 111)
	f.list[2].ClearCounters(true)
	f.shows("cleared", 0)
	f.tell(2, 1)
	f.shows("told again what was told before", 0)
	f.count(1, 1, 5)
	f.count(2, 1, 2)
	f.tell(2, 1)
	f.shows("counting again", 7)

	// One that drains is nobody's to clear: it would take from the total.
	f.list[1].draining.Store(true)
	f.list[1].ClearCounters(true)
	f.tell(2, 1)
	f.shows("one that drains cleared", 7)

	f.begin(1)
	f.tell(3, 2)
	f.shows("after a reload", 7)
	f.begin(2, 3)
	f.shows("after two, with all ended", 7)
}

func TestRatesAreOfTheGenerationItself(t *testing.T) {
	f := &family{t: t}
	f.begin()
	f.count(0, 0, 1000)
	f.begin()
	f.tell(1, 0)
	f.list[1].sample()
	f.count(0, 0, 1000)
	f.tell(1, 0)
	f.count(1, 0, 3)
	f.list[1].sample()
	snap := f.list[1].Snapshot()
	if row := snap.Proxies[0].Rows[0]; row.ReqRate != 3 || row.ReqRateMax != 3 {
		t.Errorf("got %d requests a second, at most %d, want 3 and 3", row.ReqRate, row.ReqRateMax)
	}
	if snap.Info.TLSRate != 3 || snap.Info.ServerKeyRate != 3 || snap.Info.CumTLS != 2003 {
		t.Errorf("got %d TLS sessions and %d server keys a second of %d, want 3 and 3 of 2003", snap.Info.TLSRate, snap.Info.ServerKeyRate, snap.Info.CumTLS)
	}
}

func TestWhatHasNotCountedIsNotTold(t *testing.T) {
	f := &family{t: t}
	f.begin()
	if got := string(f.told(0)); got != "{}" {
		t.Errorf("got %s, want nothing", got)
	}
	f.list[0].counters[0].tallies[1].sessions.Add(3)
	if got, want := string(f.told(0)), `{"frontend web":[0,3]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCountsThatAreNoneAreRefused(t *testing.T) {
	f := &family{t: t}
	s := f.begin()
	f.count(0, 0, 4)
	for _, raw := range []string{"", "x", `{"frontend web":3}`, `{"frontend web":[-1]}`} {
		for _, err := range []error{s.TakeOver([]byte(raw)), s.Tally(7, []byte(raw))} {
			if err == nil || !strings.Contains(err.Error(), "decode") {
				t.Errorf("%q: got %v", raw, err)
			}
		}
	}
	f.shows("after nonsense", 4)
	long := `{"frontend web":[` + strings.Repeat("0,", 200) + `9],"frontend gone":[1]}`
	if err := s.TakeOver([]byte(long)); err != nil {
		t.Error(err)
	}
	f.shows("after lists that are too long and names that are gone", 4)
}

package settings

import "testing"

func TestFailuresThatAreTriedAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		on   RetryOn
		kind RetryOn
		want bool
	}{
		{"nothing said: a connection that failed", 0, RetryConnFailure, true}, {"nothing said: an empty response", 0, RetryEmptyResponse, false},
		{"none", RetryNone, RetryConnFailure, false}, {"404 and 503, of 404", Retry404 | Retry503, Retry404, true}, {"404 and 503, of 500", Retry404 | Retry503, Retry500, false},
		{"a status nobody can name", Retry404, RetryStatus(418), false},
	} {
		if got := tt.on.Has(tt.kind); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	// Those of the manual (retry-on) and no others, each its own.
	seen := map[RetryOn]int{}
	for status := range 1000 {
		if on := RetryStatus(status); on != 0 {
			if other, twice := seen[on]; twice {
				t.Errorf("%d and %d are one", status, other)
			}
			seen[on] = status
		}
	}
	for _, status := range []int{401, 403, 404, 408, 425, 500, 501, 502, 503, 504} {
		if seen[RetryStatus(status)] != status {
			t.Errorf("%d cannot be tried again", status)
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d statuses, want ten", len(seen))
	}
}

// HAProxy counts every line of a head (tune.http.maxhdr), and two for each of
// HTTP/2's.
func TestLinesOfAHead(t *testing.T) {
	for _, tt := range []struct {
		most           int
		http2, request bool
		want           int
	}{
		{0, false, true, 100}, {0, false, false, 100}, {0, true, true, 198}, {0, true, false, 200}, {1, false, true, 1}, {1, true, true, 1}, {50, true, true, 96},
	} {
		if got := (&Global{MaxHeaders: tt.most}).HeaderLines(tt.http2, tt.request); got != tt.want {
			t.Errorf("%+v: got %d", tt, got)
		}
	}
}

func TestWhatAServerAsksItsResolversFor(t *testing.T) {
	for _, tt := range []struct {
		section, host string
		want          bool
	}{{"dns", "_http._tcp.example", true}, {"dns", "app.example", false}, {"", "_http._tcp.example", false}, {"dns", "", false}} {
		if got := (&Server{Host: tt.host, Resolve: Resolve{Section: tt.section}}).ByService(); got != tt.want {
			t.Errorf("%+v: got %v", tt, got)
		}
	}
	c := &Config{Resolvers: []*Resolvers{{Name: "a"}, {Name: "b"}}}
	if c.ResolversNamed("b") != c.Resolvers[1] || c.ResolversNamed("c") != nil {
		t.Error("sections are not found by their names")
	}
	if !(Source{}).IsZero() || (Source{Interface: "lo"}).IsZero() {
		t.Error("a source is asked for or not: got the contrary")
	}
}

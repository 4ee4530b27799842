package dns

import (
	"net/netip"
	"slices"
	"testing"
)

func ip(text string) netip.Addr {
	if text == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(text)
}

func TestPlace(t *testing.T) {
	seat := func(now string) Seat { return Seat{Addr: ip(now), Family: A} }
	dup := func(now string) Seat { return Seat{Addr: ip(now), Family: A, AllowDup: true} }
	net := Seat{Family: A, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	tests := []struct {
		name    string
		seats   []Seat
		records []string
		want    []string
	}{
		{"each gets its own, the last none", []Seat{seat(""), seat(""), seat("")}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.1", "192.0.2.2", ""}},
		{"who has one keeps it in any order", []Seat{seat("192.0.2.2"), seat("192.0.2.1")}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.2", "192.0.2.1"}},
		{"a new one goes to the one that lost its own", []Seat{seat("192.0.2.1"), seat("192.0.2.9")}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.1", "192.0.2.2"}},
		{"what a later one has is taken", []Seat{seat("192.0.2.9"), seat("192.0.2.1")}, []string{"192.0.2.1"}, []string{"", "192.0.2.1"}},
		{"duplicates where they are allowed", []Seat{dup(""), dup(""), dup("")}, []string{"192.0.2.1", "192.0.2.2"}, []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"}},
		{"the preferred network", []Seat{net}, []string{"192.0.2.1", "10.1.1.1"}, []string{"10.1.1.1"}},
		{"the preferred family before the network", []Seat{{Family: AAAA, Networks: net.Networks}}, []string{"10.1.1.1", "2001:db8::1"}, []string{"2001:db8::1"}},
		{"the other family is better than none", []Seat{{Family: AAAA}}, []string{"10.1.1.1"}, []string{"10.1.1.1"}},
		{"nothing", []Seat{seat("192.0.2.1")}, nil, []string{""}},
	}
	for _, tt := range tests {
		got := Place(tt.seats, reply(Valid, tt.records...).Records)
		for i, want := range tt.want {
			if got[i] != ip(want) {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

func TestFillKeepsServersWhereTheyAre(t *testing.T) {
	a, b := Record{Target: "a", Port: 80, Weight: 20}, Record{Target: "b", Port: 81, Weight: 1000}
	slots := Fill(make([]Slot, 3), []Record{a, b})
	if want := []Slot{{"a", 80, 1}, {"b", 81, 4}, {}}; !slices.Equal(slots, want) {
		t.Fatalf("got %v, want %v", slots, want)
	}
	b.Weight = 0
	c := Record{Target: "b", Port: 90, Weight: 65535}
	slots = Fill(slots, []Record{c, b})
	if want := []Slot{{}, {"b", 81, 0}, {"b", 90, 256}}; !slices.Equal(slots, want) {
		t.Fatalf("got %v, want %v", slots, want)
	}
	// No room but what has just become free; and one too many.
	slots = Fill(slots, []Record{a, c, {Target: "d"}, {Target: "e"}})
	if want := []Slot{{"a", 80, 1}, {"d", 0, 0}, {"b", 90, 256}}; !slices.Equal(slots, want) {
		t.Errorf("got %v, want %v", slots, want)
	}
	if got := Fill(slots, nil); !slices.Equal(got, make([]Slot, 3)) {
		t.Errorf("got %v", got)
	}
}

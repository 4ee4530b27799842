package assemble

import "testing"

func TestNamesOfIprouteAreFound(t *testing.T) {
	const text = "#\n# reserved\n255\tlocal\n100 uplink # the other provider\n0x10 lowdelay\nx bad\n"
	for name, want := range map[string]int{"local": 255, "uplink": 100, "lowdelay": 16, "bad": -1, "none": -1, "the": -1} {
		got, ok := numberOf(text, name)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%s: got %d, %t, want %d", name, got, ok, want)
		}
	}
	if _, ok := lookupRouting("no such kind", "main"); ok {
		t.Error("a kind without files has names")
	}
}

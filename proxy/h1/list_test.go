package h1

import "testing"

func TestAListIsCutAtCommasOutsideQuotes(t *testing.T) {
	for _, c := range []struct {
		list, one, rest string
		more            bool
	}{
		{"", "", "", false},
		{"a", "a", "", false},
		{"a, b", "a", " b", true},
		{"a,", "a", "", true},
		{`"a,b",c`, `"a,b"`, "c", true},
		{`"a\",b",c`, `"a\",b"`, "c", true},
		{`"a,b`, `"a,b`, "", false},
	} {
		if one, rest, more := CutElement([]byte(c.list)); string(one) != c.one || string(rest) != c.rest || more != c.more {
			t.Errorf("%q: got %q, %q, %t", c.list, one, rest, more)
		}
	}
}

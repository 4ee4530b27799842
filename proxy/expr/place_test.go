package expr

import (
	"bytes"
	"testing"
)

// A value is written where the last one lay: what is left of that one does
// not count.
func TestWhatAValueWasBeforeDoesNotCount(t *testing.T) {
	in := &Input{Final: true, Data: bytes.Repeat([]byte("a"), longest+1)}
	f, err := Parse("req.payload(0,0),length")
	if err != nil {
		t.Fatal(err)
	}
	if v, out := f.As(in, Int); out != Found || v.Int != longest+1 {
		t.Errorf("length of %d bytes: %d, %d", longest+1, v.Int, out)
	}
	if f, err = Parse("req.payload(0,0),lower"); err != nil {
		t.Fatal(err)
	}
	if v, out := f.As(in, Str); out != Missing || v.Str != nil {
		t.Errorf("%d bytes that a converter made: %d, %d, want none", longest+1, len(v.Str), out)
	}
}

// A list that case does not count in leaves the text as it is for the next.
func TestTheNextListSeesTheTextAsItCame(t *testing.T) {
	f, err := Parse("str(WWW.Example)")
	if err != nil {
		t.Fatal(err)
	}
	folded := List{Words: []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, Fold: true}
	for _, c := range []struct {
		word string
		want Outcome
	}{{"WWW.Example", Found}, {"www.example", Missing}} {
		m, err := Loader{}.Compile(f, "", []List{folded, {Words: []string{c.word}}})
		if err != nil {
			t.Fatal(err)
		}
		if out := m.Match(&Input{Final: true}); out != c.want {
			t.Errorf("%s behind a list with -i: %d, want %d", c.word, out, c.want)
		}
	}
}

package assemble

import (
	"testing"
	"time"
)

func TestWhatIsLargeIsToldLessOften(t *testing.T) {
	start := time.Unix(1000, 0)
	small := recollection{told: start, size: 1 << 10}
	if !small.due(start.Add(time.Second)) || !small.news(start.Add(time.Millisecond)) {
		t.Error("a small memory waits")
	}
	large := recollection{told: start, size: 6 * paid}
	if large.due(start.Add(5*time.Second)) || !large.due(start.Add(6*time.Second)) {
		t.Error("six seconds' worth: want it due after 6 s, not after 5")
	}
	if large.news(start.Add(100*time.Millisecond)) || !large.due(start.Add(time.Second)) {
		t.Error("news within 0.6 s of the last telling: want them to wait for the next beat, not longer")
	}
	if !large.news(start.Add(time.Second)) {
		t.Error("news after a second: want them told at once")
	}
}

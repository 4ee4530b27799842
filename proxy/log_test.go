package proxy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// A loop sends the lines of a turn together, in the order they were written.
func TestLinesOfATurnLeaveTogether(t *testing.T) {
	r := serve(t, 1, section()) // without a server every request is answered, and logged, at once
	const requests = 150
	c := r.dial()
	for i := range requests {
		fmt.Fprintf(c, "GET /%03d HTTP/1.1\r\nHost: h\r\n\r\n", i)
	}
	var all strings.Builder
	for i := range requests {
		fmt.Fprintf(&all, "GET /again/%03d HTTP/1.1\r\nHost: h\r\n\r\n", i)
	}
	io.WriteString(c, all.String())
	c.CloseWrite()
	io.Copy(io.Discard, c)
	r.log.wait(t, fmt.Sprintf("GET /again/%03d ", requests-1))
	r.log.mu.Lock()
	defer r.log.mu.Unlock()
	if len(r.log.all) != 2*requests {
		t.Fatalf("%d lines for %d requests", len(r.log.all), 2*requests)
	}
	for i, line := range r.log.all {
		want := fmt.Sprintf("GET /%03d ", i)
		if i >= requests {
			want = fmt.Sprintf("GET /again/%03d ", i-requests)
		}
		if !strings.Contains(line, want) {
			t.Fatalf("line %d is %q, want %q", i, line, want)
		}
	}
	if most := slices.Max(r.log.runs); most < 2 || most > mostLines {
		t.Errorf("up to %d lines at a time, want several, at most %d", most, mostLines)
	}
}

package e2e_test

import (
	"bufio"
	"encoding/csv"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// counters are what "show stat" says of the site's frontend, and that its
// backend and server say the same.
type counters struct{ answers, bytes int }

func (d *daemon) counters() counters {
	d.t.Helper()
	text := strings.TrimPrefix(strings.TrimSpace(d.ask(filepath.Join(d.dir, "admin.sock"), "show stat")), "# ")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 4 {
		d.t.Fatalf("show stat: %v\n%s", err, text)
	}
	of := func(row []string) (c counters) {
		for i, name := range rows[0] {
			n, _ := strconv.Atoi(row[i])
			switch name {
			case "hrsp_2xx":
				c.answers = n
			case "bout":
				c.bytes = n
			}
		}
		return c
	}
	front := of(rows[1])
	for _, row := range rows[2:] {
		if got := of(row); got != front {
			d.t.Logf("%s %s says %+v, the frontend %+v", row[0], row[1], got, front)
			front.answers = -1 // of another moment, or wrong: it is asked for again
		}
	}
	return front
}

// reaches waits until the counters are as wanted.
func (d *daemon) reaches(when string, want counters) {
	d.t.Helper()
	var got counters
	defer func() {
		if got != want {
			d.t.Logf("%s: got %+v, want %+v", when, got, want)
		}
	}()
	d.until(when, func() bool { got = d.counters(); return got == want })
}

// download begins a long one and answers what reads the rest of it.
func (d *daemon) download() (rest func()) {
	d.t.Helper()
	c, err := net.Dial("unix", filepath.Join(d.dir, "front.sock"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	io.WriteString(c, "GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 200 {
		d.t.Fatalf("the download begins with %v, %v", resp, err)
	}
	return func() {
		d.t.Helper()
		if n, err := io.Copy(io.Discard, resp.Body); n != long || err != nil {
			d.t.Errorf("the download is %d bytes, %v, want %d", n, err, long)
		}
	}
}

func TestADrainingGenerationCountsOnInTheTotals(t *testing.T) {
	t.Parallel()
	d := serve(t, site(t, ""), launch{})
	// One page and one download tell how many bytes each is.
	d.get()
	d.until("the page is counted", func() bool { return d.counters().answers == 1 })
	page := d.counters().bytes
	d.download()()
	d.until("the download is counted", func() bool { return d.counters().answers == 2 })
	whole := d.counters().bytes - page
	if whole < long || page < len("origin") {
		t.Fatalf("a page is %d bytes, a download %d, want more than %d", page, whole, long)
	}
	want := counters{2, page + whole}

	rest := []func(){d.download()}
	reload := func() {
		t.Helper()
		before := d.info("Pid")
		done := make(chan error, 1)
		go func() { done <- exec.Command(program, "reload", "--run-dir", d.run).Run() }()
		for last := (counters{}); ; {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				d.until("the new process answers", func() bool { return d.info("Pid") != before })
				return
			default:
			}
			d.get()
			want.answers, want.bytes = want.answers+1, want.bytes+page
			now := d.counters()
			if now.answers >= 0 && (now.answers < last.answers || now.bytes < last.bytes) {
				t.Errorf("counters went back from %+v to %+v", last, now)
			}
			last = now
		}
	}
	reload()
	for len(d.proxies()) < 3 { // once, unless the old process takes the download a moment before it closes its port
		rest = append(rest, d.download())
		reload()
	}
	d.reaches("two processes drain", want)

	last := len(rest) - 1
	for _, finish := range rest[:last] {
		finish()
		want.answers, want.bytes = want.answers+1, want.bytes+whole
	}
	d.reaches("the first process is done", want)
	d.until("the first process has ended", func() bool { return len(d.proxies()) == 2 })
	reload()
	d.reaches("another reload", want)

	d.ask(filepath.Join(d.dir, "admin.sock"), "clear counters all")
	d.reaches("cleared", counters{})
	rest[last]()
	want = counters{1, whole}
	d.reaches("the second process is done", want)
	d.until("one process is left", func() bool { return len(d.proxies()) == 1 })
	d.reaches("all have ended", want)
	reload()
	d.until("the last process serves alone", func() bool { return len(d.proxies()) == 1 })
	d.reaches("the last reload", want)
}

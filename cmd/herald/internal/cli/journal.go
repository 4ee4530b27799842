package cli

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// journal writes the daemon's log without ever making it wait: a reader that
// stopped, or a full disk, costs lines, which are counted, and nothing else.
type journal struct {
	out   io.Writer
	stamp bool // begin each line with the time
	lines chan string
	ended chan struct{}

	mu      sync.Mutex
	dropped int
	closed  bool
}

// journalLines is how many lines may wait.
const journalLines = 1024

func newJournal(out io.Writer, stamp bool) *journal {
	j := &journal{out: out, stamp: stamp, lines: make(chan string, journalLines), ended: make(chan struct{})}
	go j.write()
	return j
}

// log takes one line.
func (j *journal) log(line string) {
	if j.stamp {
		line = time.Now().Format("2006-01-02T15:04:05.000Z07:00 ") + line
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return
	}
	if j.dropped > 0 {
		select {
		case j.lines <- fmt.Sprintf("%d lines of the log were dropped: nobody read them, or there was no room", j.dropped):
			j.dropped = 0
		default:
		}
	}
	select {
	case j.lines <- line:
	default:
		j.dropped++
	}
}

// close writes what waits, for at most limit.
func (j *journal) close(limit time.Duration) {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		close(j.lines)
	}
	j.mu.Unlock()
	select {
	case <-j.ended:
	case <-time.After(limit):
	}
}

func (j *journal) write() {
	defer close(j.ended)
	for line := range j.lines {
		if _, err := io.WriteString(j.out, line+"\n"); err != nil { // a disk that is full, perhaps for a while
			j.mu.Lock()
			j.dropped++
			j.mu.Unlock()
		}
	}
}

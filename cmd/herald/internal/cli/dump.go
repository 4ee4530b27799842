package cli

import (
	"context"
	"os"
	"strings"
	"syscall"

	"herald/cmd/herald/internal/dumpfile"
	"herald/cmd/herald/internal/ipc"
	"herald/cmd/herald/internal/personality"
)

// dumping is what a signal writes, and where.
type dumping struct {
	name string // of the signal, as personality.Signals has it
	what string
	path string
}

// dumpings are keepalived's.
var dumpings = []dumping{
	{"DATA", "data", "/tmp/keepalived.data"},
	{"DATA", "parent", "/tmp/keepalived_parent.data"},
	{"STATS", "stats", "/tmp/keepalived.stats"},
	{"STATS_CLEAR", "stats_clear", "/tmp/keepalived.stats"},
	{"JSON", "json", "/tmp/keepalived.json"},
}

func (d dumping) signal() os.Signal { return syscall.Signal(personality.Signals[d.name]) }

func dumpSignals() []os.Signal {
	var list []os.Signal
	for _, d := range dumpings {
		list = append(list, d.signal())
	}
	return list
}

// dumpToLog writes keepalived.data into the log, line by line (-d).
func dumpToLog(from dumper, log func(string)) {
	text, err := from.Dump(context.Background(), "data")
	if err != nil {
		log("herald: " + err.Error())
		return
	}
	for line := range strings.Lines(string(text)) {
		log(strings.TrimSuffix(line, "\n"))
	}
}

// dumper is what knows the content of the files.
type dumper interface {
	Dump(ctx context.Context, what string) ([]byte, error)
}

// dumpFiles writes a file for every signal until over.
func dumpFiles(signals <-chan os.Signal, over <-chan struct{}, from dumper, log func(string)) {
	for {
		select {
		case <-over:
			return
		case sig := <-signals:
			for _, d := range dumpings {
				if d.signal() != sig {
					continue
				}
				text, err := from.Dump(context.Background(), d.what)
				if err == nil {
					err = dumpfile.Write(d.path, text)
				}
				if err != nil {
					log("herald: " + err.Error())
				}
			}
		}
	}
}

// dumpEach writes into the log what each VRRP process has read, until over.
func dumpEach(begun <-chan ipc.Name, over <-chan struct{}, from dumper, log func(string)) {
	for {
		select {
		case <-over:
			return
		case name := <-begun:
			if name == ipc.VRRP {
				dumpToLog(from, log)
			}
		}
	}
}

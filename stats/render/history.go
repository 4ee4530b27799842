package render

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"herald/stats"
)

// Entry is one transition of an instance.
type Entry struct {
	Instance string `json:"instance"`
	stats.Transition
}

// Entries are the transitions of all instances, oldest first; name, when not
// empty, picks one instance.
func Entries(all []stats.Instance, name string) []Entry {
	list := []Entry{}
	for i := range all {
		for _, t := range all[i].History {
			if name == "" || name == all[i].Name {
				list = append(list, Entry{all[i].Name, t})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Entry) int { return a.At.Compare(b.At) })
	return list
}

// History writes entries as text for a terminal.
func History(w io.Writer, list []Entry) error {
	var rows [][]string
	for _, e := range list {
		priority := ""
		if e.Priority > 0 {
			priority = strconv.Itoa(int(e.Priority))
		}
		rows = append(rows, []string{e.At.Local().Format("2006-01-02 15:04:05.000"), e.Instance, e.From + " > " + e.To, lasted(e.Lasted), priority, peerList(e.Peers), e.Why})
	}
	if len(rows) == 0 {
		_, err := io.WriteString(w, "no transition yet\n")
		return err
	}
	var b strings.Builder
	grid(&b, "TIME\tVRRP\tCHANGE\tAFTER\tPRIORITY\tPEERS\tWHY", rows)
	_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
	return err
}

// lasted is a duration to the millisecond below a minute, else to the second.
func lasted(d time.Duration) string {
	switch {
	case d == 0:
		return ""
	case d < time.Minute:
		return d.Round(time.Millisecond).String()
	}
	return span(int64(d / time.Second))
}

// peerList names routers with their priorities.
func peerList(peers []stats.Peer) string {
	var words []string
	for _, p := range peers {
		words = append(words, fmt.Sprintf("%s (%d)", p.Address, p.Priority))
	}
	return strings.Join(words, ", ")
}

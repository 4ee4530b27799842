package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// report prints the table: medians of the rounds. A ratio is the median of
// the rounds' ratios, as the two proxies of a round saw the same machine.
func report(out io.Writer, table []outcome) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nrow\tunit\thaproxy\therald\tratio\tgoal\tmet\thaproxy/s\therald/s\t\n")
	var problems []string
	for _, o := range table {
		r := o.row
		if o.err != nil {
			met := "failed"
			if errors.Is(o.err, errRefused) {
				met = "not yet"
			}
			fmt.Fprintf(w, "%s\t%s\t\t\t\t%s\t%s\t\t\t\n", r.name, r.unit, r.goalText(), met)
			problems = append(problems, fmt.Sprintf("%s: %v", r.name, o.err))
			continue
		}
		v := o.value()
		met := "yes"
		if v > r.goal {
			met = "NO"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.name, r.unit, o.shown(haproxy), o.shown(herald), o.ratioText(),
			r.goalText(), met, rate(o.big[haproxy]), rate(o.big[herald]))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(out, p)
	}
	return nil
}

// value is what the goal is compared with.
func (o outcome) value() float64 {
	switch o.row.of {
	case own:
		return median(figures(o.big[herald]))
	case growth:
		return median(ratios(o.big[herald], o.small[herald]))
	}
	return median(ratios(o.big[herald], o.big[haproxy]))
}

func (o outcome) ratioText() string {
	if len(o.big[haproxy]) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", median(ratios(o.big[herald], o.big[haproxy])))
}

// shown is the figure of a proxy; with its growth where that is the subject.
func (o outcome) shown(which int) string {
	if len(o.big[which]) == 0 {
		return "-"
	}
	text := fmt.Sprintf("%.2f", median(figures(o.big[which])))
	if o.row.of == growth {
		text += fmt.Sprintf(" (x%.2f)", median(ratios(o.big[which], o.small[which])))
	}
	return text
}

func rate(s []sample) string {
	var all []float64
	for _, x := range s {
		all = append(all, x.perSecond)
	}
	if m := median(all); m > 0 {
		return fmt.Sprintf("%.0f", m)
	}
	return ""
}

func figures(s []sample) []float64 {
	var all []float64
	for _, x := range s {
		all = append(all, x.figure)
	}
	return all
}

// ratios is a by b, round by round.
func ratios(a, b []sample) []float64 {
	var all []float64
	for i := range min(len(a), len(b)) {
		if b[i].figure > 0 {
			all = append(all, a[i].figure/b[i].figure)
		}
	}
	return all
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

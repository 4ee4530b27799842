package lb

import "math"

// roundRobin gives server i a turn every total/weight turns.
type roundRobin struct {
	weight []int
	at     []float64
}

func newRoundRobin(n int) order {
	return &roundRobin{weight: make([]int, n), at: make([]float64, n)}
}

func (r *roundRobin) place(i, w int) { r.weight[i] = w }

func (r *roundRobin) next(avoid int, full func(i int) bool) int {
	best, avoided := None, None
	at := math.Inf(1)
	for i, w := range r.weight {
		if w == 0 || full != nil && full(i) {
			continue
		}
		if i == avoid {
			avoided = i
			continue
		}
		if t := r.at[i]; t < at {
			best, at = i, t
		}
	}
	if best == None {
		best = avoided
	}
	if best != None {
		r.at[best] += 1 / float64(r.weight[best])
	}
	return best
}

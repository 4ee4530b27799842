package config

// Nearest returns the known word closest to word by edit distance (insert,
// delete, replace, swap of neighbours), or "" when none is close enough to be
// a likely slip: at most a third of the word's length, and at most 3 edits.
func Nearest(word string, known []string) string {
	limit := min(len(word)/3, 3)
	if limit == 0 {
		limit = 1
	}
	best, bestDistance := "", limit+1
	for _, k := range known {
		if diff := len(k) - len(word); diff > limit || -diff > limit {
			continue
		}
		if d := distance(word, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b in bytes.
func distance(a, b string) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

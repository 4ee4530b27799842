//go:build !race

package privilege

// kept is empty: privileges are given up.
const kept = ""

package lb

import "herald/config"

var hashRow = config.Row[Algorithm]{
	Name:    "hash",
	Doc:     "the same server for the same value of an expression",
	Syntax:  "balance hash EXPRESSION",
	Example: "balance hash src",
	Do:      Algorithm{make: newHashed, Keyed: true, Static: true}, // the expression is the caller's
}

// newHashed makes the order of an algorithm that looks a key up: a table, or
// the ring of hash-type consistent. Requests without a key take turns on it.
func newHashed(c Config, servers []Server) order {
	if c.Hash.Consistent {
		return newRing(c, servers)
	}
	return newTable(c, servers)
}

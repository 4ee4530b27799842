package lb

import "herald/config"

var staticRow = config.Row[Algorithm]{
	Name:    "static-rr",
	Doc:     "each server in turn by a table laid out beforehand; weights cannot be changed at run time",
	Syntax:  "balance static-rr",
	Example: "balance static-rr",
	Do:      Algorithm{make: newTable, Static: true, Turns: true, Drains: true},
}

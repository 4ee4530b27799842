//go:build !race

package e2e_test

// raceFlags build the binary under test as these tests are built.
var raceFlags []string

//go:build race

package privilege

// kept is the note of a build with the race detector, which needs cgo: its
// threads cannot all be told, so a role keeps what it has. Nobody serves with
// such a build.
const kept = "built with the race detector: user, root directory and capabilities are left as they are"

// restrictFiles is not reached.
func restrictFiles([]string) (abi int, err error) { return 0, errCgo }

package settings

import "herald/config"

// Outside is what kind of thing outside the VRRP process is tracked.
type Outside uint8

// Kinds of things outside.
const (
	AFile     Outside = iota // track_file: its number times the weight
	AFrontend                // track_proxy: whether herald's proxy accepts for it
	ABackend                 // track_proxy: whether MinServers of it are up
	AProcess                 // track_process: whether it has its quorum
)

// Watched connects an instance to something outside the VRRP process.
type Watched struct {
	Pos        config.Pos
	Kind       Outside
	Name       string // File.Name, TrackedProcess.Name, or of the frontend or backend
	MinServers int    // of a backend, 1 by default
	// Weight is as in Track; for a file it is the factor of its number, and 0
	// means FAULT while the number is not 0.
	Weight  int
	Reverse bool
}

// File is one track_file: a file with a number in it. A missing file, or one
// without a number, has 0.
type File struct {
	Pos     config.Pos
	Name    string
	Path    string
	Weight  int // 1 by default
	Reverse bool
	// Init has Value written at the start where there is no file, or with
	// Overwrite in any case.
	Init, Overwrite bool
	Value           int
}

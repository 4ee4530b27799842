// Package supervise is the parent process: it carries out what package
// lifecycle decides, lends listening sockets, runs declared scripts, and
// carries facts from one role to the other.
//
// It parses no configuration, accepts no connection, has no network peer and
// decides nothing about processes. What it needs of the system is a struct of
// functions, so tests race roles against each other without a process.
//
//	s := supervise.New(supervise.Options{Roles: []ipc.Name{ipc.Proxy, ipc.VRRP}, Log: log}, system)
//	code := s.Run(ctx)               // until ctx ends and every role is gone
//	result := s.Reload(ctx)          // from any goroutine
//	status, err := s.Status(ctx)
package supervise

// Package cli is herald's command line: which command, which files, which
// exit code.
//
// It loads no configuration and knows no protocol; what the commands do is in
// the Program that main fills. Nothing here ends the process.
//
//	p := cli.Program{Version: version, Role: runRole, Check: check}
//	os.Exit(cli.Main(ctx, p, os.Args[1:], os.Stdout, os.Stderr))
package cli

// Package lab builds the network the product is shown and tested on: three
// controllers, a client and a few servers, each a set of Linux namespaces of
// its own (network, mounts, processes, host name), joined by two bridges that
// live in a namespace too. Nothing touches the machine's own network.
//
// Every node sees its own /etc, /run, /tmp, /dev and /var/lib/haproxy, and its
// own processes only, so `killall -0 haproxy` on one controller means that
// controller. Whatever a node logs to /dev/log is kept, line by line.
//
// It refuses to configure anything outside the namespaces it made, and to
// guess: a gap is measured by a probe each millisecond from the client, and a
// holder is what the kernel of a node reports, never what a daemon claims.
// It needs root and Linux.
//
//	l, err := lab.Up(ctx, lab.Spec{Controllers: 3, Servers: 2})
//	if err != nil { ... }
//	defer l.Down()
//	c := lab.NewCluster(l, lab.Packaged, lab.Setup{Services: true})
//	err = c.Start(ctx)
//	err = c.Settle(ctx)
//	p, err := l.Probe("10.1.1.10")
//	l.Controller(0).Cut("eth0")
//	report := p.Stop()
//	fmt.Println(report.Gap, report.Lost)
//
// The processes that hold the namespaces run this package's own binary again:
// a program that calls Up must hand its arguments to Main when the first is
// "lab" (command herald does; tests call Reexec in TestMain).
package lab

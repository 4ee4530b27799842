package lab

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
)

// originCommand is the hidden subcommand of an origin server.
const originCommand = "origin"

// Ports of the lab's services, on the servers and on the virtual addresses:
// a database spoken to in TCP and an HTTP interface.
const (
	TCPPort  = 3306
	HTTPPort = 8774
)

// origin is the smallest server worth balancing: over TCP it says its name in
// a line and repeats what it is sent; over HTTP it answers its name, and
// under /body/ as many bytes as the client sent.
func origin(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(originCommand, flag.ContinueOnError)
	name := flags.String("name", "origin", "name the server answers with")
	stream := flags.String("tcp", fmt.Sprintf(":%d", TCPPort), "address of the TCP service")
	web := flags.String("http", fmt.Sprintf(":%d", HTTPPort), "address of the HTTP service")
	if err := flags.Parse(args); err != nil {
		return err
	}
	l, err := net.Listen("tcp", *stream)
	if err != nil {
		return err
	}
	defer l.Close()
	ended := make(chan error, 2)
	go func() { ended <- greet(l, *name) }()
	server := &http.Server{Addr: *web, Handler: named(*name)}
	defer server.Close()
	go func() { ended <- server.ListenAndServe() }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return errors.Join(err, ctx.Err())
	}
}

func greet(l net.Listener, name string) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			fmt.Fprintln(c, name)
			io.Copy(c, c)
		}()
	}
}

func named(name string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprintln(w, name)
	})
	mux.HandleFunc("/body/", func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	return mux
}

// StartOrigin starts the lab's own server program on a server node.
func (l *Lab) StartOrigin(i int) (*Proc, error) {
	n := l.Server(i)
	return n.Start("origin", l.helperPath(), "lab", originCommand, "-name", n.name)
}

// helperPath is where a node sees the helper: its own /tmp hides a test
// binary, but process 1 is one.
func (l *Lab) helperPath() string { return "/proc/1/exe" }

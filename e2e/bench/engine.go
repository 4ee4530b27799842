package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"herald/config"
	"herald/config/line"
	"herald/proxy"
	"herald/proxy/directive"
	"herald/proxy/settings"
	"herald/proxy/syslog"
)

// runEngine runs proxy.Server alone with a configuration file, until SIGTERM.
func runEngine(file, profile string, out io.Writer) error {
	var diags config.Diagnostics
	texts := line.Load(line.Files{ReadFile: os.ReadFile, Stat: os.Stat, ReadDir: os.ReadDir}, []string{file}, &diags)
	cfg := directive.Build(line.Parse(texts, line.Env{Lookup: os.LookupEnv}, &diags), directive.Options{ReadFile: os.ReadFile}, &diags)
	if diags.HasErrors() {
		return fmt.Errorf("configuration: %v", diags.List())
	}
	s, err := proxy.New(cfg, proxy.Options{OpenLog: func(t settings.LogTarget) (proxy.Sink, error) {
		return syslog.Open(t.Network, t.Address)
	}})
	if err != nil {
		return err
	}
	lent := map[string][]int{}
	for _, n := range s.Needs() {
		if n.Stats {
			continue
		}
		li, err := net.Listen(n.Network, n.Address)
		if err != nil {
			return err
		}
		fd, err := descriptor(li)
		li.Close() // else Go's own poller wakes for every connection
		if err != nil {
			return err
		}
		lent[n.Key()] = []int{fd}
	}
	if err := s.Serve(lent); err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	<-ctx.Done()
	return s.Close()
}

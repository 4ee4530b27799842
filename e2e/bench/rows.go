package main

import (
	"fmt"
	"slices"
	"strings"
)

// row is one line of the table.
type row struct {
	name, what string
	unit       string
	goal       float64 // the value may be at most this; 0: told only
	of         value   // what the goal is about
	shape      shape
	small      *shape // the same with little; the row is the growth from it
	once       bool   // one round: it takes long, or varies little
	prepare    func(*bench, row) error
	measure    func(*bench, *subject) (sample, error)
}

// value is what a goal is about.
type value int

const (
	ratio  value = iota // herald's by HAProxy's
	own                 // herald's alone
	growth              // herald's by herald's in the small shape
)

// sample is one measurement: a figure in the row's unit, less is better, and
// how many requests a second there were.
type sample struct{ figure, perSecond float64 }

// rows is the table, in its order.
var rows = []row{
	{name: "keep-alive", what: "HTTP/1 keep-alive, 1 KB", unit: "CPU us/request", goal: 0.80, shape: shape{bind: "http"}, measure: wrk("/1k")},
	{name: "keep-alive-2", what: "the same on two processors", unit: "CPU us/request", goal: 0.80, shape: shape{bind: "http", threads: 2}, measure: wrk("/1k")},
	{name: "close", what: "HTTP/1, a connection per request", unit: "CPU us/request", goal: 0.90, shape: shape{bind: "http"}, measure: wrk("/1k", "-H", "Connection: close")},
	{name: "close-2", what: "the same on two processors", unit: "CPU us/request", goal: 0.90, shape: shape{bind: "http", threads: 2}, measure: wrk("/1k", "-H", "Connection: close")},
	{name: "64k", what: "HTTP/1 bodies of 64 KB, large buffers and splice", unit: "CPU us/request", goal: 1, shape: shape{bind: "http", large: true}, measure: wrk("/64k")},
	{name: "10m", what: "HTTP/1 bodies of 10 MB, large buffers and splice", unit: "CPU us/request", goal: 1, shape: shape{bind: "http", large: true}, measure: wrk("/10m", "-c", "8")},
	{name: "h2", what: "HTTP/2 to HTTP/1, 1 KB, 100 streams on each of 4 connections", unit: "CPU us/request", goal: 1, shape: shape{bind: "h2"}, measure: h2load},
	{name: "tls", what: "TLS 1.3 keep-alive, 1 KB", unit: "CPU us/request", goal: 0.80, shape: shape{bind: "ecdsa"}, measure: wrk("/1k")},
	{name: "ecdsa", what: "TLS 1.3 handshakes, ECDSA P-256", unit: "CPU us/handshake", goal: 1, shape: shape{bind: "ecdsa"}, measure: handshakes},
	{name: "rsa", what: "TLS 1.3 handshakes, RSA 2048", unit: "CPU us/handshake", goal: 2.2, shape: shape{bind: "rsa"}, measure: handshakes},
	{name: "tcp", what: "mode tcp, 1 KB answers", unit: "CPU us/request", goal: 1, shape: shape{bind: "tcp"}, measure: wrk("/1k")},
	{name: "tcp-2", what: "the same on two processors", unit: "CPU us/request", goal: 1, shape: shape{bind: "tcp", threads: 2}, measure: wrk("/1k")},
	{name: "tcp-bulk", what: "mode tcp, 10 MB answers, large buffers and splice", unit: "CPU us/request", goal: 1, shape: shape{bind: "tcp", large: true}, measure: wrk("/10m", "-c", "8")},
	{name: "p99", what: "HTTP/1 keep-alive, 1 KB, at half of what the slower one can", unit: "us at p99", goal: 1, shape: shape{bind: "http"}, prepare: halfLoad, measure: latency},
	{name: "idle", what: "memory of an idle connection", unit: "KB/connection", goal: 0.5, of: own, once: true, shape: shape{bind: "http", many: true}, measure: idle(false)},
	{name: "idle-tls", what: "memory of an idle TLS connection", unit: "KB/connection", goal: 8, of: own, once: true, shape: shape{bind: "ecdsa", many: true}, measure: idle(true)},
	{name: "collections", what: "garbage collections in a minute of saturated keep-alive", unit: "collections", goal: 1, of: own, once: true, shape: shape{bind: "http"}, measure: collections},
	{name: "many", what: "keep-alive requests on many connections at once", unit: "CPU us/request", goal: 1.3, of: growth, small: &shape{bind: "http"}, shape: shape{bind: "http", many: true}, measure: manyConnections},
	{name: "backends", what: "keep-alive requests beside 1,000 backends", unit: "CPU us/request", goal: 1.3, of: growth, small: &shape{bind: "http"}, shape: shape{bind: "http", backends: 1000}, measure: wrk("/1k")},
	{name: "servers", what: "keep-alive requests to 1,000 servers in one backend", unit: "CPU us/request", goal: 1.3, of: growth, small: &shape{bind: "http"}, shape: shape{bind: "http", servers: 1000}, measure: wrk("/1k")},
	{name: "patterns", what: "keep-alive requests compared with three files of 100,000 patterns", unit: "CPU us/request", goal: 1.3, of: growth, small: &shape{bind: "http", patterns: 10}, shape: shape{bind: "http", patterns: 100_000}, measure: wrk("/1k")},
	{name: "check", what: "check of 20,000 lines", unit: "s", goal: 2, of: own, shape: shape{bind: "http", lines: 20000}, measure: checkTime},
	{name: "start", what: "start with 20,000 lines, until a request is answered", unit: "s", goal: 2, of: own, shape: shape{bind: "http", lines: 20000}, measure: startTime},
}

func (r row) goalText() string {
	switch r.of {
	case own:
		return fmt.Sprintf("<= %g %s", r.goal, r.unit)
	case growth:
		return fmt.Sprintf("<= %g of the small case", r.goal)
	}
	return fmt.Sprintf("<= %.2f of HAProxy", r.goal)
}

// choose is the rows by name, separated by commas; all of them for "".
func choose(names string) ([]row, error) {
	if names == "" {
		return rows, nil
	}
	var chosen []row
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no row %q: -list names them", name)
		}
		chosen = append(chosen, rows[i])
	}
	return chosen, nil
}

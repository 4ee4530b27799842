// Package control is how `herald status` and `herald reload` talk to a daemon
// that runs: one line of JSON each way over a unix socket only its owner may
// open.
//
// It knows no command's meaning, and speaks to no network.
//
//	l, err := control.Listen("/run/herald/herald.sock")
//	s := control.Serve(l, map[string]control.Answer{"status": status})
//	defer s.Close()
//
//	err = control.Ask(ctx, "/run/herald/herald.sock", "status", &report)
package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of a conversation: a request is short and comes at once.
const (
	requestBytes   = 4096
	requestTimeout = 5 * time.Second
	maxSessions    = 16
)

// Answer answers one command with a value for JSON.
type Answer func(context.Context) (any, error)

// request and reply are the two lines.
type request struct {
	Command string `json:"command"`
}

type reply struct {
	Error string          `json:"error,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
}

// Listen listens at path with mode 0600. What a predecessor left there is
// replaced: the caller holds the lock of the run directory.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	// The socket gets its mode from the umask in the moment it is bound.
	old := unix.Umask(0o177)
	l, err := net.Listen("unix", path)
	unix.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}

// Server answers on a listener until Close.
type Server struct {
	listener net.Listener
	answers  map[string]Answer
	ctx      context.Context
	cancel   context.CancelFunc
	sessions chan struct{}
	all      sync.WaitGroup
}

// Serve starts to answer on l.
func Serve(l net.Listener, answers map[string]Answer) *Server {
	s := &Server{listener: l, answers: answers, sessions: make(chan struct{}, maxSessions)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.all.Go(s.accept)
	return s
}

// Close ends every session and waits for it.
func (s *Server) Close() {
	s.cancel()
	s.listener.Close()
	s.all.Wait()
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			if s.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
				select { // out of descriptors: no busy loop
				case <-time.After(100 * time.Millisecond):
					continue
				case <-s.ctx.Done():
				}
			}
			return
		}
		select {
		case s.sessions <- struct{}{}:
			s.all.Go(func() { s.session(c) })
		default:
			c.Close()
		}
	}
}

// session answers one request.
func (s *Server) session(c net.Conn) {
	defer func() { <-s.sessions }()
	defer c.Close()
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, func() { c.SetDeadline(time.Now()) })()
	c.SetReadDeadline(time.Now().Add(requestTimeout))
	var q request
	line, err := bufio.NewReader(io.LimitReader(c, requestBytes)).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &q)
	}
	var r reply
	switch answer := s.answers[q.Command]; {
	case err != nil:
		r.Error = fmt.Sprintf("read request: %v", err)
	case answer == nil:
		r.Error = fmt.Sprintf("unknown command %q", q.Command)
	default:
		body, err := answer(ctx)
		if err == nil {
			r.Body, err = json.Marshal(body)
		}
		if err != nil {
			r.Error = err.Error()
		}
	}
	c.SetWriteDeadline(time.Now().Add(requestTimeout))
	json.NewEncoder(c).Encode(r)
}

// ErrNotRunning is returned by Ask when nobody listens.
var ErrNotRunning = errors.New("herald does not run")

// Ask sends command to the daemon at path and decodes its answer.
func Ask(ctx context.Context, path, command string, into any) error {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ECONNREFUSED) {
		return fmt.Errorf("%w here (nobody listens at %s)", ErrNotRunning, path)
	}
	if err != nil {
		return fmt.Errorf("ask herald: %w", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })()
	if err := json.NewEncoder(c).Encode(request{Command: command}); err != nil {
		return fmt.Errorf("ask herald: %w", err)
	}
	var r reply
	if err := json.NewDecoder(c).Decode(&r); err != nil {
		return fmt.Errorf("herald's answer to %s: %w", command, errors.Join(err, ctx.Err()))
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	if err := json.Unmarshal(r.Body, into); err != nil {
		return fmt.Errorf("herald's answer to %s: %w", command, err)
	}
	return nil
}

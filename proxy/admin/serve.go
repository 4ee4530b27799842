package admin

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Limits of a session.
const (
	maxLine         = 16 << 10 // bytes of a command line, as tune.bufsize
	maxPayload      = 1 << 20  // bytes of a "<<" payload
	defaultTimeout  = 10 * time.Second
	defaultSessions = 10
)

// Server answers runtime commands on any number of listeners. A session is one
// goroutine; Close ends and awaits them all.
type Server struct {
	proxy   Proxy
	options Options
	slots   chan struct{}

	changing sync.Mutex // guards change, also while the engine is asked
	change   transaction

	mu       sync.Mutex // guards the fields below
	draining bool
	closed   bool
	open     map[closer]struct{} // listeners and connections
	wg       sync.WaitGroup
}

type closer interface{ Close() error }

// New makes a server of p's commands.
func New(p Proxy, o Options) *Server {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxSessions <= 0 {
		o.MaxSessions = defaultSessions
	}
	return &Server{proxy: p, options: o, slots: make(chan struct{}, o.MaxSessions), open: map[closer]struct{}{}}
}

// Serve answers sessions of l at most at level until Drain or Close, which
// close l. It returns nil after either, else the error of Accept.
func (s *Server) Serve(l net.Listener, level Level) error {
	if !s.hold(l) {
		l.Close()
		return nil
	}
	defer s.release(l)
	for {
		s.slots <- struct{}{}
		c, err := l.Accept()
		if err != nil {
			<-s.slots
			if s.isClosed() || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		if !s.hold(c) {
			<-s.slots
			c.Close()
			return nil
		}
		go s.converse(c, level)
	}
}

// hold registers what Close must end; false after Close, for a listener
// after Drain.
func (s *Server) hold(c closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, listens := c.(net.Listener); s.closed || s.draining && listens {
		return false
	}
	s.open[c] = struct{}{}
	s.wg.Add(1)
	return true
}

func (s *Server) release(c closer) {
	c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.wg.Done()
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Drain takes no more sessions; those that are open go on.
func (s *Server) Drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for c := range s.open {
		if l, listens := c.(net.Listener); listens {
			l.Close()
		}
	}
}

// Finish waits, after Drain, until every session has ended or ctx ends.
func (s *Server) Finish(ctx context.Context) {
	over := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
}

// Close ends every session and every Serve, and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return nil
}

// converse is one session, from the first line to the last answer. Without
// `prompt` it ends when the lines that came together are answered, whether or
// not the client half-closes: tools read until the end.
func (s *Server) converse(c net.Conn, level Level) {
	defer func() { <-s.slots }()
	defer s.release(c)
	x := &session{server: s, level: level, timeout: s.options.Timeout}
	r := bufio.NewReaderSize(c, maxLine)
	for {
		c.SetReadDeadline(time.Now().Add(x.timeout))
		line, err := r.ReadSlice('\n')
		if err != nil { // also a line that is too long, or unfinished at the end
			return
		}
		text := string(line[:len(line)-1])
		if command, payload := cutPayload(text); payload {
			if x.payload, err = readPayload(r); err != nil {
				return
			}
			text = command
		}
		x.line(text)
		x.payload = ""
		c.SetWriteDeadline(time.Now().Add(x.timeout))
		if _, err := c.Write(x.out); err != nil || x.quit {
			return
		}
		x.out = x.out[:0]
		if !x.prompt && r.Buffered() == 0 {
			return
		}
	}
}

// readPayload reads the lines up to an empty one; they must not be taken for
// commands.
func readPayload(r *bufio.Reader) (string, error) {
	var text []byte
	for len(text) < maxPayload {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if len(line) == 1 || len(line) == 2 && line[0] == '\r' {
			return string(text), nil
		}
		text = append(text, line...)
	}
	return "", errors.New("the payload is too long")
}

// Do answers the commands of one line as a session at level would print them.
func (s *Server) Do(line string, level Level) string {
	x := &session{server: s, level: level, timeout: s.options.Timeout}
	x.line(line)
	return string(x.out)
}

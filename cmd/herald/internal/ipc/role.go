package ipc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
)

// inheritedFD is where a role finds its end of the socket pair.
const inheritedFD = 3

// ErrParentGone is returned by every waiting call when the parent has ended.
var ErrParentGone = errors.New("the parent process is gone")

// Role is a role's side of the connection. Its methods may be called from any
// goroutine; those without a context never wait.
type Role struct {
	conn     *conn
	commands chan Command
	done     chan struct{}

	mu      sync.Mutex
	seq     uint64
	waiting map[uint64]chan message
	gone    bool
}

// Inherit returns the role side of the socket pair the parent left at
// descriptor 3.
func Inherit() (*Role, error) {
	if _, ok := os.LookupEnv(roleVariable); !ok {
		return nil, fmt.Errorf("roles are started by `herald run`, not by hand")
	}
	os.Unsetenv(roleVariable)
	return newRole(inheritedFD)
}

// roleVariable marks a process that was started as a role, so that a stray
// descriptor 3 is not mistaken for a parent.
const roleVariable = "HERALD_ROLE_SOCKET"

func newRole(fd int) (*Role, error) {
	k, err := newConn(fd)
	if err != nil {
		return nil, err
	}
	r := &Role{conn: k, commands: make(chan Command), done: make(chan struct{}), waiting: map[uint64]chan message{}}
	inbox := make(chan Command, 16)
	go r.receive(inbox)
	go deliver(inbox, r.commands)
	return r, nil
}

// Done is closed when the parent has ended or closed the connection.
func (r *Role) Done() <-chan struct{} { return r.done }

// Commands delivers what the parent says after Ready, in order; it is closed
// when the parent is gone. The newest ProxyFact and Instances replace older
// ones that were not taken yet.
func (r *Role) Commands() <-chan Command { return r.commands }

// Diagnostics reports what was found in the configuration.
func (r *Role) Diagnostics(list []Finding) {
	r.conn.post(message{Kind: kindFindings, Body: body(list)})
}

// Listen asks for listening sockets and returns their descriptors by
// Socket.Name: at least as many as Count, more when an older generation had
// more (all of them must be accepted from). They are non-blocking,
// close-on-exec, and the caller's. One address that cannot be bound fails the
// whole.
func (r *Role) Listen(ctx context.Context, sockets []Socket) (map[string][]int, error) {
	m, err := r.ask(ctx, kindListen, sockets)
	if err != nil {
		return nil, err
	}
	var a listenAnswer
	if err := json.Unmarshal(m.Body, &a); err != nil {
		closeAll(m.fds)
		return nil, fmt.Errorf("listen: %w", err)
	}
	if a.Error != "" {
		closeAll(m.fds)
		return nil, errors.New(a.Error)
	}
	lent := make(map[string][]int, len(a.Counts))
	rest := m.fds
	for i, n := range a.Counts {
		if n > len(rest) || i >= len(sockets) {
			closeAll(m.fds)
			return nil, fmt.Errorf("listen: %d descriptors for %d sockets", len(m.fds), len(sockets))
		}
		lent[sockets[i].Name()] = rest[:n:n]
		rest = rest[n:]
	}
	return lent, nil
}

// listenAnswer tells how many descriptors each socket of a request got.
type listenAnswer struct {
	Counts []int  `json:"counts"`
	Error  string `json:"error,omitempty"`
}

// DeclareScripts names every command RunScript may ask for, once and before
// Ready. The answer has one text per script: empty when it will be run, else
// why not (an account that does not exist, a path others can write).
func (r *Role) DeclareScripts(ctx context.Context, scripts []Script) (refused []string, err error) {
	m, err := r.ask(ctx, kindScripts, scripts)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(m.Body, &refused); err != nil {
		return nil, fmt.Errorf("declare scripts: %w", err)
	}
	return refused, nil
}

// RunScript has the parent run the script declared at index and waits for its
// end. An error means that there is no answer; a script that failed is in the
// result.
func (r *Role) RunScript(ctx context.Context, index int) (ScriptResult, error) {
	var res ScriptResult
	m, err := r.ask(ctx, kindRun, index)
	if err != nil {
		return res, err
	}
	if err := json.Unmarshal(m.Body, &res); err != nil {
		return res, fmt.Errorf("run script: %w", err)
	}
	return res, nil
}

// Notice has the parent run a script that was declared with a lane. It never
// waits; a script that was refused is not run.
func (r *Role) Notice(n Notice) { r.conn.post(message{Kind: kindNotice, Body: body(n)}) }

// Ready says that everything is prepared and nothing more can fail, and waits
// until the parent says go. Privileges are to be dropped before.
func (r *Role) Ready(ctx context.Context, p Prepared) (Go, error) {
	var g Go
	m, err := r.ask(ctx, kindReady, p)
	if err != nil {
		return g, err
	}
	if err := json.Unmarshal(m.Body, &g); err != nil {
		return g, fmt.Errorf("go: %w", err)
	}
	return g, nil
}

// Failed says why the role ends; it is for what runs a role, and the last
// word.
func (r *Role) Failed(err error) { r.conn.post(message{Kind: kindFailed, Body: body(err.Error())}) }

// Health is the role's heartbeat, to be sent at least every second. For a
// proxy, serving and reason go to the VRRP role at once when they change; a
// proxy that is silent for three seconds counts as not serving, and a VRRP
// role that began to beat and then is silent as long is killed and restarted.
func (r *Role) Health(serving bool, reason string) {
	r.conn.post(message{Kind: kindHealth, Body: body(Health{serving, reason})})
}

// Health is one heartbeat.
type Health struct {
	Serving bool   `json:"serving"`
	Reason  string `json:"reason,omitempty"`
}

// Held reports every address the role has put, or is about to put, on an
// interface: the parent removes them when the role dies and cannot come back.
func (r *Role) Held(list []Address) { r.conn.post(message{Kind: kindHeld, Body: body(list)}) }

// Belongings reports, as JSON, everything else the role has put, or is about
// to put, into the kernel; the parent removes it with the addresses.
func (r *Role) Belongings(raw json.RawMessage) {
	r.conn.post(message{Kind: kindBelongs, Body: raw})
}

// State reports the role's state, from which a successor could go on; blob
// must not change any more.
func (r *Role) State(blob []byte) { r.conn.post(message{Kind: kindState, blob: blob}) }

// HandOver gives the final state to the successor, as the answer to Handover;
// the role then returns and touches nothing more.
func (r *Role) HandOver(blob []byte) { r.conn.post(message{Kind: kindHanded, blob: blob}) }

// Instances reports []stats.Instance as JSON for the statistics page and
// `herald status`.
func (r *Role) Instances(raw json.RawMessage) { r.conn.post(message{Kind: kindInstances, Body: raw}) }

// Log has the parent write one line to the daemon's log. Lines are dropped
// when the parent does not take them.
func (r *Role) Log(line string) { r.conn.post(message{Kind: kindLog, Body: body(line)}) }

// Close sends what waits and ends the connection.
func (r *Role) Close() {
	r.conn.close()
	<-r.done
}

// ask sends a request and waits for its reply.
func (r *Role) ask(ctx context.Context, k kind, v any) (message, error) {
	reply := make(chan message, 1)
	r.mu.Lock()
	if r.gone {
		r.mu.Unlock()
		return message{}, ErrParentGone
	}
	r.seq++
	seq := r.seq
	r.waiting[seq] = reply
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.waiting, seq)
		r.mu.Unlock()
		select {
		case late := <-reply: // came while ctx ended
			closeAll(late.fds)
		default:
		}
	}()
	r.conn.post(message{Kind: k, Seq: seq, Body: body(v)})
	select {
	case m, ok := <-reply:
		if !ok {
			return message{}, ErrParentGone
		}
		return m, nil
	case <-ctx.Done():
		return message{}, fmt.Errorf("%s: %w", k, ctx.Err())
	}
}

// receive reads until the parent is gone.
func (r *Role) receive(inbox chan<- Command) {
	defer close(r.done)
	defer close(inbox)
	for {
		m, err := r.conn.receive()
		if err != nil {
			break
		}
		if m.Kind == kindReply || m.Kind == kindGo {
			r.reply(m)
			continue
		}
		closeAll(m.fds)
		if c := r.command(m); c != nil {
			inbox <- c
		}
	}
	r.mu.Lock()
	r.gone = true
	for seq, c := range r.waiting {
		close(c)
		delete(r.waiting, seq)
	}
	r.mu.Unlock()
}

func (r *Role) reply(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.waiting[m.Seq]
	if !ok {
		closeAll(m.fds)
		return
	}
	delete(r.waiting, m.Seq)
	c <- m
}

// command decodes what is no reply; nil for what this version does not know.
func (r *Role) command(m message) Command {
	switch m.Kind {
	case kindDrain:
		return Drain{}
	case kindStop:
		return Stop{}
	case kindHandover:
		return Handover{}
	case kindInstances:
		return Instances{JSON: m.Body}
	case kindStatus:
		q := &StatusRequest{seq: m.Seq, role: r}
		if len(m.Body) > 0 && json.Unmarshal(m.Body, &q.Dump) != nil {
			return nil
		}
		return q
	case kindTally:
		return OtherTally{Generation: int(m.Seq), Counted: m.blob}
	case kindRest:
		var rest Rest
		if json.Unmarshal(m.Body, &rest) == nil {
			return rest
		}
	case kindFact:
		var f ProxyFact
		if json.Unmarshal(m.Body, &f) == nil {
			return f
		}
	}
	return outside(m)
}

// deliver carries commands from in to out without ever making in wait, and
// keeps only the newest of facts.
func deliver(in <-chan Command, out chan<- Command) {
	defer close(out)
	var queue []Command
	for {
		var (
			to   chan<- Command
			next Command
		)
		if len(queue) > 0 {
			to, next = out, queue[0]
		}
		select {
		case c, ok := <-in:
			if !ok {
				return // the parent is gone: nothing it said matters any more
			}
			queue = enqueue(queue, c)
		case to <- next:
			queue = queue[1:]
		}
	}
}

// enqueue appends c, or puts it in the place of an older fact of its type.
func enqueue(queue []Command, c Command) []Command {
	for i, q := range queue {
		switch c := c.(type) {
		case OtherTally:
			if older, same := q.(OtherTally); same && older.Generation == c.Generation {
				queue[i] = c
				return queue
			}
		case ProxyFact:
			if _, same := q.(ProxyFact); same {
				queue[i] = c
				return queue
			}
		case Files:
			if _, same := q.(Files); same {
				queue[i] = c
				return queue
			}
		case Parts:
			if _, same := q.(Parts); same {
				queue[i] = c
				return queue
			}
		case Instances:
			if _, same := q.(Instances); same {
				queue[i] = c
				return queue
			}
		}
	}
	return append(queue, c)
}

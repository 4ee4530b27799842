package ipc

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Peer is the parent's side of the connection to one role. One goroutine
// receives; any may tell, and telling never waits.
type Peer struct{ conn *conn }

// Pair makes a connected pair: the parent's side, and the file a role process
// is to find at descriptor 3, with Variable in its environment. The file is
// another end than the Peer's, so that what os/exec does to its flags stays
// there.
func Pair() (*Peer, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	k, err := newConn(fds[0])
	if err != nil {
		unix.Close(fds[1])
		return nil, nil, err
	}
	k.refuses = true
	return &Peer{conn: k}, os.NewFile(uintptr(fds[1]), "role socket"), nil
}

// Variable is the environment entry that tells a process it is a role.
const Variable = roleVariable + "=1"

// Attach makes a Role of the file Pair returned, in this process: for tests
// that run a role as a goroutine. It takes the file over.
func Attach(f *os.File) (*Role, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	f.Close()
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return newRole(fd)
}

// Report is what a role says: *ListenRequest, *ScriptsRequest, *RunRequest,
// *ReadyRequest, Notice, Findings, Failed, Health, Held, Belongings, State, Handed,
// InstancesReport, Tally, LogLine or StatusReply.
type Report interface{ report() }

// ListenRequest asks for sockets; it is answered by Peer.Lend.
type ListenRequest struct {
	Sockets []Socket
	seq     uint64
}

// ScriptsRequest declares scripts; it is answered by Peer.Refuse.
type ScriptsRequest struct {
	Scripts []Script
	seq     uint64
}

// RunRequest asks for one run of a declared script; it is answered by
// Peer.Result.
type RunRequest struct {
	Index int
	seq   uint64
}

// ReadyRequest is READY; it is answered by Peer.Go.
type ReadyRequest struct {
	Prepared Prepared
	seq      uint64
}

// Findings are diagnostics of a configuration.
type Findings []Finding

// Failed is why a role ends.
type Failed string

// Held are the addresses a role holds.
type Held []Address

// Belongings are what a role put into the kernel beside addresses, in its own
// words; the parent keeps them and looks into them only to remove them.
type Belongings json.RawMessage

// State is the state a successor could go on from.
type State []byte

// Handed is the last state of a role that hands over.
type Handed []byte

// InstancesReport is []stats.Instance as JSON.
type InstancesReport json.RawMessage

// LogLine is one line for the daemon's log.
type LogLine string

// StatusReply answers Peer.AskStatus.
type StatusReply struct {
	Seq uint64
	Raw json.RawMessage
}

func (*ListenRequest) report()  {}
func (*ScriptsRequest) report() {}
func (*RunRequest) report()     {}
func (*ReadyRequest) report()   {}
func (Notice) report()          {}
func (Findings) report()        {}
func (Failed) report()          {}
func (Health) report()          {}
func (Held) report()            {}
func (Belongings) report()      {}
func (State) report()           {}
func (Handed) report()          {}
func (InstancesReport) report() {}
func (LogLine) report()         {}
func (StatusReply) report()     {}

// Receive waits for the next report; io.EOF means that the role is gone.
func (p *Peer) Receive() (Report, error) {
	m, err := p.conn.receive()
	if err != nil {
		return nil, err
	}
	r, err := decode(m)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", m.Kind, err)
	}
	return r, nil
}

func decode(m message) (Report, error) {
	switch m.Kind {
	case kindListen:
		r := &ListenRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Sockets)
	case kindScripts:
		r := &ScriptsRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Scripts)
	case kindRun:
		r := &RunRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Index)
	case kindReady:
		r := &ReadyRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Prepared)
	case kindNotice:
		return value[Notice](m)
	case kindWatch:
		r := &WatchRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Files)
	case kindCount:
		r := &CountRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Programs)
	case kindOutward:
		r := &OutwardRequest{seq: m.Seq}
		return r, json.Unmarshal(m.Body, &r.Outward)
	case kindParts:
		return value[Parts](m)
	case kindTally:
		return tally(m)
	case kindFollow:
		return value[Follow](m)
	case kindFindings:
		return value[Findings](m)
	case kindFailed:
		return value[Failed](m)
	case kindHealth:
		return value[Health](m)
	case kindHeld:
		return value[Held](m)
	case kindBelongs:
		return Belongings(m.Body), nil
	case kindState:
		return State(m.blob), nil
	case kindHanded:
		return Handed(m.blob), nil
	case kindLog:
		return value[LogLine](m)
	case kindInstances:
		return InstancesReport(m.Body), nil
	case kindReply:
		return StatusReply{Seq: m.Seq, Raw: m.Body}, nil
	}
	return nil, fmt.Errorf("unknown kind")
}

func value[T Report](m message) (Report, error) {
	var v T
	err := json.Unmarshal(m.Body, &v)
	return v, err
}

// Lend answers a ListenRequest with the descriptors of each socket, or with
// why there are none. The descriptors stay the caller's: copies travel.
func (p *Peer) Lend(r *ListenRequest, lent [][]int, failure error) {
	m := message{Kind: kindReply, Seq: r.seq, owned: true}
	var a listenAnswer
	for _, fds := range lent {
		if failure != nil {
			break
		}
		for _, fd := range fds {
			var copied int
			if copied, failure = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); failure != nil {
				break
			}
			m.fds = append(m.fds, copied)
		}
		a.Counts = append(a.Counts, len(fds))
	}
	if failure != nil {
		closeAll(m.fds)
		m.fds, a = nil, listenAnswer{Error: failure.Error()}
	}
	m.Body = body(a)
	p.conn.post(m)
}

// Refuse answers a ScriptsRequest with a text per script: empty when it will
// be run, else why not.
func (p *Peer) Refuse(r *ScriptsRequest, why []string) {
	p.conn.post(message{Kind: kindReply, Seq: r.seq, Body: body(why)})
}

// Result answers a RunRequest.
func (p *Peer) Result(r *RunRequest, res ScriptResult) {
	p.conn.post(message{Kind: kindReply, Seq: r.seq, Body: body(res)})
}

// Go answers READY: begin.
func (p *Peer) Go(r *ReadyRequest, g Go) {
	p.conn.post(message{Kind: kindGo, Seq: r.seq, Body: body(g)})
}

// Drain tells a proxy role to drain.
func (p *Peer) Drain() { p.conn.post(message{Kind: kindDrain}) }

// Stop tells a role to stop.
func (p *Peer) Stop() { p.conn.post(message{Kind: kindStop}) }

// Handover tells a VRRP role to hand over.
func (p *Peer) Handover() { p.conn.post(message{Kind: kindHandover}) }

// Rest tells a VRRP role whether to hold addresses.
func (p *Peer) Rest(rest bool) { p.conn.post(message{Kind: kindRest, Body: body(rest)}) }

// Fact tells a VRRP role how the proxy is.
func (p *Peer) Fact(f ProxyFact) { p.conn.post(message{Kind: kindFact, Body: body(f)}) }

// Instances tells a proxy role how the VRRP instances are.
func (p *Peer) Instances(raw json.RawMessage) {
	p.conn.post(message{Kind: kindInstances, Body: raw})
}

// AskStatus asks for the role's part of the status; a StatusReply with seq
// answers.
func (p *Peer) AskStatus(seq uint64) { p.conn.post(message{Kind: kindStatus, Seq: seq}) }

// AskDump asks a VRRP role for a file as keepalived writes it, as a JSON
// string; a StatusReply with seq answers.
func (p *Peer) AskDump(seq uint64, what string) {
	p.conn.post(message{Kind: kindStatus, Seq: seq, Body: body(what)})
}

// Close ends the connection: the role sees that the parent is gone.
func (p *Peer) Close() { p.conn.close() }

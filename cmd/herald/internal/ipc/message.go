package ipc

import (
	"encoding/json"
	"time"
)

// Name is the name of a role.
type Name string

// The roles there are.
const (
	VRRP  Name = "vrrp"
	Proxy Name = "proxy"
)

// Socket describes one listening address a role asks for.
type Socket struct {
	// Key names the address between processes and generations: the same key
	// is the same sockets. Empty means Network, Address, Interface
	// and NetNamespace.
	Key       string `json:"key,omitempty"`
	Network   string `json:"network"` // "tcp", "unix", "abns" (an abstract unix socket) or "fd" (one the parent was started with)
	Address   string `json:"address"` // "192.0.2.1:80", ":80" for every IPv4 address, "[::]:80", a path, an abstract name, or a descriptor's number
	Interface string `json:"interface,omitempty"`
	// NetNamespace of a TCP address, by name; empty is the parent's.
	NetNamespace string `json:"net_namespace,omitempty"`
	V6Only       bool   `json:"v6only,omitempty"`
	Transparent  bool   `json:"transparent,omitempty"`
	Backlog      int    `json:"backlog,omitempty"` // 0 means the system's largest
	Count        int    `json:"count,omitempty"`   // sockets sharing the address by SO_REUSEPORT; 0 means 1; unix has one
	FastOpen     bool   `json:"tfo,omitempty"`
	DeferAccept  bool   `json:"defer,omitempty"`
	MSS          int    `json:"mss,omitempty"`    // bytes; negative is taken off the usual
	UserTimeout  int    `json:"tcp_ut,omitempty"` // milliseconds
	Mode         uint32 `json:"mode,omitempty"`   // of a unix socket; 0 means the umask's
	// Owner and Group of a unix socket; nil means the parent's.
	Owner *int `json:"owner,omitempty"`
	Group *int `json:"group,omitempty"`
}

// Name returns Key, or what stands for it.
func (s Socket) Name() string {
	if s.Key != "" {
		return s.Key
	}
	name := s.Network + "|" + s.Address + "|" + s.Interface
	if s.NetNamespace != "" {
		name += "|" + s.NetNamespace
	}
	return name
}

// Script is one command a role may have run.
type Script struct {
	Name    string        `json:"name"`
	Argv    []string      `json:"argv"`
	User    string        `json:"user,omitempty"`  // name or number; empty means keepalived_script when it exists, else root
	Group   string        `json:"group,omitempty"` // empty means the user's
	Timeout time.Duration `json:"timeout"`         // then SIGTERM, and SIGKILL 2 s later; 0 means no limit
	// Lane makes it a script for Role.Notice, not for RunScript: those of one
	// lane run one after the other. Names are unique within a lane.
	Lane string `json:"lane,omitempty"`
	// Lasting ends with the role's process, other scripts with the daemon.
	Lasting bool `json:"lasting,omitempty"`
	// NetNamespace it runs in, by name; empty is the parent's.
	NetNamespace string `json:"net_namespace,omitempty"`
	// Env is added to the script's environment, "NAME=VALUE"; a later one wins.
	Env []string `json:"env,omitempty"`
}

// Notice asks for a run nobody waits for: it goes on when the role ends.
type Notice struct {
	Lane string   `json:"lane"`
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"` // after those declared
	// Former means the scripts of the VRRP role before: the instance it is
	// about is configured no more.
	Former bool `json:"former,omitempty"`
}

// ScriptResult is the end of one run.
type ScriptResult struct {
	Exit     int           `json:"exit"`             // exit status; -1 when there is none
	Signal   string        `json:"signal,omitempty"` // that ended it
	TimedOut bool          `json:"timed_out,omitempty"`
	Error    string        `json:"error,omitempty"` // why it could not be run
	Took     time.Duration `json:"took"`
}

// OK reports whether the script ran and exited with 0.
func (r ScriptResult) OK() bool { return r.Exit == 0 && r.Signal == "" && !r.TimedOut && r.Error == "" }

// Address is one address a role holds on an interface.
type Address struct {
	Prefix    string `json:"prefix"` // "10.1.1.10/32"
	Interface string `json:"interface"`
	Label     string `json:"label,omitempty"`
	// NetNamespace the interface is in, by name; empty is the parent's.
	NetNamespace string `json:"net_namespace,omitempty"`
}

// Finding is one diagnostic of a role's configuration.
type Finding struct {
	Severity string `json:"severity"` // "notice", "warning" or "error"
	Text     string `json:"text"`     // "file:line: severity: message"
}

// Prepared goes with READY: what the role found out that the parent needs.
type Prepared struct {
	PidFile string `json:"pid_file,omitempty"` // haproxy.cfg's pidfile; the parent writes its own pid
	// NetNamespace is the one the role's configuration names: it stays the
	// same as long as the daemon runs.
	NetNamespace string `json:"net_namespace,omitempty"`
	Note         string `json:"note,omitempty"` // what could not be had, for the log: "no real-time scheduling: ..."
	// Confined is what holds in the role beside its user and capabilities.
	Confined string `json:"confined,omitempty"`
}

// ProxyFact tells a VRRP role whether the proxy here is serving. Known is
// false until a proxy has said so for the first time.
type ProxyFact struct {
	Known   bool   `json:"known"`
	Serving bool   `json:"serving"`
	Reason  string `json:"reason,omitempty"`
}

// Go is the parent's word to begin; it answers READY.
type Go struct {
	Generation int `json:"generation"`
	// First is true for the first VRRP role of a daemon.
	First bool `json:"first,omitempty"`
	// State is what the predecessor handed over or, if it crashed or is a
	// proxy, last reported; nil for a fresh start.
	State []byte `json:"state,omitempty"`
	// Crashed is true when State comes from a role that died and may be out of
	// date by Age.
	Crashed bool          `json:"crashed,omitempty"`
	Age     time.Duration `json:"age,omitempty"`
	// Leftover are addresses a predecessor held that may still be on the
	// interfaces: to be adopted, or removed when they are configured no more.
	Leftover []Address `json:"leftover,omitempty"`
	// Left is what else a predecessor put into the kernel, which State does not
	// tell: Belongings, or nil.
	Left json.RawMessage `json:"left,omitempty"`
	// Rest tells a VRRP role to hold nothing from the beginning.
	Rest bool `json:"rest,omitempty"`
	// Proxy is for the VRRP role.
	Proxy ProxyFact `json:"proxy"`
	// Parts is for the VRRP role, nil until a proxy has told them.
	Parts *Parts `json:"parts,omitempty"`
	// Instances is for the proxy role: []stats.Instance as JSON, or nil.
	Instances json.RawMessage `json:"instances,omitempty"`
	// Tallies are for the proxy role: what the processes before it counted.
	Tallies []OtherTally `json:"tallies,omitempty"`
}

// Command is what the parent tells a running role: Drain, Stop, Handover,
// Rest, ProxyFact, Instances, OtherTally or *StatusRequest.
type Command interface{ command() }

// Drain tells a proxy role to stop accepting, let its connections end, and
// then return.
type Drain struct{}

// Stop tells a role to end now: a VRRP role resigns (priority 0, addresses
// removed), a proxy closes its connections.
type Stop struct{}

// Handover tells a VRRP role to call Role.HandOver with its state and return
// without resigning: a successor is ready.
type Handover struct{}

// Rest tells a VRRP role to give its addresses to other nodes and to hold
// none until it is told otherwise.
type Rest bool

// Instances is the VRRP role's []stats.Instance as JSON, for the proxy's
// statistics page.
type Instances struct{ JSON json.RawMessage }

// StatusRequest asks a role for its part of `herald status`.
type StatusRequest struct {
	// Dump names a file of keepalived's that is asked for instead: "data",
	// "parent", "stats", "stats_clear" or "json".
	Dump string
	seq  uint64
	role *Role
}

func (Drain) command()          {}
func (Stop) command()           {}
func (Handover) command()       {}
func (ProxyFact) command()      {}
func (Instances) command()      {}
func (Rest) command()           {}
func (*StatusRequest) command() {}

// Answer replies with JSON of the role's choice.
func (q *StatusRequest) Answer(raw json.RawMessage) {
	q.role.conn.post(message{Kind: kindReply, Seq: q.seq, Body: raw})
}

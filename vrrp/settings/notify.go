package settings

import "time"

// Command is a script that is told of transitions (keepalived.conf(5),
// notify_*). An empty Argv means none.
type Command struct {
	Argv        []string // program and arguments
	Text        string   // as written, for messages
	User, Group string   // empty means the file's script_user
}

// Notify says who is told about an instance or a group.
type Notify struct {
	Master, Backup, Fault, Stop, Deleted Command
	// LowerPriority runs when a master hears one of lower priority.
	LowerPriority Command
	// All runs after the others, with four more arguments.
	All Command
	// TellDeleted says that a reload without the instance is told as DELETED;
	// as FAULT otherwise.
	TellDeleted bool
	// PriorityChanges writes changes of the priority to the FIFOs.
	PriorityChanges bool
	Mail            bool // smtp_alert
}

// Fifo is a named pipe that gets a line for each event.
type Fifo struct {
	Path        string
	User, Group string // of the pipe; empty means the file's script_user
	// Script is started with the path as its last argument, to read the pipe.
	Script Command
}

// Mail says where mail about transitions goes. Without To there is none.
type Mail struct {
	To      []string
	From    string
	Server  string        // host:port; empty means that no mail can be sent
	Helo    string        // name in the greeting
	Timeout time.Duration // of connecting, 30 s
	// NoFaults leaves mail about FAULT out.
	NoFaults bool
}

// Notification is what global_defs says about telling others.
type Notification struct {
	Fifos []Fifo
	// StatesOnReload writes every state to the FIFOs after a reload.
	StatesOnReload bool
	Mail           Mail
}

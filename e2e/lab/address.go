package lab

import "fmt"

// The addresses of the published scenario, and the lab's own beside them.
const (
	// InsideVirtual is the address the controllers share on eth0.
	InsideVirtual = "10.1.1.10"
	// OutsideVirtual is the address the controllers share on eth1.
	OutsideVirtual = "192.168.243.10"

	insideNet  = "10.1.1."
	outsideNet = "192.168.243."
	prefixBits = 24
)

// Names of the two networks, which are also the names of their bridges.
const (
	Inside  = "inside"
	Outside = "outside"
)

// InsideAddr returns the own address of controller i on eth0.
func InsideAddr(i int) string { return fmt.Sprintf("%s%d", insideNet, 20+i) }

// OutsideAddr returns the own address of controller i on eth1.
func OutsideAddr(i int) string { return fmt.Sprintf("%s%d", outsideNet, 11+i) }

// ServerAddr returns the address of server i, which is on the inside only.
func ServerAddr(i int) string { return fmt.Sprintf("%s%d", insideNet, 51+i) }

// ClientInside and ClientOutside are the addresses of the client.
const (
	ClientInside  = "10.1.1.100"
	ClientOutside = "192.168.243.100"
)

// port is one end of a cable: an interface of a node and the bridge it is
// plugged into.
type port struct {
	Iface   string // name inside the node
	Network string // Inside or Outside
	Addr    string // without prefix length
}

// plan is what a node is to look like before its processes exist.
type plan struct {
	name  string
	ports []port
}

// topology lists the nodes of a lab: controllers first, then the client, then
// the servers.
func topology(s Spec) []plan {
	var nodes []plan
	for i := range s.Controllers {
		nodes = append(nodes, plan{fmt.Sprintf("controller-%d", i), []port{
			{"eth0", Inside, InsideAddr(i)}, {"eth1", Outside, OutsideAddr(i)}}})
	}
	nodes = append(nodes, plan{"client", []port{
		{"eth0", Inside, ClientInside}, {"eth1", Outside, ClientOutside}}})
	for i := range s.Servers {
		nodes = append(nodes, plan{fmt.Sprintf("server-%d", i), []port{{"eth0", Inside, ServerAddr(i)}}})
	}
	return nodes
}

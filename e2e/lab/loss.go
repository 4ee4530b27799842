package lab

import "fmt"

// Lose drops packets the node receives, IPv4 and at random, percent of them,
// until the lab ends. It is the firewall that does, for not every kernel has
// netem.
func (n *Node) Lose(percent int) error {
	rules := fmt.Sprintf("table ip lab_loss { chain in { type filter hook prerouting priority -400; numgen random mod 100 < %d drop; }; }", percent)
	_, err := n.Exec("nft", rules)
	return err
}

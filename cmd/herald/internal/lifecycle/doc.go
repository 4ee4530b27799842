// Package lifecycle decides what the parent does about its role processes:
// when to start one, to let it begin, to tell it to go, to kill it, and when
// the addresses of a dead one must be taken away.
//
// It is a core: it starts no process, knows no descriptor, no message and no
// clock. Time arrives with every event; Next says when to come back. The
// order of the actions is the order of effects.
//
//	m := lifecycle.New(lifecycle.Defaults, lifecycle.Proxy, lifecycle.VRRP)
//	for _, a := range m.Step(now, lifecycle.Begin{}) {
//		carryOut(a)
//	}
//	wake := m.Next()                 // then m.Step(wake, lifecycle.Timer{})
package lifecycle

// Package ipc carries messages and descriptors between the parent process and
// a role over one SOCK_SEQPACKET socket pair.
//
// It knows what may be said and how it travels; it decides nothing about
// processes (package lifecycle does) and opens no listening socket. Posting
// never waits: every end has an outbox and a writer of its own, so a stalled
// peer cannot stall a role's loop. Descriptors travel by SCM_RIGHTS and keep
// O_NONBLOCK, here and at the peer.
//
// A role uses it like this:
//
//	r, err := ipc.Inherit()
//	fds, err := r.Listen(ctx, []ipc.Socket{{Network: "tcp", Address: ":80", Count: 2}})
//	start, err := r.Ready(ctx, ipc.Prepared{})   // returns when the parent says go
//	for c := range r.Commands() {
//		switch c := c.(type) {
//		case ipc.Drain:
//		case ipc.Stop:
//		case *ipc.StatusRequest:
//			c.Answer(raw)
//		}
//	}
//	// the channel closes when the parent is gone
package ipc

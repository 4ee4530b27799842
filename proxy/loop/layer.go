package loop

import "syscall"

// Layer stands between a socket and its user: encryption over a descriptor,
// or one stream of a multiplexed connection, which has no descriptor of its
// own. The user goes on calling Recv, Send, CloseWrite and Close of the
// Socket and looking at Can; the layer does the Raw calls, or none.
//
// The contract of the edge-triggered socket holds for the layer too: Recv
// answers EAGAIN only after it took Readable away (Withhold), Send likewise
// with Writable, and what becomes possible again is told by Offer. A layer
// that keeps received bytes back leaves Readable set until they are taken:
// no event of the descriptor will come for them.
type Layer interface {
	// Recv is Socket.Recv: 0, 0 at the end of the stream.
	Recv(s *Socket, p []byte) (int, syscall.Errno)
	// Send is Socket.Send; more says that bytes follow at once.
	Send(s *Socket, p []byte, more bool) (int, syscall.Errno)
	// CloseWrite ends our side of the stream and keeps the other.
	CloseWrite(s *Socket)
	// Close is called once, before the descriptor is closed.
	Close(s *Socket)
}

// Waker is a Layer that hears of the descriptor's events before the socket's
// handler: to send what it holds, or to keep the event to itself.
type Waker interface {
	// Wake answers what the handler is told; 0 tells it nothing. It may close
	// the socket.
	Wake(s *Socket, ev Event) Event
}

// Layer is what Put set, or nil.
func (s *Socket) Layer() Layer { return s.layer }

// Put sets the layer of s; nil takes it away.
func (s *Socket) Put(l Layer) { s.layer = l }

// Virtual makes s a socket without a descriptor: all it does is the layer's.
// The loop does not know it, so Stop does not close it; whoever owns what
// lies beneath does.
func (l *Loop) Virtual(s *Socket, layer Layer, h Handler) {
	*s = Socket{loop: l, handler: h, layer: layer, fd: virtualFD}
}

// Offer adds to what Can answers, and tells the handler.
func (s *Socket) Offer(ev Event) {
	s.can |= ev
	s.handler.Ready(ev)
}

// Allow adds to what Can answers without telling the handler.
func (s *Socket) Allow(ev Event) { s.can |= ev }

// Withhold takes away from what Can answers.
func (s *Socket) Withhold(ev Event) { s.can &^= ev }

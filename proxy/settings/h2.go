package settings

// H2 tunes HTTP/2; 0 means the default.
type H2 struct {
	MaxStreams int // tune.h2.max-concurrent-streams, 100
	Window     int // tune.h2.initial-window-size, 65535
	TableSize  int // tune.h2.header-table-size, 4096
	FrameSize  int // tune.h2.max-frame-size, 16384
	// NoWebSockets keeps it from clients that they may begin WebSockets
	// (h2-workaround-bogus-websocket-clients).
	NoWebSockets bool
}

// WebSockets is the protocol of WebSockets to a server ("ws").
type WebSockets int

// Protocols. WebSocketsAuto is that of other requests, but HTTP/1 where the
// server may choose between both.
const (
	WebSocketsAuto WebSockets = iota
	WebSocketsH1
	WebSocketsH2
)

package h2

// frameType is the type of a frame (RFC 9113 section 6).
type frameType uint8

const (
	frameData frameType = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePush
	framePing
	frameGoaway
	frameWindow
	frameContinuation
)

// Flags of frames.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	headerLen    = 9
	minFrameSize = 1 << 14 // RFC 9113 section 4.2: every endpoint takes this much
	maxFrameSize = 1<<24 - 1
	maxWindow    = 1<<31 - 1
	firstWindow  = 1<<16 - 1 // both windows at the start of a connection
	firstTable   = 4096
)

// Code is an error code (RFC 9113 section 7).
type Code uint32

// Error codes.
const (
	NoError Code = iota
	ProtocolError
	InternalError
	FlowControlError
	SettingsTimeout
	StreamClosed
	FrameSizeError
	RefusedStream
	Cancel
	CompressionError
	ConnectError
	EnhanceYourCalm
	InadequateSecurity
	HTTP11Required
)

var codeNames = [...]string{"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
	"FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY",
	"HTTP_1_1_REQUIRED"}

// String is the name of the code in RFC 9113.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "unknown error code"
}

// Settings (RFC 9113 section 6.5.2, RFC 8441 section 3).
const (
	settingTableSize  = 0x1
	settingPush       = 0x2
	settingMaxStreams = 0x3
	settingWindow     = 0x4
	settingFrameSize  = 0x5
	settingConnect    = 0x8
)

// header is the nine bytes in front of every frame.
type header struct {
	length int
	kind   frameType
	flags  uint8
	id     uint32
}

func (h header) has(flag uint8) bool { return h.flags&flag != 0 }

// parseHeader reads the header at the start of p, which holds it whole.
func parseHeader(p []byte) header {
	return header{length: int(p[0])<<16 | int(p[1])<<8 | int(p[2]), kind: frameType(p[3]), flags: p[4],
		id: be32(p[5:]) & maxWindow}
}

func be32(p []byte) uint32 {
	return uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
}

func appendHeader(dst []byte, length int, kind frameType, flags uint8, id uint32) []byte {
	return append(dst, byte(length>>16), byte(length>>8), byte(length), byte(kind), flags, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

func append32(dst []byte, v uint32) []byte {
	return append(dst, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func appendSetting(dst []byte, id uint16, v uint32) []byte {
	return append32(append(dst, byte(id>>8), byte(id)), v)
}

// unpad cuts the padding off a payload (RFC 9113 section 6.1).
func unpad(h header, p []byte) ([]byte, bool) {
	if !h.has(flagPadded) {
		return p, true
	}
	if len(p) == 0 || int(p[0]) >= len(p) {
		return nil, false
	}
	return p[1 : len(p)-int(p[0])], true
}

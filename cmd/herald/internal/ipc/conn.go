package ipc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of the transport. A packet stays below the default send buffer
// (net.core.wmem_default), and below SCM_MAX_FD descriptors (253).
const (
	chunkBytes = 48 << 10
	chunkFDs   = 128
	maxMessage = 64 << 20
	maxOutbox  = 4096        // messages that may wait
	maxLogs    = 1024        // of them log lines
	lastWords  = time.Second // for what waits when the connection is closed
)

// kind is what a message is about.
type kind string

const (
	kindListen    kind = "listen"
	kindScripts   kind = "scripts"
	kindRun       kind = "run"
	kindNotice    kind = "notice"
	kindFindings  kind = "findings"
	kindReady     kind = "ready"
	kindFailed    kind = "failed"
	kindHealth    kind = "health"
	kindHeld      kind = "held"
	kindBelongs   kind = "belongs"
	kindState     kind = "state"
	kindHanded    kind = "handed"
	kindInstances kind = "instances"
	kindLog       kind = "log"
	kindReply     kind = "reply"
	kindWatch     kind = "watch"
	kindCount     kind = "count"
	kindParts     kind = "parts" // both ways
	kindTally     kind = "tally" // both ways
	kindFollow    kind = "follow"
	kindOutward   kind = "outward"

	kindGo       kind = "go"
	kindFiles    kind = "files"
	kindCounts   kind = "counts"
	kindContents kind = "contents"
	kindDrain    kind = "drain"
	kindStop     kind = "stop"
	kindHandover kind = "handover"
	kindFact     kind = "fact"
	kindStatus   kind = "status"
	kindRest     kind = "rest"
)

// latest are the kinds of which only the newest matters, of each generation
// in the case of a tally: one that waits in an outbox is replaced.
var latest = map[kind]bool{kindHealth: true, kindHeld: true, kindBelongs: true, kindState: true, kindInstances: true, kindFact: true,
	kindParts: true, kindFiles: true, kindCounts: true, kindTally: true}

// message is one message; its descriptors travel beside it.
type message struct {
	Kind kind            `json:"kind"`
	Seq  uint64          `json:"seq,omitempty"` // of a request and its reply
	Body json.RawMessage `json:"body,omitempty"`
	// blob travels behind the rest as it is: the memory of a thousand servers
	// is a megabyte, and would be encoded and searched three times.
	blob []byte
	fds  []int
	// owned descriptors are closed once sent.
	owned bool
}

// conn is one end of the socket pair. Any goroutine may post; one receives.
type conn struct {
	sock    *net.UnixConn
	refuses bool // descriptors: roles lend none

	mu     sync.Mutex
	outbox []message
	logs   int // log lines in outbox
	ended  bool
	wake   chan struct{} // of capacity 1
	quit   chan struct{} // closed by close
	sent   chan struct{} // closed when the writer has ended
}

// newConn takes over fd, one end of a SOCK_SEQPACKET pair.
func newConn(fd int) (*conn, error) {
	f := os.NewFile(uintptr(fd), "role socket")
	if f == nil {
		return nil, fmt.Errorf("role socket: descriptor %d is not open", fd)
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("role socket: %w", err)
	}
	sock, ok := c.(*net.UnixConn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("role socket: descriptor %d is a %T", fd, c)
	}
	k := &conn{sock: sock, wake: make(chan struct{}, 1), quit: make(chan struct{}), sent: make(chan struct{})}
	go k.write()
	return k, nil
}

// post queues m; it never waits. A message of a latest kind replaces one that
// has not left yet. Log lines beyond maxLogs are dropped; any other overflow
// means that the peer is stuck, and ends the connection.
func (k *conn) post(m message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		m.release()
		return
	}
	if latest[m.Kind] {
		for i := range k.outbox {
			if k.outbox[i].Kind == m.Kind && k.outbox[i].Seq == m.Seq {
				k.outbox[i] = m
				return
			}
		}
	}
	if m.Kind == kindLog {
		if k.logs >= maxLogs {
			return
		}
		k.logs++
	}
	if len(k.outbox) >= maxOutbox {
		m.release()
		k.endLocked()
		return
	}
	k.outbox = append(k.outbox, m)
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// endLocked stops the writer after what waits; k.mu is held.
func (k *conn) endLocked() {
	if !k.ended {
		k.ended = true
		close(k.quit)
		k.sock.SetWriteDeadline(time.Now().Add(lastWords))
	}
}

// close sends what waits if the peer takes it within lastWords, and ends both
// directions.
func (k *conn) close() {
	k.mu.Lock()
	k.endLocked()
	k.mu.Unlock()
	<-k.sent
}

// write is the writer's goroutine; it ends after close or an error.
func (k *conn) write() {
	defer close(k.sent)
	defer k.sock.Close()
	for {
		k.mu.Lock()
		queue, ended := k.outbox, k.ended
		k.outbox, k.logs = nil, 0
		k.mu.Unlock()
		for i, m := range queue {
			if err := k.send(m); err != nil {
				for _, rest := range queue[i:] {
					rest.release()
				}
				k.mu.Lock()
				k.endLocked()
				k.mu.Unlock()
				return
			}
			if m.owned {
				m.release()
			}
		}
		if len(queue) > 0 {
			continue
		}
		if ended {
			return
		}
		select {
		case <-k.wake:
		case <-k.quit:
		}
	}
}

// send writes m as one or more packets: five bytes (1 for more to come, then
// the length of the whole), and a chunk.
func (k *conn) send(m message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode %s: %w", m.Kind, err)
	}
	if m.blob != nil { // JSON on one line has no end of a line in it
		body = append(append(body, '\n'), m.blob...)
	}
	if len(body) > maxMessage {
		return fmt.Errorf("send %s: %d bytes, at most %d", m.Kind, len(body), maxMessage)
	}
	total, fds := len(body), m.fds
	for first := true; first || len(body) > 0 || len(fds) > 0; first = false {
		chunk, some := body[:min(len(body), chunkBytes)], fds[:min(len(fds), chunkFDs)]
		body, fds = body[len(chunk):], fds[len(some):]
		packet := make([]byte, 5, 5+len(chunk))
		if len(body) > 0 || len(fds) > 0 {
			packet[0] = 1
		}
		binary.BigEndian.PutUint32(packet[1:], uint32(total))
		packet = append(packet, chunk...)
		var rights []byte
		if len(some) > 0 {
			rights = unix.UnixRights(some...)
		}
		if _, _, err := k.sock.WriteMsgUnix(packet, rights, nil); err != nil {
			return fmt.Errorf("send %s: %w", m.Kind, err)
		}
	}
	return nil
}

// receive reads the next message; the caller owns its descriptors. io.EOF
// means that the peer is gone.
func (k *conn) receive() (message, error) {
	var (
		body   []byte
		fds    []int
		packet = make([]byte, 5+chunkBytes)
		rights = make([]byte, unix.CmsgSpace(4*chunkFDs))
	)
	fail := func(err error) (message, error) {
		closeAll(fds)
		return message{}, err
	}
	for {
		n, on, flags, _, err := k.sock.ReadMsgUnix(packet, rights)
		some, rerr := parseRights(rights[:max(on, 0)])
		fds = append(fds, some...)
		switch {
		case errors.Is(err, unix.ECONNRESET):
			// The peer ended without reading all we sent. The kernel tells that
			// once and before what the peer sent last, which still waits.
			continue
		case n == 0 && err == nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return fail(io.EOF)
		case err != nil:
			return fail(fmt.Errorf("receive: %w", err))
		case rerr != nil:
			return fail(fmt.Errorf("receive descriptors: %w", rerr))
		case k.refuses && len(fds) > 0:
			return fail(errors.New("receive: descriptors, which nobody asked for"))
		case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 || n < 5:
			return fail(errors.New("receive: packet cut off"))
		}
		total := binary.BigEndian.Uint32(packet[1:5])
		body = append(body, packet[5:n]...)
		if total > maxMessage || uint64(len(body)) > uint64(total) {
			return fail(fmt.Errorf("receive: message of %d bytes, at most %d", total, maxMessage))
		}
		if packet[0] == 1 {
			continue
		}
		if len(body) != int(total) {
			return fail(fmt.Errorf("receive: %d bytes of a message of %d", len(body), total))
		}
		var m message
		text, blob, _ := bytes.Cut(body, []byte("\n"))
		if err := json.Unmarshal(text, &m); err != nil {
			return fail(fmt.Errorf("decode: %w", err))
		}
		m.blob, m.fds = blob, fds
		return m, nil
	}
}

func (m message) release() {
	if m.owned {
		closeAll(m.fds)
	}
}

func parseRights(b []byte) ([]int, error) {
	if len(b) == 0 {
		return nil, nil
	}
	controls, err := unix.ParseSocketControlMessage(b)
	if err != nil {
		return nil, err
	}
	var fds []int
	for _, c := range controls {
		some, err := unix.ParseUnixRights(&c)
		if err != nil {
			return fds, err
		}
		fds = append(fds, some...)
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// body encodes v; what this package sends always encodes.
func body(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("ipc: encode %T: %v", v, err))
	}
	return raw
}

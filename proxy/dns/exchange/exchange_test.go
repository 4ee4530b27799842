package exchange

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var question = []byte("question")

// right says that an answer begins with "right".
func right(raw []byte) bool { return bytes.HasPrefix(raw, []byte("right")) }

// packets answers each packet at a socket with these.
func packets(t *testing.T, network, addr string, answers ...string) string {
	t.Helper()
	pc, err := net.ListenPacket(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, maxMessage)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if !bytes.Equal(buf[:n], question) {
				t.Errorf("asked %q, want %q", buf[:n], question)
			}
			for _, a := range answers {
				if _, err := pc.WriteTo([]byte(a), from); err != nil {
					t.Errorf("answer %v: %v", from, err)
				}
			}
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
	return pc.LocalAddr().String()
}

// stream serves one connection.
func stream(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err == nil {
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func framed(text string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(text)))) + text
}

func TestTheFirstAnswerThatIsWantedCounts(t *testing.T) {
	asked := make(chan string, 1)
	saying := func(pieces ...string) func(net.Conn) {
		return func(c net.Conn) {
			b := make([]byte, 2+len(question))
			io.ReadFull(c, b)
			asked <- string(b)
			for _, p := range pieces {
				io.WriteString(c, p)
			}
			c.Read(b)
		}
	}
	long := "right" + strings.Repeat("x", maxMessage-5)
	for _, tt := range []struct{ name, network, addr, want string }{
		{"over UDP, behind others", "udp", packets(t, "udp", "127.0.0.1:0", "wrong", "", "right one", "right two"), "right one"},
		{"as long as UDP has room", "udp", packets(t, "udp", "127.0.0.1:0", long[:60000]), long[:60000]},
		{"over a unix socket", "unixgram", packets(t, "unixgram", filepath.Join(t.TempDir(), "s"), "wrong", "right"), "right"},
		{"over TCP, in pieces", "tcp", stream(t, saying(framed("wrong")+"\x00", "\x05ri", "ght")), "right"},
		{"as long as there are", "tcp", stream(t, saying(framed(""), framed(long))), long},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		got, err := Ask(ctx, tt.network, tt.addr, question, right)
		cancel()
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %.20q (%d bytes), %v, want %.20q (%d)", tt.name, got, len(got), err, tt.want, len(tt.want))
		}
		if tt.network == "tcp" {
			if got := <-asked; got != framed(string(question)) {
				t.Errorf("%s: asked %q, want %q", tt.name, got, framed(string(question)))
			}
		}
	}
}

func TestAnswersThatNeverCome(t *testing.T) {
	quiet := func(c net.Conn) { io.Copy(io.Discard, c) }
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, tt := range []struct {
		name, network, addr string
		want                error
	}{
		{"silence", "udp", packets(t, "udp", "127.0.0.1:0"), os.ErrDeadlineExceeded},
		{"the wrong ones alone", "udp", packets(t, "udp", "127.0.0.1:0", "wrong", "wrong"), os.ErrDeadlineExceeded},
		{"silence over TCP", "tcp", stream(t, quiet), os.ErrDeadlineExceeded},
		{"half a length", "tcp", stream(t, func(c net.Conn) { io.CopyN(io.Discard, c, 10); io.WriteString(c, "\x00") }), io.ErrUnexpectedEOF},
		{"half an answer", "tcp", stream(t, func(c net.Conn) { io.CopyN(io.Discard, c, 10); io.WriteString(c, "\x00\x05ri") }), io.ErrUnexpectedEOF},
		{"the wrong one, and the end", "tcp", stream(t, func(c net.Conn) { io.CopyN(io.Discard, c, 10); io.WriteString(c, framed("wrong")) }), io.EOF},
		{"nobody there", "udp", closed.LocalAddr().String(), syscall.ECONNREFUSED},
		{"nobody there, over TCP", "tcp", closed.LocalAddr().String(), syscall.ECONNREFUSED},
		{"no such path", "unixgram", filepath.Join(t.TempDir(), "none"), syscall.ENOENT},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		got, err := Ask(ctx, tt.network, tt.addr, question, right)
		cancel()
		if !errors.Is(err, tt.want) || got != nil {
			t.Errorf("%s: got %q, %v, want %v", tt.name, got, err, tt.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ask(ctx, "udp", "127.0.0.1:9", question, right); err == nil {
		t.Error("asked although the context has ended")
	}
	if _, err := Ask(t.Context(), "udp", "127.0.0.1:9", make([]byte, 1<<17), right); !errors.Is(err, syscall.EMSGSIZE) {
		t.Errorf("more than a packet holds: got %v, want %v", err, syscall.EMSGSIZE)
	}
}

// The kernel lets nobody but the nameserver asked answer (RFC 5452 section 9).
func TestAnswersOfOthersDoNotArrive(t *testing.T) {
	stranger, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 100)
		if _, from, err := pc.ReadFrom(buf); err == nil {
			stranger.WriteTo([]byte("right, said a stranger"), from)
			pc.WriteTo([]byte("right, said who was asked"), from)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	got, err := Ask(ctx, "udp", pc.LocalAddr().String(), question, right)
	if err != nil || string(got) != "right, said who was asked" {
		t.Errorf("got %q, %v", got, err)
	}
	<-done
}

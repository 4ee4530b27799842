// Package mail sends short messages through one SMTP server, one after the
// other, from a goroutine of its own: who has something to say never waits.
//
// It speaks plain SMTP, as keepalived does, and does not try again: a message
// about a state is old when the server is back.
//
//	m := mail.Start(mail.Options{Server: "127.0.0.1:25", To: []string{"admin@example.com"}})
//	m.Send("[node1] VRRP Instance VI_1 - Entering MASTER state", "=> ... <=")
//	left := m.Finish(ctx) // or m.Take(), for a successor to go on with
package mail

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"strings"
	"time"
)

// maxWaiting bounds the messages that wait; a newer one is dropped.
const maxWaiting = 64

// talk bounds a conversation after the connection is made.
const talk = 30 * time.Second

// Options say how to send.
type Options struct {
	Server  string // host:port
	Helo    string
	From    string
	To      []string
	Connect time.Duration // bounds connecting
	// First are messages a predecessor did not come to send.
	First []Message
	// Failed takes what went wrong; it must not wait.
	Failed func(error)
	// Dial is net.Dialer's when nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Mailer sends in the background.
type Mailer struct {
	opt     Options
	queue   chan Message
	live    context.Context
	quit    context.CancelFunc
	last    chan struct{} // closed when nothing more is queued
	stopped chan struct{}
	broken  []Message // the one that was under way at the end; read after stopped
}

// Message is one that waits.
type Message struct {
	At      time.Time `json:"at"` // when there was something to say
	Subject string    `json:"subject"`
	Body    string    `json:"body"`
}

// Start starts the sender.
func Start(o Options) *Mailer {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	m := &Mailer{opt: o, queue: make(chan Message, maxWaiting), last: make(chan struct{}), stopped: make(chan struct{})}
	for _, msg := range o.First {
		m.put(msg)
	}
	m.live, m.quit = context.WithCancel(context.Background())
	go m.run()
	return m
}

// Send queues a message.
func (m *Mailer) Send(subject, body string) {
	m.put(Message{time.Now(), oneLine(subject), body})
}

func (m *Mailer) put(msg Message) {
	select {
	case m.queue <- msg:
	default:
		m.opt.Failed(fmt.Errorf("mail %q is dropped: %d wait already", msg.Subject, maxWaiting))
	}
}

// Take ends the sender at once and returns what it did not send, the oldest
// first. The message it was at is among them unless the server had it whole:
// none is sent twice.
func (m *Mailer) Take() []Message {
	m.quit()
	<-m.stopped
	left := m.broken
	m.broken = nil
	for {
		select {
		case msg := <-m.queue:
			left = append(left, msg)
		default:
			return left
		}
	}
}

// Finish sends what waits until ctx ends and returns what it did not send.
// Nothing may be queued any more; it is called once.
func (m *Mailer) Finish(ctx context.Context) []Message {
	close(m.last)
	select {
	case <-m.stopped:
	case <-ctx.Done():
	}
	return m.Take()
}

func (m *Mailer) run() {
	defer close(m.stopped)
	for {
		select {
		case <-m.live.Done():
			return
		default: // before what waits
		}
		select {
		case <-m.live.Done():
			return
		case msg := <-m.queue:
			m.attempt(msg)
			continue
		default: // before the end
		}
		select {
		case <-m.live.Done():
			return
		case <-m.last:
			return
		case msg := <-m.queue:
			m.attempt(msg)
		}
	}
}

// attempt sends a message, once.
func (m *Mailer) attempt(msg Message) {
	given, err := m.deliver(msg)
	switch {
	case err == nil:
	case m.live.Err() == nil:
		m.opt.Failed(fmt.Errorf("mail %q to %s: %w", msg.Subject, m.opt.Server, err))
	case !given:
		m.broken = []Message{msg}
	}
}

// deliver sends one message over a connection of its own. given reports
// whether the server may have it.
func (m *Mailer) deliver(msg Message) (given bool, err error) {
	ctx, cancel := context.WithTimeout(m.live, m.opt.Connect)
	conn, err := m.opt.Dial(ctx, "tcp", m.opt.Server)
	cancel()
	if err != nil {
		return false, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(talk))
	defer context.AfterFunc(m.live, func() { conn.Close() })()
	host, _, _ := net.SplitHostPort(m.opt.Server)
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return false, err
	}
	if err := c.Hello(oneLine(m.opt.Helo)); err != nil {
		return false, err
	}
	if err := c.Mail(m.opt.From); err != nil {
		return false, err
	}
	for _, to := range m.opt.To {
		if err := c.Rcpt(to); err != nil {
			return false, fmt.Errorf("to %s: %w", to, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return false, err
	}
	if _, err := io.WriteString(w, m.text(msg)); err != nil {
		return false, err
	}
	if err := w.Close(); err != nil {
		return true, err
	}
	c.Quit() // it has the message, whatever it says now
	return true, nil
}

// text is the message with its headers (RFC 5322), in keepalived's order.
func (m *Mailer) text(msg Message) string {
	return "Date: " + msg.At.Format(time.RFC1123Z) + "\r\n" +
		"From: " + oneLine(m.opt.From) + "\r\n" +
		"Subject: " + msg.Subject + "\r\n" +
		"X-Mailer: herald\r\n" +
		"To: " + oneLine(strings.Join(m.opt.To, ", ")) + "\r\n" +
		"\r\n" + msg.Body + "\r\n\r\n"
}

// oneLine keeps a name from a configuration from adding headers.
func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

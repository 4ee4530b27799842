package mail

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// server answers one conversation as a mail server does and returns what it
// was told.
func server(c net.Conn) string {
	defer c.Close()
	var told strings.Builder
	say := func(s string) { c.Write([]byte(s + "\r\n")) }
	say("220 fake")
	lines := bufio.NewReader(c)
	data := false
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return told.String()
		}
		told.WriteString(line)
		switch {
		case data && line == ".\r\n":
			data = false
			say("250 queued")
		case data:
		case strings.HasPrefix(line, "EHLO"):
			say("500 not here") // keepalived's servers may be as old
		case strings.HasPrefix(line, "DATA"):
			data = true
			say("354 go on")
		case strings.HasPrefix(line, "QUIT"):
			say("221 bye")
			return told.String()
		default:
			say("250 ok")
		}
	}
}

func TestAMailIsToldAsKeepalivedTellsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 1)
		m := Start(Options{Server: "mail:25", Helo: "node1", From: "k@x.org", To: []string{"a@x.org", "b@x.org"}, Connect: time.Second,
			Failed: func(err error) { t.Error(err) },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() { told <- server(theirs) }()
				return ours, nil
			}})
		m.Send("[R1] VRRP Instance VI_1\nBcc: c@x.org", "=> VRRP Instance is now owning VRRP VIPs <=")
		got := <-told
		want := "EHLO node1\r\nHELO node1\r\nMAIL FROM:<k@x.org>\r\nRCPT TO:<a@x.org>\r\nRCPT TO:<b@x.org>\r\nDATA\r\n" +
			"Date: Sat, 01 Jan 2000 00:00:00 +0000\r\nFrom: k@x.org\r\nSubject: [R1] VRRP Instance VI_1 Bcc: c@x.org\r\nX-Mailer: herald\r\nTo: a@x.org, b@x.org\r\n\r\n" +
			"=> VRRP Instance is now owning VRRP VIPs <=\r\n\r\n.\r\nQUIT\r\n"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		synctest.Wait()
		m.Take()
	})
}

func TestAServerThatDoesNotAnswerHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []string
		m := Start(Options{Server: "mail:25", Connect: 5 * time.Second, Failed: func(err error) { failures = append(failures, err.Error()) },
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}})
		began := time.Now()
		m.Send("first", "")
		synctest.Wait() // taken out of the queue
		for range maxWaiting + 1 {
			m.Send("more", "")
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v", took)
		}
		if len(failures) != 1 || !strings.Contains(failures[0], "dropped") {
			t.Errorf("got %v", failures)
		}
		m.Take()
		if took := time.Since(began); took != 0 {
			t.Errorf("the end waited %v", took)
		}
	})
}

func TestAFailureIsToldAndTheNextIsTried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failures []string
		m := Start(Options{Server: "mail:25", Connect: time.Second, Failed: func(err error) { failures = append(failures, err.Error()) },
			Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }})
		m.Send("one", "")
		m.Send("two", "")
		synctest.Wait()
		m.Take()
		if want := `mail "one" to mail:25: refused|mail "two" to mail:25: refused`; strings.Join(failures, "|") != want {
			t.Errorf("got %v, want %s", failures, want)
		}
	})
}

// subjects of messages.
func subjects(list []Message) string {
	var all []string
	for _, msg := range list {
		all = append(all, msg.Subject)
	}
	return strings.Join(all, " ")
}

// deaf is a server that takes a connection and says nothing.
func deaf(context.Context, string, string) (net.Conn, error) {
	ours, _ := net.Pipe()
	return ours, nil
}

func TestWhatWasNotSentIsHandedOverInOrderAndSentByTheSuccessor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := func(err error) { t.Error(err) }
		m := Start(Options{Server: "mail:25", Connect: time.Second, Failed: failed, Dial: deaf})
		for _, s := range []string{"one", "two", "three"} {
			m.Send(s, "")
		}
		synctest.Wait() // the first is under way
		left := m.Take()
		if got := subjects(left); got != "one two three" {
			t.Errorf("handed over %q", got)
		}
		told := make(chan chan string, 4) // in the order of the connections
		next := Start(Options{Server: "mail:25", Connect: time.Second, Failed: failed, First: left,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				all := make(chan string, 1)
				told <- all
				go func() { all <- server(theirs) }()
				return ours, nil
			}})
		next.Send("four", "")
		if left := next.Finish(t.Context()); len(left) != 0 {
			t.Errorf("left %q", subjects(left))
		}
		for _, want := range []string{"one", "two", "three", "four"} {
			if got := <-<-told; !strings.Contains(got, "Subject: "+want+"\r\n") || !strings.Contains(got, "Date: Sat, 01 Jan 2000 00:00:00") {
				t.Errorf("want %s, sent %s", want, got)
			}
		}
	})
}

func TestTheEndWaitsNoLongerThanItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Start(Options{Server: "mail:25", Connect: time.Second, Failed: func(err error) { t.Error(err) }, Dial: deaf})
		m.Send("one", "")
		m.Send("two", "")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		if got := subjects(m.Finish(ctx)); got != "one two" {
			t.Errorf("left %q", got)
		}
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("waited %v", took)
		}
	})
}

func TestAMessageTheServerHasIsNotHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Start(Options{Server: "mail:25", Connect: time.Second, Failed: func(err error) { t.Error(err) },
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go swallow(theirs)
				return ours, nil
			}})
		m.Send("one", "")
		m.Send("two", "")
		synctest.Wait()
		if got := subjects(m.Take()); got != "two" {
			t.Errorf("handed over %q", got)
		}
	})
}

// swallow takes a whole message and never says that it did.
func swallow(c net.Conn) {
	c.Write([]byte("220 fake\r\n"))
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		switch {
		case err != nil:
			return
		case strings.HasPrefix(line, "DATA"):
			c.Write([]byte("354 go on\r\n"))
		case line == ".\r\n", strings.HasPrefix(line, "Date"), !strings.Contains(line, "<") && !strings.HasPrefix(line, "EHLO"):
		default:
			c.Write([]byte("250 ok\r\n"))
		}
	}
}

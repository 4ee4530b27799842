package vrrp

import (
	"sync"
	"time"
)

// bell is the Alarm of a Server that was given none.
type bell struct {
	wake  chan struct{}
	timer *time.Timer
}

func newBell() *bell {
	b := &bell{wake: make(chan struct{}, 1), timer: time.NewTimer(0)}
	b.timer.Stop()
	return b
}

func (b *bell) Ring() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *bell) Wait(until time.Time) {
	if !until.IsZero() {
		b.timer.Reset(time.Until(until))
	}
	select {
	case <-b.timer.C:
	case <-b.wake:
	}
	b.timer.Stop()
}

func (b *bell) Rest(d time.Duration) { time.Sleep(d) }

// mailbox carries calls of other goroutines to the loop.
type mailbox struct {
	alarm Alarm
	mu    sync.Mutex
	calls []func()
}

// post has the loop call a function soon; it never blocks.
func (b *mailbox) post(call func()) {
	b.mu.Lock()
	b.calls = append(b.calls, call)
	b.mu.Unlock()
	b.alarm.Ring()
}

func (b *mailbox) take() []func() {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := b.calls
	b.calls = nil
	return calls
}

package vrrp

import "sync"

// hands does what may block in the kernel (rtnetlink waits for a lock that
// others hold), one job after the other, so that the loop never waits for it.
// A job returns what the loop shall do next.
type hands struct {
	kernel Kernel
	post   func(func()) // to the loop

	mu   sync.Mutex
	jobs []job
	busy int // jobs queued, under way or not yet received
	wake chan struct{}
	quit chan struct{}
	over sync.WaitGroup
	seq  uint64 // of the last job; belongs to the loop
}

type job func(Kernel) (then func())

func startHands(k Kernel, post func(func())) *hands {
	h := &hands{kernel: k, post: post, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	h.over.Add(1)
	go h.work()
	return h
}

// do queues a job and returns its number; jobs run in the order of their
// numbers.
func (h *hands) do(j job) uint64 {
	h.mu.Lock()
	h.jobs = append(h.jobs, j)
	h.busy++
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
	h.seq++
	return h.seq
}

// idle reports whether the loop has got every job's result.
func (h *hands) idle() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.busy == 0
}

func (h *hands) work() {
	defer h.over.Done()
	for {
		j := h.take()
		if j == nil {
			select {
			case <-h.wake:
				continue
			case <-h.quit:
				return
			}
		}
		then := j(h.kernel)
		h.post(func() {
			h.mu.Lock()
			h.busy--
			h.mu.Unlock()
			then()
		})
	}
}

func (h *hands) take() job {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.jobs) == 0 {
		return nil
	}
	j := h.jobs[0]
	h.jobs = h.jobs[1:]
	return j
}

// stop ends the goroutine after the job under way; jobs behind it are dropped.
func (h *hands) stop() {
	close(h.quit)
	h.over.Wait()
}

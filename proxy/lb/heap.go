package lb

// heap holds servers in an order of the owner's, the first on top. A server's
// place in it is known, so that one whose rank changed is moved in O(log n).
type heap struct {
	list   []int32
	at     []int32 // place of server i, -1 when it is not in
	before func(i, j int) bool
}

func newHeap(n int, before func(i, j int) bool) heap {
	h := heap{list: make([]int32, 0, n), at: make([]int32, n), before: before}
	for i := range h.at {
		h.at[i] = -1
	}
	return h
}

func (h *heap) len() int { return len(h.list) }

func (h *heap) has(i int) bool { return h.at[i] >= 0 }

// top answers the first server, None when there is none.
func (h *heap) top() int {
	if len(h.list) == 0 {
		return None
	}
	return int(h.list[0])
}

func (h *heap) add(i int) {
	h.at[i] = int32(len(h.list))
	h.list = append(h.list, int32(i))
	h.up(len(h.list) - 1)
}

// remove takes server i out, if it is in.
func (h *heap) remove(i int) {
	p, last := int(h.at[i]), len(h.list)-1
	if p < 0 {
		return
	}
	h.swap(p, last)
	h.list = h.list[:last]
	h.at[i] = -1
	if p < last {
		h.down(p)
		h.up(p)
	}
}

// fix moves server i to its place after its rank has changed.
func (h *heap) fix(i int) {
	if p := int(h.at[i]); p >= 0 {
		h.down(p)
		h.up(int(h.at[i]))
	}
}

func (h *heap) swap(p, q int) {
	h.list[p], h.list[q] = h.list[q], h.list[p]
	h.at[h.list[p]], h.at[h.list[q]] = int32(p), int32(q)
}

func (h *heap) up(p int) {
	for p > 0 {
		parent := (p - 1) / 2
		if !h.before(int(h.list[p]), int(h.list[parent])) {
			return
		}
		h.swap(p, parent)
		p = parent
	}
}

func (h *heap) down(p int) {
	for {
		child := 2*p + 1
		if child >= len(h.list) {
			return
		}
		if r := child + 1; r < len(h.list) && h.before(int(h.list[r]), int(h.list[child])) {
			child = r
		}
		if !h.before(int(h.list[child]), int(h.list[p])) {
			return
		}
		h.swap(p, child)
		p = child
	}
}

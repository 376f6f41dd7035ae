package sim

import (
	"container/heap"
	"time"
)

// clock is virtual time: the next event is always now.
type clock struct {
	now   time.Duration
	seq   int
	queue moments
}

// moment is something that happens at a time; of several at the same time, what was asked for first.
type moment struct {
	at  time.Duration
	seq int
	do  func()
}

// at lets something happen at t, or now if t has passed.
func (c *clock) at(t time.Duration, do func()) {
	c.seq++
	heap.Push(&c.queue, moment{max(t, c.now), c.seq, do})
}

// step goes to the next event and lets it happen. false: there is none.
func (c *clock) step() bool {
	if len(c.queue) == 0 {
		return false
	}
	m := heap.Pop(&c.queue).(moment)
	c.now = m.at
	m.do()
	return true
}

// more reports whether something else happens at this very time.
func (c *clock) more() bool { return len(c.queue) > 0 && c.queue[0].at == c.now }

type moments []moment

func (m moments) Len() int { return len(m) }
func (m moments) Less(i, j int) bool {
	return m[i].at < m[j].at || m[i].at == m[j].at && m[i].seq < m[j].seq
}
func (m moments) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)   { *m = append(*m, x.(moment)) }
func (m *moments) Pop() any {
	last := (*m)[len(*m)-1]
	(*m)[len(*m)-1] = moment{}
	*m = (*m)[:len(*m)-1]
	return last
}

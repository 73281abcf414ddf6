package agent

import (
	"sync"
	"sync/atomic"

	"mintage"
)

// maxMemo bounds how many pairs of headers are remembered; their lengths are bounded
// too. All browsers of a day send a few thousand, and a few dozen make up most requests.
const maxMemo = 1 << 12

// memo remembers the classes of pairs of headers, since reading one costs as much as
// all else that is done for a scan. It is emptied when it is full.
type memo struct {
	classes sync.Map // mintage.AgentClass by pair
	kept    atomic.Int64
}

type pair struct{ userAgent, accept string }

var classes memo

func (m *memo) class(userAgent, accept string) mintage.AgentClass {
	if len(userAgent) > maxUserAgent || len(accept) > maxUserAgent {
		return class(userAgent, accept)
	}
	key := pair{userAgent, accept}
	if found, ok := m.classes.Load(key); ok {
		c, _ := found.(mintage.AgentClass)
		return c
	}
	c := class(userAgent, accept)
	if m.kept.Add(1) > maxMemo {
		m.classes.Clear()
		m.kept.Store(1)
	}
	m.classes.Store(key, c)
	return c
}

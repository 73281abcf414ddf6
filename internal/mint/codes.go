package mint

import (
	"mintage"
	"mintage/internal/serial"
)

// codeMaker makes the codes of slices, one ahead: while the database writes a
// slice, the next one's codes are made. It serves one engine, one call at a time.
type codeMaker struct {
	current, next *madeCodes
}

// madeCodes are the codes of a slice, valid once ready is closed.
type madeCodes struct {
	product string // product code, which is unique over all brands
	first   int64
	buffer  [mintage.MaxCycle]serial.Code
	count   int
	ready   chan struct{}
}

func newCodeMaker() *codeMaker {
	return &codeMaker{current: &madeCodes{}, next: &madeCodes{}}
}

// make returns the codes of count ordinals of a product from first on. They are
// valid until the next call.
func (m *codeMaker) make(c *serial.Cipher, product string, first, count int64) []serial.Code {
	switch {
	case m.current.holds(product, first, count): // the transaction is run again
	case m.next.holds(product, first, count):
		m.current, m.next = m.next, m.current
	default:
		m.current.start(c, product, first, count)
	}
	<-m.current.ready
	return m.current.buffer[:count]
}

// prepare begins to make the codes that the next call will ask for.
func (m *codeMaker) prepare(c *serial.Cipher, product string, first, count int64) {
	if count > 0 && !m.next.holds(product, first, count) {
		m.next.start(c, product, first, count)
	}
}

func (m *madeCodes) holds(product string, first, count int64) bool {
	return m.ready != nil && m.product == product && m.first == first && int64(m.count) >= count
}

func (m *madeCodes) start(c *serial.Cipher, product string, first, count int64) {
	if m.ready != nil {
		<-m.ready // the buffer may still be in the making
	}
	m.product, m.first, m.count, m.ready = product, first, int(count), make(chan struct{})
	go func(ready chan<- struct{}) {
		c.Fill(m.buffer[:count], uint64(first))
		close(ready)
	}(m.ready)
}

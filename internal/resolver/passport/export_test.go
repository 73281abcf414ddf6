package passport

// MaxRemembered is the bound of Remembered, in bytes.
const MaxRemembered = maxSubjectBytes

// Remembered is about how many bytes the renderer remembers of products.
func (r *Renderer) Remembered() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := 0
	for _, s := range r.subjects {
		n += s.bytes()
	}
	return n
}

package scans

// Bounds, for the tests.
const (
	MaxBatch = maxBatch
	Room     = room
)

package bench

import (
	"crypto/rand"

	"github.com/google/uuid"
)

// naiveRow is a unit as most would store it.
type naiveRow struct {
	id          uuid.UUID
	serial, url string
}

// newNaiveRow draws a row: a key and a serial (12 characters of base32) that
// nothing but chance and the unique indexes keep apart.
func newNaiveRow() naiveRow {
	serial := rand.Text()[:12]
	return naiveRow{id: uuid.New(), serial: serial, url: naiveURL + serial}
}

const (
	naiveURL    = "https://id.bench.example/01/09506000134352/21/"
	naiveStatus = "minted"
)

package serial

import (
	"crypto/aes"
	"testing"
	"time"
)

// sliceSize is the most units of one cycle of the worker.
const sliceSize = 20_000

func BenchmarkEncrypt(b *testing.B) {
	c := testCipher(b)
	b.ReportAllocs()
	ordinal := uint64(0)
	for b.Loop() {
		c.Encrypt(ordinal)
		ordinal++
	}
}

func BenchmarkDecrypt(b *testing.B) {
	c := testCipher(b)
	b.ReportAllocs()
	code := Code(0)
	for b.Loop() {
		c.Decrypt(code)
		code++
	}
}

func BenchmarkFill(b *testing.B) {
	c := testCipher(b)
	codes := make([]Code, sliceSize)
	b.ReportAllocs()
	first := uint64(0)
	for b.Loop() {
		c.Fill(codes, first)
		first += sliceSize
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/sliceSize, "ns/code")
}

func BenchmarkCodeAppendTo(b *testing.B) {
	buffer := make([]byte, 0, Length)
	code := Code(0)
	for b.Loop() {
		code.AppendTo(buffer)
		code++
	}
}

// BenchmarkAgainstAES compares with the ten AES blocks that a code cannot do
// without, in one run, so that a busy machine slows both: chained, as the rounds
// of one code are, and eight chains side by side, as in Fill.
func BenchmarkAgainstAES(b *testing.B) {
	c := testCipher(b)
	block, err := aes.NewCipher(testKey)
	if err != nil {
		b.Fatal(err)
	}
	codes := make([]Code, sliceSize)
	var blocks [width][aes.BlockSize]byte
	var chained, parallel, single, fill time.Duration
	for b.Loop() {
		start := time.Now()
		for range sliceSize * rounds {
			block.Encrypt(blocks[0][:], blocks[0][:])
		}
		chained += time.Since(start)

		start = time.Now()
		for range sliceSize * rounds / width {
			for j := range blocks {
				block.Encrypt(blocks[j][:], blocks[j][:])
			}
		}
		parallel += time.Since(start)

		start = time.Now()
		for i := range codes {
			codes[i] = c.Encrypt(uint64(i))
		}
		single += time.Since(start)

		start = time.Now()
		c.Fill(codes, 0)
		fill += time.Since(start)
	}
	perCode := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(b.N) / sliceSize }
	b.ReportMetric(perCode(chained), "ns/10-chained-blocks")
	b.ReportMetric(perCode(parallel), "ns/10-parallel-blocks")
	b.ReportMetric(float64(single)/float64(chained), "Encrypt/chained")
	b.ReportMetric(float64(fill)/float64(chained), "Fill/chained")
	b.ReportMetric(float64(fill)/float64(parallel), "Fill/parallel")
}

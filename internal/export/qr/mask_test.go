package qr

import (
	"math/rand/v2"
	"testing"
)

// The penalty is counted 64 modules at a time; here, module by module.
func TestPenalty(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for size := 21; size <= 177; size += 4 {
		for _, chance := range []float64{0.1, 0.5, 0.9, 1} {
			l := &layout{size: size, words: (size+2*QuietZone)/64 + 1}
			rows := make([]line, size)
			grid := make([][]bool, size)
			for y := range grid {
				grid[y] = make([]bool, size)
				for x := range grid[y] {
					if grid[y][x] = random.Float64() < chance; grid[y][x] {
						rows[y].set(x)
					}
				}
			}
			if got, want := l.penalty(rows, transpose(rows)), slowPenalty(grid); got != want {
				t.Errorf("%d modules, %v dark: %d instead of %d", size, chance, got, want)
			}
		}
	}
}

func slowPenalty(grid [][]bool) (points int) {
	n := len(grid)
	at := func(x, y int) bool { return x >= 0 && y >= 0 && x < n && y < n && grid[y][x] }
	dark := 0
	for a := range n {
		for _, module := range []func(int) bool{func(b int) bool { return at(b, a) }, func(b int) bool { return at(a, b) }} {
			run := 0
			for b := range n {
				if b > 0 && module(b) == module(b-1) {
					run++
				} else {
					run = 1
				}
				if run == 5 {
					points += 3
				} else if run > 5 {
					points++
				}
			}
			for _, pattern := range []string{"10111010000", "00001011101"} {
				for b := -QuietZone; b+len(pattern) <= n+QuietZone; b++ {
					same := true
					for i, c := range pattern {
						same = same && module(b+i) == (c == '1')
					}
					if same {
						points += 40
					}
				}
			}
		}
		for b := range n {
			if at(a, b) {
				dark++
			}
			if a > 0 && b > 0 && at(a, b) == at(a-1, b) && at(a, b) == at(a, b-1) && at(a, b) == at(a-1, b-1) {
				points += 3
			}
		}
	}
	away := 100*float64(dark)/float64(n*n) - 50
	return points + 10*int(max(away, -away)/5)
}

// The mask that was chosen is the one that the finished symbol names, and none of
// the others would have been better.
func TestBestMask(t *testing.T) {
	used := map[int]bool{}
	random := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		text := make([]byte, 20+random.IntN(60))
		for i := range text {
			text[i] = "abcdefABCDEF0123/:"[random.IntN(18)]
		}
		c, err := Encode(string(text), M)
		if err != nil {
			t.Fatal(err)
		}
		// The three bits after the level, as they stand beside the upper left finder.
		mask := 0
		for i, flip := range []int{1, 0, 1} {
			bit := 0
			if c.Dark(2+i, 8) {
				bit = 1
			}
			mask = mask<<1 | bit ^ flip
		}
		used[mask] = true
		chosen := layoutOfSize(t, c.size)
		least := chosen.penalty(c.lines, transpose(c.lines))
		for m := range masks {
			other := xor(xor(c.lines, chosen.rows[mask]), chosen.rows[m])
			if p := chosen.penalty(other, transpose(other)); p < least {
				t.Errorf("mask %d has %d points, the chosen one, %d, has %d", m, p, mask, least)
			}
		}
	}
	if len(used) != masks {
		t.Errorf("only the masks %v were used", used)
	}
}

func layoutOfSize(t *testing.T, size int) *layout {
	t.Helper()
	for v := range layouts {
		if l := layouts[v][M].made; l != nil && l.size == size {
			return l
		}
	}
	t.Fatalf("no layout has %d modules", size)
	return nil
}

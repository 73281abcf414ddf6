package qr_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/export/qr"
)

const exampleURL = "https://id.acme.example/01/09520123456788/10/PB-7731/21/K7QWX2M4T9DB"

// Codes of all forms of resolver URLs, all levels, and many sizes are drawn as SVG and
// read back by a program that we have no part in.
func TestReadBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	digits := func(n int) string { return pick(random, "0123456789", n) }
	code := func() string { return pick(random, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 12) }
	var texts []string
	for range 100 {
		texts = append(texts,
			"https://id.acme.example/01/"+digits(14)+"/21/"+code(),
			"https://id.acme.example/01/"+digits(14)+"/10/PB-"+digits(4)+"/21/"+code(),
			"https://www.brand-with-a-long-name.example/passport/01/"+digits(14)+"/10/lot%2F"+digits(3)+"?u="+code(),
			"https://x.example/u/"+code()[:8]+"/"+code(),
		)
	}
	for n := 1; n <= 400; n += 3 {
		texts = append(texts, pick(random, "abcdefghijklmnopqrstuvwxyz/:.?=&%-_~", n), pick(random, "ABCDEF $%*+-./:", n)+"x", "A"+digits(n))
	}
	for n := 400; n <= 2300; n += 30 {
		texts = append(texts, pick(random, "abcXYZ0123/:.", n))
	}
	folder := t.TempDir()
	versions := map[int]bool{}
	var want []string
	for i, text := range texts {
		level := []qr.Level{qr.M, qr.M, qr.L, qr.Q, qr.H}[i%5]
		if len(text) > 1200 { // more than H has room for
			level = qr.M
		}
		c, err := qr.Encode(text, level)
		if err != nil {
			t.Fatal(err)
		}
		versions[(c.Size()-17)/4] = true
		file := filepath.Join(folder, fmt.Sprintf("%05d.png", i))
		paint(t, c, file)
		want = append(want, text)
	}
	if len(versions) < 36 {
		t.Errorf("only %d versions were tried", len(versions))
	}
	got := read(t, folder)
	for i, text := range want {
		if got[fmt.Sprintf("%05d.png", i)] != text {
			t.Errorf("%q is read as %q", text, got[fmt.Sprintf("%05d.png", i)])
		}
	}
}

func pick(random *rand.Rand, from string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[random.IntN(len(from))]
	}
	return string(b)
}

// read returns what zbarimg reads in each file of a folder.
func read(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "zbarimg", append([]string{"--quiet", "--xml", "-Sdisable", "-Sqrcode.enable"}, files...)...).Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Errorf("zbarimg: %v: %s", failed, failed.Stderr) // what it read tells the rest
	} else if err != nil {
		t.Fatalf("zbarimg, of the package zbar-tools, is needed (make setup-tests): %v", err)
	}
	var document struct {
		Source []struct {
			Href string `xml:"href,attr"`
			Data string `xml:"index>symbol>data"`
		} `xml:"source"`
	}
	if err := xml.Unmarshal(out, &document); err != nil {
		t.Fatal(err)
	}
	read := map[string]string{}
	for _, s := range document.Source {
		read[filepath.Base(s.Href)] = s.Data
	}
	return read
}

// paint draws the code's SVG, four pixels a module.
func paint(t *testing.T, c *qr.Code, file string) {
	t.Helper()
	const scale = 4
	modules := drawn(t, c)
	side := len(modules) * scale
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !modules[y/scale][x/scale] {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, picture); err != nil {
		t.Fatal(err)
	}
}

// drawn reads an SVG: true is black. It fails where there is more in it than a white
// ground and one black path of rectangles within it.
func drawn(t *testing.T, c *qr.Code) [][]bool {
	t.Helper()
	side := c.Size() + 2*qr.QuietZone
	var svg struct {
		XMLName xml.Name `xml:"http://www.w3.org/2000/svg svg"`
		ViewBox string   `xml:"viewBox,attr"`
		Style   string   `xml:"style,attr"`
		Ground  []struct {
			Width  string `xml:"width,attr"`
			Height string `xml:"height,attr"`
			Fill   string `xml:"fill,attr"`
		} `xml:"rect"`
		Path []struct {
			D    string `xml:"d,attr"`
			Fill string `xml:"fill,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(c.SVG(), &svg); err != nil {
		t.Fatal(err)
	}
	if svg.ViewBox != fmt.Sprintf("0 0 %d %d", side, side) || svg.Style != "" || len(svg.Ground) != 1 || len(svg.Path) != 1 ||
		svg.Ground[0].Fill != "#fff" || svg.Ground[0].Width != "100%" || svg.Ground[0].Height != "100%" || svg.Path[0].Fill != "#000" {
		t.Fatalf("the drawing is %s", c.SVG())
	}
	modules := make([][]bool, side)
	for y := range modules {
		modules[y] = make([]bool, side)
	}
	for rectangle := range strings.SplitSeq(strings.TrimSuffix(svg.Path[0].D, "z"), "z") {
		var x, y, wide, back int
		if n, err := fmt.Sscanf(rectangle, "M%d %dh%dv1h-%d", &x, &y, &wide, &back); n != 4 || err != nil || wide != back || wide < 1 {
			t.Fatalf("there is %q in the path", rectangle)
		}
		for i := range wide {
			modules[y][x+i] = true
		}
	}
	for y := range modules {
		for x := range modules[y] {
			inside := min(x, y) >= qr.QuietZone && max(x, y) < side-qr.QuietZone
			if want := inside && c.Dark(x-qr.QuietZone, y-qr.QuietZone); modules[y][x] != want {
				t.Fatalf("the module %d, %d is drawn wrongly", x, y)
			}
		}
	}
	return modules
}

func TestSmallestVersion(t *testing.T) {
	for text, want := range map[string]int{
		exampleURL: 33, "HELLO": 21, strings.Repeat("1", 34): 21, strings.Repeat("1", 35): 25,
		// 14 bytes at most are in version 1, level M.
		"https://a.exam": 21, "https://a.examp": 25,
		// The capitals after the host are packed: version 3 has 44 bytes.
		"https://acme.example/u/0A1B2C3D/K7QWX2M4T9DB/1234": 29, "https://acme.example/u/0A1B2C3D/K7QWX2M4T9DB/12345": 33,
		// Digits that stand together are packed still more: 62 bytes are in version 4.
		"https://id.acme.example/01/09520123456788/10/" + strings.Repeat("1", 20) + "/21/K7QWX2M4T9DB": 33,
		// But a code of digits gets no smaller symbol than its neighbours.
		"https://acmewxyz.example/u/0A1B2C3D/123456789012": 33,
	} {
		c, err := qr.Encode(text, qr.M)
		if err != nil {
			t.Fatal(err)
		}
		if c.Size() != want {
			t.Errorf("%q: %d modules instead of %d", text, c.Size(), want)
		}
	}
}

// Whatever the code of a unit, the symbols of a batch are of one size.
func TestOneSizeForABatch(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for host := 8; host < 40; host++ {
		sizes := map[int]bool{}
		for _, code := range append([]string{"000000000000", "A1B2C3D4E5F6"}, pick(random, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 12)) {
			c, err := qr.Encode("https://"+strings.Repeat("a", host)+"/01/09520123456788/21/"+code, qr.M)
			if err != nil {
				t.Fatal(err)
			}
			sizes[c.Size()] = true
		}
		if len(sizes) != 1 {
			t.Errorf("with a host of %d characters the sizes are %v", host, sizes)
		}
	}
}

func TestPrintedSize(t *testing.T) {
	c, err := qr.Encode("https://acme.example/u/0A1B2C3D/K7QWX2M4T9DB", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	if got := strconv.FormatFloat(c.MinWidth(), 'f', 3, 64); got != "14.652" {
		t.Errorf("it has to be %s mm wide", got)
	}
	if got := c.Module(c.MinWidth()); got < qr.MinModule-1e-9 || got > qr.MinModule+1e-9 {
		t.Errorf("a module then is %f mm", got)
	}
	if got := c.Module(18.5); got != 0.5 {
		t.Errorf("at 18.5 mm a module is %f mm", got)
	}
}

func TestRefuses(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "beyond ASCII": "https://müller.example/", "too long": strings.Repeat("a", 2400)} {
		if _, err := qr.Encode(text, qr.M); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c, err := qr.Encode(exampleURL, qr.M)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Discard.Write(c.SVG()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "SVG/s")
}

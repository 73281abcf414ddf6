package e2e_test

import (
	"bytes"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mintage/internal/store/storetest"
)

// tool finds a program that the tests need.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not installed; run make setup-tests", names[0])
	return ""
}

// chromiums are the names that the browser goes by.
var chromiums = []string{"chromium", "chromium-browser", "google-chrome"}

// chromium runs a headless browser with a fresh profile, as on a phone.
func chromium(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool(t, chromiums...), append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(), "--user-agent=" + phone, "--lang=en-GB",
		"--window-size=412,915", "--virtual-time-budget=10000",
	}, args...)...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium %s: %v\n%s", args, err, said.String())
	}
	return string(out)
}

// The whole way of a label: a QR code is made of a unit's URL, read by a scanner's
// software and opened in a browser, which ends on the passport page, activated.
func TestQRCodeOpensThePassport(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		server, _ := in.serve()
		base := server.public()
		in.run("brand", "create", "--name=Fjordlane Mobility", "--resolver-base="+base)
		in.catalogue()
		batch, units := in.mint("A", 3, "--activation-mode=first_scan", "--lot=PB-7731=3")

		code := filepath.Join(t.TempDir(), "code.png")
		if out, err := exec.Command(tool(t, "qrencode"), "--output="+code, "--level=M", "--size=8", units[0].url).CombinedOutput(); err != nil {
			t.Fatalf("qrencode: %v\n%s", err, out)
		}
		read, err := exec.Command(tool(t, "zbarimg"), "--quiet", "--raw", code).Output()
		if err != nil {
			t.Fatal(err)
		}
		url := strings.TrimSpace(string(read))
		if url != units[0].url {
			t.Fatalf("the code reads as %q, want %q", url, units[0].url)
		}

		page := chromium(t, "--dump-dom", url)
		serial := units[0].url[strings.LastIndex(units[0].url, "/")+1:]
		for _, want := range []string{"Fjordlane Mobility", "Product A", "Genuine:", "activated a moment ago", "PB-7731", "09520123456788", serial} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		if strings.Contains(page, "<script") {
			t.Error("the page has a script")
		}
		if t.Failed() {
			t.Logf("the page:\n%s", page)
		}
		if n, events := in.activations(); n != 1 || events != 1 {
			t.Errorf("%d units are active, with %d events", n, events)
		}

		// A second scan shows the same page and changes nothing.
		picture := filepath.Join(t.TempDir(), "page.png")
		chromium(t, "--screenshot="+picture, url)
		seen(t, picture)
		if n, events := in.activations(); n != 1 || events != 1 {
			t.Errorf("after the second scan %d units are active, with %d events", n, events)
		}
		in.run("recall", "--batch="+batch, "--reason=The brake lever may break.")
		storetest.Eventually(t, "the recall has arrived", func() bool {
			response, err := scan(base, url)
			return err == nil && response.StatusCode == http.StatusGone
		})
		if page := chromium(t, "--dump-dom", url); !strings.Contains(page, "do not trust this item") || !strings.Contains(page, "The brake lever may break.") {
			t.Errorf("the page of a recalled unit:\n%s", page)
		}
		server.stopped() // scans are written by then
		if n := in.number(`SELECT count(*) FROM scans WHERE outcome = 'activated' AND agent = 'phone'`); n != 1 {
			t.Errorf("%d scans activated", n)
		}
		in.exact(3)
	})
}

// seen asserts that a picture shows something: in many colours, and not in one alone.
func seen(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	colours := make(map[[4]uint32]int)
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			r, g, b, a := picture.At(x, y).RGBA()
			colours[[4]uint32{r, g, b, a}]++
		}
	}
	most := 0
	for _, n := range colours {
		most = max(most, n)
	}
	if all := bounds.Dx() * bounds.Dy(); bounds.Dx() < 400 || len(colours) < 20 || most > all*98/100 {
		t.Errorf("a picture of %v with %d colours, %d of %d dots in one", bounds, len(colours), most, all)
	}
}

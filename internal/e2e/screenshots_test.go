//go:build screenshots

package e2e_test

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestScreenshots writes a picture of every page, in a window and on a phone, in light
// and in dark, into the folder MINTAGE_PICTURES. make screenshots runs it.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("MINTAGE_PICTURES")
	if folder == "" {
		t.Fatal("MINTAGE_PICTURES does not say where to write to; run make screenshots")
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	look := func(b *tab, name string) {
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				file := fmt.Sprintf("%s-%d.png", name, width)
				if scheme == "dark" {
					file = fmt.Sprintf("%s-%d-dark.png", name, width)
				}
				b.picture(filepath.Join(folder, file), width, scheme)
			}
		}
		b.looks(1280, 900, "light")
	}
	in := &installation{t: t, data: t.TempDir(), engine: "sqlite"}
	o := in.unopened()
	o.doors(look)
	s := o.business()
	s.tour(look)
	s.server.stopped()
}

// picture writes what the tab shows, as high as it is; what stands beside an open panel
// is cut off with the window.
func (b *tab) picture(path string, width int64, scheme string) {
	b.t.Helper()
	least := int64(800)
	b.looks(width, least, scheme)
	height := min(max(eval[int64](b, `document.querySelector("dialog[open]") ? 0 : document.documentElement.scrollHeight`), least), 3000)
	b.looks(width, height, scheme)
	eval[bool](b, `(scrollTo(0, 0), new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(true)))))`)
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	b.must(err)
	b.must(os.WriteFile(path, picture, 0o644))
}

// business is a brand after a month of work: batches in every state and mode, scans,
// members and keys. What happened when is written past mintage, with a server that
// mints nothing, so that each run shows the same.
func (o *opened) business() *sample {
	o.t.Helper()
	b := o.tab
	o.run("import", "products", o.example("catalogue.csv"))
	o.run("import", "production-batches", o.example("production-batches.csv"))
	s := o.sample()
	batches := map[string]string{}
	var units []printed
	for _, m := range []struct {
		sku      string
		quantity int
		args     []string
	}{
		{"FL-BIKE-36V10", 24_000, nil},
		{"FL-IND-RACK-05", 1_200, []string{"--activation-mode=first_scan"}},
		{"FL-JKT-RAIN-S", 12_000, []string{"--identity-mode=batch", "--activation-mode=first_scan", "--lot=W27-S1=6000", "--lot=W27-S2=6000"}},
		{"FL-JKT-RAIN-M", 20_000, []string{"--identity-mode=batch", "--activation-mode=first_scan", "--lot=W27-M1=12000", "--lot=W27-M2=8000"}},
		{"FL-SCOOT-52V21", 8_000, nil},
		{"FL-TEE-MERINO-S", 15_000, []string{"--identity-mode=batch"}},
		{"FL-EV-MOD-06", 4_500, []string{"--activation-mode=first_scan"}},
		{"FL-IND-RACK-10", 118_000, nil}, // made FAILED below
		{"FL-BIKE-36V14", 250_000, []string{"--production-batch=PB-2027-0731", "--activation-mode=first_scan"}},
		{"FL-BIKE-48V14", 128_000, nil}, // made PROCESSING below
	} {
		batch, minted := o.mint(m.sku, m.quantity, m.args...)
		batches[m.sku] = batch
		if m.sku == "FL-BIKE-36V14" {
			s.batch, units = batch, minted
		}
	}
	s.unit = units[0].unitID
	for _, u := range units[:40] {
		scanned(o.t, o.public, u.url, http.StatusTemporaryRedirect)
	}
	o.run("revoke", units[3].unitID, "--reason=The label was torn off on the line.")
	for _, m := range []string{"ida@fjordlane.example Ida Strand admin", "kai@fjordlane.example Kai Berg viewer"} {
		words := strings.Fields(m)
		o.run("member", "invite", "--email="+words[0], "--name="+words[1]+" "+words[2], "--role="+words[3], "--base-url="+b.url)
	}
	s.withPeople()
	o.server.stopped()

	in := o.installation
	in.env = append(in.env, "MINTAGE_LISTEN="+strings.TrimPrefix(b.url, "http://"), "MINTAGE_RESOLVER_LISTEN="+strings.TrimPrefix(o.public, "http://"))
	raw := in.raw()
	change := func(statement string, args ...any) {
		o.t.Helper()
		if _, err := raw.ExecContext(o.t.Context(), statement, args...); err != nil {
			o.t.Fatalf("%v in %s", err, statement)
		}
	}
	number := func(sku string) string {
		return `(SELECT b.number FROM mint_batches b JOIN products p ON p.number = b.product_number WHERE p.sku = '` + sku + `')`
	}
	change(`UPDATE mint_batches SET requested_quantity = 200000 WHERE number = ` + number("FL-BIKE-48V14"))
	change(`UPDATE mint_jobs SET status = 'PROCESSING', finished_at = NULL WHERE number = ` + number("FL-BIKE-48V14"))
	s.fails(batches["FL-IND-RACK-10"], 250_000)
	change(`DROP TRIGGER events_keep_update`)
	stamp := func(column string, hours int) string {
		return fmt.Sprintf(`strftime('%%Y-%%m-%%dT%%H:%%M:%%f000Z', %s, '-%d hours')`, column, hours)
	}
	for i, sku := range []string{"FL-EV-MOD-06", "FL-TEE-MERINO-S", "FL-SCOOT-52V21", "FL-JKT-RAIN-M", "FL-JKT-RAIN-S", "FL-IND-RACK-05", "FL-BIKE-36V10"} {
		ago := 20 + 41*i
		change(`UPDATE mint_batches SET created_at = ` + stamp("created_at", ago) + ` WHERE number = ` + number(sku))
		change(`UPDATE mint_jobs SET created_at = ` + stamp("created_at", ago) + `, started_at = ` + stamp("started_at", ago) + `, finished_at = ` + stamp("finished_at", ago) + ` WHERE number = ` + number(sku))
		change(`UPDATE events SET at = ` + stamp("at", ago) + ` WHERE batch_number = ` + number(sku))
	}
	for day := 1; day < 30; day++ {
		busy := (1.2 + math.Sin(float64(day))) * 40_000
		if day%7 == 3 || day%7 == 4 {
			busy /= 10 // the weekends of the month before
		}
		change(`INSERT INTO day_counts (brand_number, day, minted, activated, revoked, scans)
			SELECT number, date('now', ?), ?, ?, ?, ? FROM brands WHERE true
			ON CONFLICT DO UPDATE SET minted = excluded.minted, activated = excluded.activated, scans = excluded.scans`,
			fmt.Sprintf("-%d days", day), int(busy), int(busy*0.7), day%5, int(busy*0.3))
	}
	o.t.Cleanup(func() { _ = raw.Close() })
	o.server, _ = in.serve("--roles=api,web,resolver")
	queued := in.run("submit", "--sku=FL-JKT-WIND-M", "--quantity=50000", "--identity-mode=batch", "--activation-mode=first_scan")
	s.batches = append(s.batches, stop{"batch-lots", "/mint/batches/" + batches["FL-JKT-RAIN-M"]},
		stop{"batch-processing", "/mint/batches/" + batches["FL-BIKE-48V14"]}, stop{"batch-queued", "/mint/batches/" + text(queued, "mint_batch_id")})
	return s
}

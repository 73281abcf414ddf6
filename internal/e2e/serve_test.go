package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// client speaks to a running mintage with an API key.
type client struct {
	t        *testing.T
	url, key string
}

func (c *client) do(method, path, contentType, body string, header ...string) (*http.Response, []byte) {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.key)
	if body != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return response, answer
}

func (c *client) json(method, path, body string, status int, header ...string) map[string]any {
	c.t.Helper()
	response, answer := c.do(method, path, "application/json", body, header...)
	if response.StatusCode != status {
		c.t.Fatalf("%s %s: %s, want %d\n%s", method, path, response.Status, status, answer)
	}
	var object map[string]any
	if err := json.Unmarshal(answer, &object); err != nil {
		c.t.Fatalf("%s %s: %v in %s", method, path, err, answer)
	}
	return object
}

// An integrator's day: a key made beside the running server, an import, a
// request, its progress, the file for the printer.
func TestServe(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		server, url := in.serve()
		brand := text(in.run("brand", "create", "--name=Acme", "--resolver-base=https://id.acme.example"), "brand_id")
		key := text(in.run("key", "create", "--brand="+brand, "--role=operator"), "key")
		c := &client{t, url, key}

		response, answer := c.do(http.MethodPost, "/v1/products/import", "text/csv", "sku,name,gtin\nA,Product A,0009520123456788\n")
		if response.StatusCode != http.StatusUnprocessableEntity && !bytes.Contains(answer, []byte(`"refused"`)) {
			t.Errorf("a GTIN of 16 digits: %s %s", response.Status, answer)
		}
		c.do(http.MethodPost, "/v1/products/import", "text/csv", "sku,name,gtin\nA,Product A,9520123456788\n")
		products, _ := c.json(http.MethodGet, "/v1/products?sku=A", "", 200)["items"].([]any)
		if len(products) != 1 {
			t.Fatalf("products: %v", products)
		}
		product := text(products[0].(map[string]any), "id")

		body := `{"product_id":"` + product + `","requested_quantity":50000,"identity_mode":"serial","activation_mode":"first_scan",
			"lots":[{"lot_code":"00A","quantity":20000},{"lot_code":"B/1","quantity":30000}]}`
		if ready := c.json(http.MethodPost, "/v1/mint-requests/preflight", body, 200)["ready"]; ready != true {
			t.Errorf("preflight: ready is %v", ready)
		}
		first := c.json(http.MethodPost, "/v1/mint-requests", body, 201, "Idempotency-Key", "order-1")
		again := c.json(http.MethodPost, "/v1/mint-requests", body, 200, "Idempotency-Key", `"order-1"`)
		if first["is_duplicate"] != false || again["is_duplicate"] != true || again["mint_job_id"] != first["mint_job_id"] {
			t.Errorf("first %v, again %v", first, again)
		}
		job, batch := text(first, "mint_job_id"), text(first, "mint_batch_id")

		// The watch ends with the terminal state.
		_, events := c.do(http.MethodGet, "/v1/mint-jobs/"+job+"/watch", "", "")
		if last := lastData(events); last["status"] != "COMPLETED" || last["minted_quantity"] != float64(50_000) {
			t.Errorf("the watch ended with %v", last)
		}

		_, file := c.do(http.MethodGet, "/v1/mint-batches/"+batch+"/export", "", "")
		rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
		if err != nil || len(rows) != 50_001 {
			t.Fatalf("the export has %d rows: %v", len(rows), err)
		}
		if want := "https://id.acme.example/01/09520123456788/10/B%2F1/21/" + rows[20_001][4]; rows[20_001][6] != want || rows[20_001][3] != "B/1" || rows[1][3] != "00A" {
			t.Errorf("row 20,001: %v, want the URL %s", rows[20_001], want)
		}
		path := filepath.Join(in.data, "units.csv")
		in.run("export", batch, "--output="+path)
		if written, err := os.ReadFile(path); err != nil || !bytes.Equal(written, file) {
			t.Errorf("mintage export differs from the API's: %v", err)
		}
		unit := c.json(http.MethodGet, "/v1/units/"+rows[1][0], "", 200)
		if unit["resolver_url"] != rows[1][6] || unit["status"] != "minted" {
			t.Errorf("the unit is %v, its row %v", unit, rows[1])
		}
		server.stopped()
		in.exact(50_000)
	})
}

// lastData is the data of the last server-sent event.
func lastData(stream []byte) (data map[string]any) {
	lines := bufio.NewScanner(bytes.NewReader(stream))
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "data:"); ok {
			data = nil
			_ = json.Unmarshal([]byte(text), &data) // what is no JSON has no status either
		}
	}
	return data
}

// What went wrong is said on standard error, with what to do and an exit code.
func TestErrorsSayWhatToDo(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		in.prepare()
		for _, tc := range []struct {
			code int
			say  string
			args []string
		}{
			{2, "--help", []string{"mint"}},
			{2, "--quantity", []string{"submit", "--sku=A"}},
			{1, "import it first", []string{"submit", "--sku=unknown", "--quantity=1"}},
			{1, "1 to 1000000", []string{"submit", "--sku=A", "--quantity=1000001"}},
			{1, "1 to 1000000", []string{"submit", "--sku=A", "--quantity=0"}},
			{1, "no such production batch", []string{"submit", "--sku=A", "--quantity=1", "--production-batch=none"}},
			{1, "cannot be read", []string{"import", "products", "none.csv"}},
			{1, "another brand", []string{"brand", "create", "--name=B", "--resolver-base=https://ID.acme.example/"}},
			{1, "https", []string{"brand", "create", "--name=B", "--resolver-base=http://id.b.example"}},
		} {
			if out := in.refused(tc.code, tc.args...); !strings.Contains(out, tc.say) {
				t.Errorf("mintage %s says %q, want %q", strings.Join(tc.args, " "), out, tc.say)
			}
		}
	})
}

// On PostgreSQL only migrate, serve and demo change the schema; a short command
// refuses an old one.
func TestOldSchemaIsRefused(t *testing.T) {
	each(t, func(t *testing.T, in *installation) {
		create := []string{"brand", "create", "--name=B", "--resolver-base=https://id.b.example"}
		if in.engine == "sqlite" {
			in.run(create...)
			return
		}
		if out := in.refused(1, create...); !strings.Contains(out, "mintage migrate") {
			t.Errorf("it says %q", out)
		}
	})
}

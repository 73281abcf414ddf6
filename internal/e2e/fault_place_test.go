package e2e_test

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// readiness asks whether a server is ready, and what it says if not.
func readiness(t *testing.T, url string) (status int, says string) {
	t.Helper()
	response, err := http.Get(url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var problem struct{ Code, Detail string }
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, problem.Code + " " + problem.Detail
}

// refuses has the place refuse all writes in mid-job for a while. That is no
// job's fault: nothing is struck, the queue waits, and /readyz says why. end
// returns the URL of the server, which may be another one than before.
func (in *installation) refuses(fault, says string, begin func(), end func() (url string), url string) {
	t := in.t
	t.Helper()
	const units = 300_000
	in.submit("--sku=A", "--quantity="+strconv.Itoa(units/2))
	in.submit("--sku=B", "--quantity="+strconv.Itoa(units/2))
	storetest.Eventually(t, "units are minted", func() bool { return in.minted() > 0 })
	begin()
	status, said := 0, ""
	within(t, 20*time.Second, "mintage is not ready", func() bool {
		status, said = readiness(t, url)
		return status != http.StatusOK
	})
	if status != http.StatusServiceUnavailable || !strings.HasPrefix(said, "UNAVAILABLE ") || !strings.Contains(said, says) {
		t.Errorf("/readyz answers %d and says %q, want %q", status, said, says)
	}
	<-time.After(scale(2*time.Second, time.Minute)) // longer than a pause: it tries again and again
	if status, said := readiness(t, url); status != http.StatusServiceUnavailable {
		t.Errorf("after a while /readyz answers %d and says %q", status, said)
	}
	url = end()
	within(t, 20*time.Second, "mintage is ready again", func() bool {
		status, said = readiness(t, url)
		return status == http.StatusOK
	})
	storetest.Eventually(t, "all jobs complete", in.allDone)
	if n := in.strikes(); n != 0 {
		t.Errorf("%d strikes", n)
	}
	in.inOrder(1)
	in.survived(fault, 1, units)
}

func TestFaultDiskFull(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := smallDisk(t, "48")
		in := &installation{t: t, data: d.path, engine: "sqlite"}
		in.prepare()
		_, url := in.serve("--cycle-size=1000")
		in.refuses("disk full for a while", "full", d.fill, func() string { d.free(); return url }, url)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		d := smallDisk(t, "120")
		in, server := own(t)
		// A tablespace belongs to whom the server's folder belongs to.
		folder, err := os.Stat(server.Dir)
		if err != nil {
			t.Fatal(err)
		}
		chown(t, d.path, folder)
		in.do(`CREATE TABLESPACE small LOCATION '`+d.path+`'`, `CREATE DATABASE small TABLESPACE small`)
		in.url = server.URL("small")
		in.prepare()
		_, url := in.serve("--cycle-size=1000")
		in.refuses("disk full for a while", "full", d.fill, func() string { d.free(); return url }, url)
	})
}

func TestFaultReadOnly(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		d := fragileDisk(t)
		in := &installation{t: t, data: d.path, engine: "sqlite"}
		in.prepare()
		process, url := in.serve("--cycle-size=1000")
		in.refuses("disk failed and read-only for a while", "disk", d.fail, func() string {
			process.kill() // whatever it may still have to say to the disk
			d.repair()
			_, url := in.serve()
			return url
		}, url)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		in, _ := own(t)
		in.prepare()
		_, url := in.serve("--cycle-size=1000")
		in.refuses("read-only for a while", "read-only", func() {
			in.do(`ALTER SYSTEM SET default_transaction_read_only = on`, `SELECT pg_reload_conf()`)
		}, func() string {
			in.do(`ALTER SYSTEM RESET default_transaction_read_only`, `SELECT pg_reload_conf()`)
			return url
		}, url)
	})
}

// SQLite alone has a folder and a lock: one that cannot be written to is told at
// once, and a second process on the same file is refused.
func TestFaultFolder(t *testing.T) {
	d := smallDisk(t, "32")
	in := &installation{t: t, data: d.path, engine: "sqlite"}
	in.prepare()
	const units = 50_000
	in.submit("--sku=A", "--quantity="+strconv.Itoa(units))
	d.remount("ro")
	for _, command := range []string{"serve", "worker", "submit --sku=A --quantity=1"} {
		said := in.refused(1, strings.Fields(command)...)
		if !strings.Contains(said, "may be written to") || strings.Count(said, "\n") != 1 {
			t.Errorf("mintage %s in a read-only folder says %q", command, said)
		}
	}
	d.remount("rw")
	server, _ := in.serve()
	for _, command := range []string{"serve", "worker", "demo"} {
		if said := in.refused(1, command); !strings.Contains(said, "Another mintage process") {
			t.Errorf("a second mintage %s says %q", command, said)
		}
	}
	storetest.Eventually(t, "the job completes", in.allDone)
	server.stopped()
	in.survived("read-only folder, second process", 6, units)
}

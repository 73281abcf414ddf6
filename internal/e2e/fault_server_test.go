package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mintage/internal/store/storetest"
)

// PostgreSQL crashes in the middle of a job and comes back; the workers stay.
func TestFaultPostgreSQLCrashes(t *testing.T) {
	in, server := own(t)
	in.prepare()
	crashes, units := scale(2, 5), scale[int64](200_000, 1_000_000)
	for _, sku := range []string{"A", "B"} {
		in.submit("--sku="+sku, "--quantity="+strconv.FormatInt(units/2, 10))
	}
	workers := []*process{in.faultWorker(1000), in.faultWorker(1000)}
	for n := range crashes {
		goal := moment(units, n, crashes)
		storetest.Eventually(t, "units are minted", func() bool { return in.minted() >= goal })
		someTime(20 * time.Millisecond)
		server.Stop("immediate")
		server.Start()
		in.agrees()
		if in.allDone() {
			t.Fatalf("all jobs were done before crash %d", n+1)
		}
	}
	storetest.Eventually(t, "all jobs complete", in.allDone)
	for _, p := range workers {
		p.stopped()
	}
	if n := in.strikes(); n != 0 {
		t.Errorf("%d strikes", n)
	}
	in.inOrder(2 + 1)
	in.survived("PostgreSQL crashed (immediate)", crashes, units)
}

// submitter sends mint requests to a server that comes and goes, each until it is
// answered, as an ERP with a queue of its own would.
type submitter struct {
	url     atomic.Pointer[string] // of whatever serves now
	key     string
	product string
	stop    chan struct{}

	mu      sync.Mutex
	jobs    map[string]string // idempotency key -> the job that was answered
	retries int
	faults  []string // answers that must not be
}

// run submits until it is told to stop, and finishes what it began.
func (s *submitter) run(name string, quantity int) {
	for n := 0; ; n++ {
		select {
		case <-s.stop:
			return
		default:
		}
		key := fmt.Sprintf("%s-%d", name, n)
		body := fmt.Sprintf(`{"product_id":%q,"requested_quantity":%d,"identity_mode":"serial","activation_mode":"first_scan"}`, s.product, quantity)
		tick := time.NewTicker(10 * time.Millisecond)
		for !s.submit(key, body) {
			<-tick.C
		}
		tick.Stop()
	}
}

// submit sends one request once and reports whether it was answered for good.
func (s *submitter) submit(key, body string) bool {
	request, err := http.NewRequest(http.MethodPost, *s.url.Load()+"/v1/mint-requests", strings.NewReader(body))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // nobody listens, or nobody knows what became of it
		s.retries++
		return false
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	var sub struct {
		Job  string `json:"mint_job_id"`
		Code string `json:"code"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &sub)
	}
	accepted := response.StatusCode == http.StatusCreated || response.StatusCode == http.StatusOK
	switch {
	case err != nil, response.StatusCode == http.StatusServiceUnavailable, sub.Code == "OUTCOME_UNKNOWN":
		s.retries++
		return false
	case !accepted, sub.Job == "":
		s.faults = append(s.faults, response.Status+" "+string(answer))
	default:
		s.jobs[key] = sub.Job
	}
	return true
}

// Submissions arrive while PostgreSQL restarts and crashes, and while the serving
// process is killed. Each that was answered exists, once.
func TestFaultRestartsWhileSubmitting(t *testing.T) {
	in, server := own(t)
	in.prepare()
	s := &submitter{jobs: make(map[string]string), stop: make(chan struct{})}
	s.key = text(in.run("key", "create", "--role=operator"), "key")
	process, url := in.serve()
	s.url.Store(new(url))
	c := &client{t, url, s.key}
	products, _ := c.json(http.MethodGet, "/v1/products?sku=B", "", 200)["items"].([]any)
	s.product = text(products[0].(map[string]any), "id")

	var clients sync.WaitGroup
	for n := range 4 {
		clients.Go(func() { s.run(fmt.Sprintf("client-%d", n), 10) })
	}
	defer clients.Wait()
	stop := sync.OnceFunc(func() { close(s.stop) })
	defer stop()
	answered := func() int { s.mu.Lock(); defer s.mu.Unlock(); return len(s.jobs) + len(s.faults) }
	more := func() {
		before := answered()
		storetest.Eventually(t, "submissions are answered", func() bool { return answered() >= before+20 })
		someTime(20 * time.Millisecond)
	}
	rounds := scale(1, 5)
	for range rounds {
		more()
		server.Stop("fast")
		server.Start()
		more()
		server.Stop("immediate")
		server.Start()
		more()
		process.kill()
		process, url = in.serve()
		s.url.Store(new(url))
	}
	more()
	stop()
	clients.Wait()
	storetest.Eventually(t, "all jobs complete", in.allDone)
	process.stopped()

	for _, fault := range s.faults {
		t.Errorf("a submission was answered with %s", fault)
	}
	if s.retries == 0 {
		t.Error("no submission met a restart")
	}
	seen := make(map[string]bool)
	for _, job := range s.jobs {
		seen[job] = true
	}
	jobs := in.number(`SELECT count(*) FROM mint_jobs`)
	if len(seen) != len(s.jobs) || jobs != int64(len(s.jobs)) {
		t.Errorf("%d submissions were answered with %d jobs, and %d exist", len(s.jobs), len(seen), jobs)
	}
	raw := in.raw()
	defer raw.Close()
	for key, job := range s.jobs {
		var n int
		err := raw.QueryRowContext(t.Context(), `SELECT count(*) FROM mint_jobs j JOIN idempotency_keys k ON k.job_id = j.id
			WHERE k.key = $1 AND j.id = $2`, key, job).Scan(&n)
		if err != nil || n != 1 {
			t.Errorf("the job answered to %s exists %d times: %v", key, n, err)
		}
	}
	t.Logf("%d submissions, %d retries", len(s.jobs), s.retries)
	in.survived("PostgreSQL or serve restarted while submitting", 3*rounds, 10*jobs)
}

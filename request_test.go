package mintage_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mintage"
)

func validRequest() *mintage.MintRequest {
	return &mintage.MintRequest{
		ProductID: "p", RequestedQuantity: 10,
		IdentityMode: mintage.IdentitySerial, ActivationMode: mintage.FirstScan,
	}
}

func validLot(code string) error {
	if code == "" || strings.Contains(code, " ") {
		return mintage.Errorf(mintage.CodeInvalidInput, "no lot")
	}
	return nil
}

func TestValidateRequest(t *testing.T) {
	lots := func(l ...mintage.LotRequest) func(*mintage.MintRequest) {
		return func(r *mintage.MintRequest) { r.Lots = l }
	}
	many := make([]mintage.LotRequest, mintage.MaxLots+1)
	for _, tc := range []struct {
		name   string
		edit   func(*mintage.MintRequest)
		fields []string
	}{
		{"valid", func(*mintage.MintRequest) {}, nil},
		{"one", func(r *mintage.MintRequest) { r.RequestedQuantity = 1 }, nil},
		{"a million", func(r *mintage.MintRequest) { r.RequestedQuantity = 1_000_000 }, nil},
		{"a million and one", func(r *mintage.MintRequest) { r.RequestedQuantity = 1_000_001 }, []string{"/requested_quantity"}},
		{"none", func(r *mintage.MintRequest) { r.RequestedQuantity = 0 }, []string{"/requested_quantity"}},
		{"negative", func(r *mintage.MintRequest) { r.RequestedQuantity = -1 }, []string{"/requested_quantity"}},
		{"smallest", func(r *mintage.MintRequest) { r.RequestedQuantity = math.MinInt64 }, []string{"/requested_quantity"}},
		{"empty", func(r *mintage.MintRequest) { *r = mintage.MintRequest{} },
			[]string{"/product_id", "/requested_quantity", "/identity_mode", "/activation_mode"}},
		{"modes in the wrong case", func(r *mintage.MintRequest) { r.IdentityMode, r.ActivationMode = "SERIAL", "First_Scan" },
			[]string{"/identity_mode", "/activation_mode"}},
		{"lots", lots(mintage.LotRequest{"A", 4}, mintage.LotRequest{"B", 6}), nil},
		{"lots that do not sum", lots(mintage.LotRequest{"A", 4}, mintage.LotRequest{"B", 5}), []string{"/lots"}},
		{"lots that overflow", lots(mintage.LotRequest{"A", math.MaxInt64}, mintage.LotRequest{"B", math.MaxInt64}),
			[]string{"/lots/0/quantity", "/lots/1/quantity"}},
		{"a lot twice", lots(mintage.LotRequest{"A", 5}, mintage.LotRequest{"A", 5}), []string{"/lots/1/lot_code"}},
		{"a lot without a code", lots(mintage.LotRequest{"", 10}), []string{"/lots/0/lot_code"}},
		{"an empty lot", lots(mintage.LotRequest{"A", 0}, mintage.LotRequest{"B", 10}), []string{"/lots/0/quantity"}},
		{"too many lots", func(r *mintage.MintRequest) { r.Lots = many }, []string{"/lots"}},
		{"own serials", func(r *mintage.MintRequest) { r.Serials = []string{"1"} }, []string{"/serials"}},
	} {
		r := validRequest()
		tc.edit(r)
		var fields []string
		for _, f := range r.Validate(validLot) {
			fields = append(fields, f.Field)
		}
		if !slices.Equal(fields, tc.fields) {
			t.Errorf("%s: faults at %v, want %v", tc.name, fields, tc.fields)
		}
	}
}

func TestHashTellsRequestsApart(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) *mintage.MintRequest {
		text := rapid.SampledFrom([]string{"", "a", "b", `a","b`})
		r := &mintage.MintRequest{
			ProductID: text.Draw(t, "product"), ProductionBatchID: text.Draw(t, "production"),
			RequestedQuantity: rapid.Int64Range(0, 2).Draw(t, "quantity"),
			IdentityMode:      mintage.IdentityMode(text.Draw(t, "identity")),
		}
		for range rapid.IntRange(0, 2).Draw(t, "lots") {
			r.Lots = append(r.Lots, mintage.LotRequest{LotCode: text.Draw(t, "lot"), Quantity: rapid.Int64Range(0, 1).Draw(t, "n")})
		}
		return r
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		same := a.ProductID == b.ProductID && a.ProductionBatchID == b.ProductionBatchID &&
			a.RequestedQuantity == b.RequestedQuantity && a.IdentityMode == b.IdentityMode && slices.Equal(a.Lots, b.Lots)
		if bytes.Equal(a.Hash(), b.Hash()) != same {
			t.Fatalf("%+v and %+v: the hashes agree is %t", a, b, !same)
		}
	})
}

func TestIdempotencyKey(t *testing.T) {
	for _, tc := range []struct{ key, want string }{
		{"abc", "abc"}, {`"abc"`, "abc"}, {`"`, `"`}, {`a b`, "a b"}, {strings.Repeat("x", 255), strings.Repeat("x", 255)},
		{`"` + strings.Repeat("x", 255) + `"`, strings.Repeat("x", 255)},
	} {
		if got, err := mintage.ValidateIdempotencyKey(tc.key); err != nil || got != tc.want {
			t.Errorf("%q: got %q, %v", tc.key, got, err)
		}
	}
	for _, key := range []string{"", `""`, strings.Repeat("x", 256), "a\x00", "ä", "a\nb", "\x7f"} {
		if _, err := mintage.ValidateIdempotencyKey(key); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%q: got %v", key, err)
		}
	}
}

func TestProductionBatchNeverFallsBelowWhatIsCommitted(t *testing.T) {
	pb := mintage.ProductionBatch{ProductNumber: 1, Quantity: 100, Committed: 60}
	for _, tc := range []struct {
		name     string
		product  int64
		quantity int64
		percent  int
		refused  bool
	}{
		{"the same", 1, 100, 0, false},
		{"more", 1, 101, 0, false},
		{"down to what is committed", 1, 60, 0, false},
		{"below", 1, 59, 0, true},
		{"below, but within over-issue", 1, 55, 10, false},
		{"below over-issue too", 1, 54, 10, true},
		{"another product", 2, 100, 0, true},
	} {
		next := mintage.ProductionBatch{ProductNumber: tc.product, Quantity: tc.quantity}
		if err := pb.ChangeTo(&next, tc.percent); (err != nil) != tc.refused {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	free := mintage.ProductionBatch{ProductNumber: 1, Quantity: 100}
	if err := free.ChangeTo(&mintage.ProductionBatch{ProductNumber: 2, Quantity: 1}, 0); err != nil {
		t.Errorf("nothing is committed, yet: %v", err)
	}
}

func TestCapacityNeverOverflows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pb := mintage.ProductionBatch{
			Quantity:  rapid.Int64Range(1, mintage.MaxProductionQuantity).Draw(t, "quantity"),
			Committed: rapid.Int64Range(0, 2*mintage.MaxProductionQuantity).Draw(t, "committed"),
		}
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		if c := pb.Capacity(percent); c < pb.Quantity || c > 2*pb.Quantity {
			t.Fatalf("capacity %d", c)
		}
		if r := pb.Remaining(percent); r < 0 || (r > 0 && r+pb.Committed != pb.Capacity(percent)) {
			t.Fatalf("remaining %d", r)
		}
	})
}

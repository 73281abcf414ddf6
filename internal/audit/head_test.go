package audit_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"mintage"
	"mintage/internal/audit"
	"mintage/internal/store/storetest"
)

func TestExport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.DB) {
		tr := newTrail(t, db, 3)
		tr.add(0, 2)
		tr.seal()
		tr.add(0, 1)
		tr.add(1, 4)
		tr.seal()
		tr.add(0, 1) // not in the head
		heads := tr.export()
		last := tr.seals(0)[1]
		want := audit.Head{BrandID: tr.brands[0].ID, Block: 2, LastEvent: tr.events[0][2], Hash: hex.EncodeToString(last.Hash), SealedAt: last.SealedAt, Events: 3}
		if len(heads.Heads) != 2 || heads.Heads[0] != want || heads.Heads[1].BrandID != tr.brands[1].ID || heads.Heads[1].Events != 4 {
			t.Errorf("%+v, want %+v first", heads, want)
		}
		var file bytes.Buffer
		if _, err := heads.WriteTo(&file); err != nil {
			t.Fatal(err)
		}
		again, err := audit.ReadHeads(&file)
		if err != nil || !reflect.DeepEqual(again, heads) {
			t.Errorf("%+v, %v", again, err)
		}
		// The chain goes on from the saved head.
		tr.seal()
		if r := tr.verify("", again); !r.OK {
			t.Errorf("%+v", r.Brands[0])
		}
		one, err := audit.Export(t.Context(), db, tr.brands[1].ID, tail())
		if err != nil || len(one.Heads) != 1 || one.Heads[0] != heads.Heads[1] {
			t.Errorf("%+v, %v", one, err)
		}

		// A damaged chain has no head worth keeping.
		storetest.Unguard(t, tr.raw)
		tr.execute("DELETE FROM event_seals WHERE number = 1 AND brand_number = $1", tr.brands[0].Number)
		if _, err := audit.Export(t.Context(), db, "", tail()); mintage.ErrorCode(err) != mintage.CodeConflict {
			t.Errorf("%v", err)
		}
		if _, err := audit.Export(t.Context(), db, tr.brands[1].ID, tail()); err != nil {
			t.Error(err)
		}
	})
}

func TestReadHeadsRefuses(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	head := `{"brand_id":"b","block":1,"last_event":1,"hash":"` + hash + `","sealed_at":"2026-01-01T00:00:00Z","events":1}`
	for name, text := range map[string]string{
		"nothing":          "",
		"not JSON":         "heads",
		"no head":          `{"exported_at":"2026-01-01T00:00:00Z","heads":[]}`,
		"two files":        `{"heads":[` + head + `]}{}`,
		"a brand twice":    `{"heads":[` + head + `,` + head + `]}`,
		"an unknown field": `{"heads":[` + head + `],"x":1}`,
		"a short hash":     `{"heads":[` + strings.Replace(head, hash, hash[2:], 1) + `]}`,
		"no hash":          `{"heads":[` + strings.Replace(head, hash, strings.Repeat("x", 64), 1) + `]}`,
		"block 0":          `{"heads":[` + strings.Replace(head, `"block":1`, `"block":0`, 1) + `]}`,
		"no brand":         `{"heads":[` + strings.Replace(head, `"b"`, `""`, 1) + `]}`,
	} {
		if _, err := audit.ReadHeads(strings.NewReader(text)); mintage.ErrorCode(err) != mintage.CodeInvalidInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := audit.ReadHeads(strings.NewReader(`{"heads":[` + head + `]}`)); err != nil {
		t.Error(err)
	}
}

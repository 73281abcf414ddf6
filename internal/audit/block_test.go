package audit

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mintage"
)

func golden() *mintage.Event {
	return &mintage.Event{
		Number: 258, BrandNumber: 7, At: time.Date(2026, 3, 29, 1, 59, 59, 999_999_000, time.UTC),
		Kind: mintage.EventBatchCycle, Actor: "worker:a", SubjectID: "s", BatchID: "b", JobID: "j",
		Origin:      mintage.Origin{AddressClass: mintage.AddressPublic, RequestID: "r"},
		BatchNumber: 3, ProductNumber: 4, FirstOrdinal: 0, Quantity: 20_000, From: "", To: "é", Message: "m",
	}
}

// The encoding and the hash are for ever: chains stay on disk, and heads elsewhere.
func TestGolden(t *testing.T) {
	const encoding = "01" +
		"00000008" + "0000000000000102" + "00000008" + "0000000000000007" + "00000008" + "00064e20177927ff" +
		"00000010" + "6d696e745f62617463682e6379636c65" + "00000008" + "776f726b65723a61" +
		"00000006" + "7075626c6963" + "00000001" + "72" + "00000001" + "73" +
		"00000008" + "0000000000000003" + "00000008" + "0000000000000004" +
		"00000008" + "0000000000000000" + "00000008" + "0000000000004e20" +
		"00000000" + "" + "00000002" + "c3a9" + "00000001" + "6d"
	e := golden()
	if got := hex.EncodeToString(appendEvent(nil, e)); got != encoding {
		t.Errorf("encoding\n%s, want\n%s", got, encoding)
	}
	var d digester
	at := time.Date(2026, 3, 29, 2, 0, 0, 1_999, time.UTC)
	first := d.block(&mintage.Seal{}, 7, []*mintage.Event{e}, at)
	e.Number = 259
	second := d.block(first, 7, []*mintage.Event{e}, at)
	for _, b := range []struct {
		*mintage.Seal
		digests, hash string
	}{
		{first, "0000000000000102bca652f3cb8cc7e8c94db817ab5694ef", "9da32961dfd60810b989c43339c38b9fdb6469875cb93929ab44b769cbc1d353"},
		{second, "00000000000001030641ee75c4b2002da4d20f7192b3b113", "21e82e0a7da3c3944c1689157f41fef86ab38ee91af04d4e6f8de34c2c6ad6b0"},
	} {
		if hex.EncodeToString(b.Digests) != b.digests || hex.EncodeToString(b.Hash) != b.hash {
			t.Errorf("block %d: digests %x, hash %x", b.Number, b.Digests, b.Hash)
		}
		if malformed(b.Seal) != "" || !b.SealedAt.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("block %d: %q, sealed at %v", b.Number, malformed(b.Seal), b.SealedAt)
		}
	}
}

// Every field that is stored matters, so that a new one cannot be forgotten.
func TestEveryFieldIsSealed(t *testing.T) {
	var d digester
	was := d.digest(golden())
	count := 0
	mutate := func(v reflect.Value, name string, event func() *mintage.Event) {
		switch x := v.Addr().Interface().(type) {
		case *time.Time:
			*x = x.Add(time.Microsecond)
		default:
			switch v.Kind() {
			case reflect.Int64:
				v.SetInt(v.Int() + 1)
			case reflect.String:
				v.SetString(v.String() + "x")
			default:
				t.Fatalf("%s is a %s: say how it is sealed", name, v.Kind())
			}
		}
		count++
		joined := name == "BatchID" || name == "JobID" // of other tables
		if changed := d.digest(event()) != was; changed == joined {
			t.Errorf("%s: sealed is %t", name, changed)
		}
	}
	typ := reflect.TypeFor[mintage.Event]()
	for i := range typ.NumField() {
		if typ.Field(i).Type == reflect.TypeFor[mintage.Origin]() {
			origin := reflect.TypeFor[mintage.Origin]()
			for j := range origin.NumField() {
				e := golden()
				mutate(reflect.ValueOf(e).Elem().Field(i).Field(j), origin.Field(j).Name, func() *mintage.Event { return e })
			}
			continue
		}
		e := golden()
		mutate(reflect.ValueOf(e).Elem().Field(i), typ.Field(i).Name, func() *mintage.Event { return e })
	}
	if count != 17 {
		t.Errorf("%d fields: give the encoding a new version where one came or went", count)
	}
}

// Two events have the same encoding only if they are the same.
func TestEncodingIsInjective(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) mintage.Event {
		text := rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00", "\x00\x00\x00\x01a"})
		number := rapid.SampledFrom([]int64{0, 1, -1, 256})
		return mintage.Event{
			Number: number.Draw(t, "number"), BrandNumber: number.Draw(t, "brand"), At: time.UnixMicro(number.Draw(t, "at")),
			Kind: mintage.EventKind(text.Draw(t, "kind")), Actor: text.Draw(t, "actor"), SubjectID: text.Draw(t, "subject"),
			Origin:      mintage.Origin{AddressClass: mintage.AddressClass(text.Draw(t, "class")), RequestID: text.Draw(t, "request")},
			BatchNumber: number.Draw(t, "batch"), ProductNumber: number.Draw(t, "product"),
			FirstOrdinal: number.Draw(t, "first"), Quantity: number.Draw(t, "quantity"),
			From: text.Draw(t, "from"), To: text.Draw(t, "to"), Message: text.Draw(t, "message"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		if rapid.Bool().Draw(t, "nearly the same") { // text moves from one field to the next
			b = a
			b.From, b.To = a.From+a.To, ""
		}
		if same := bytes.Equal(appendEvent(nil, &a), appendEvent(nil, &b)); same != reflect.DeepEqual(a, b) {
			t.Fatalf("%+v and %+v: same encoding is %t", a, b, same)
		}
	})
}

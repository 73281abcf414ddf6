package access

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"mintage"
	"mintage/internal/bucket"
)

// How many wrong passwords are borne: at first so many at once, then one in each
// interval. For an account that is under 300 a day, for ever: nothing against the
// passwords that are accepted (NIST SP 800-63B-4, section 3.2.2, asks for a limit).
const (
	accountBurst = 10
	accountEvery = 5 * time.Minute
	addressBurst = 30 // an office behind one address
	addressEvery = 10 * time.Second

	// refusalEvery is how often a refused sign-in leaves events, for each account.
	refusalEvery = time.Minute
)

// generation is how many buckets of accounts, and of addresses, are kept at least; see
// [bucket.Table]. Each account that is not forgotten yet has cost some address a failure.
const generation = 1 << 14

// throttle counts failures for each account, whether it exists or not, and for
// each address. It is of one process, and forgets when that ends.
type throttle struct {
	accounts, addresses *bucket.Table
}

func newThrottle() *throttle {
	return &throttle{
		accounts:  bucket.NewTable(rate.Every(accountEvery), accountBurst, generation),
		addresses: bucket.NewTable(rate.Every(addressEvery), addressBurst, generation),
	}
}

// attempt is a try that counts as a failure unless it is given back.
type attempt struct {
	at    time.Time
	turns []turn
}

type turn struct {
	*rate.Reservation

	table *bucket.Table
	id    bucket.ID
}

// begin counts a try, or refuses it with TOO_MANY_REQUESTS. An address that is not
// valid does not count. One that has no try left leaves no trace of the account, or
// it could make the accounts forgotten that others have failed at.
func (t *throttle) begin(email string, address netip.Addr, now time.Time) (*attempt, error) {
	a := &attempt{at: now}
	if address.IsValid() {
		if err := a.take(t.addresses, bucket.OfAddress(address)); err != nil {
			return nil, err
		}
	}
	if err := a.take(t.accounts, bucketOf(strings.ToLower(email))); err != nil {
		return nil, err
	}
	return a, nil
}

// take takes a turn, or gives all of them back where it would have to wait for it.
func (a *attempt) take(table *bucket.Table, id bucket.ID) error {
	one := turn{table.Turn(id, a.at), table, id}
	a.turns = append(a.turns, one)
	wait := one.DelayFrom(a.at)
	if wait == 0 {
		return nil
	}
	a.giveBack()
	if minutes := int((wait + time.Minute - 1) / time.Minute); minutes > 1 {
		return mintage.Errorf(mintage.CodeTooMany, "Too many failed sign-ins; try again in %d minutes.", minutes)
	}
	return mintage.Errorf(mintage.CodeTooMany, "Too many failed sign-ins; try again in a minute.")
}

// giveBack says that the try was no failure.
func (a *attempt) giveBack() {
	for _, one := range a.turns {
		one.table.GiveBack(one.id, one.Reservation, a.at)
	}
}

func bucketOf(text string) bucket.ID {
	sum := sha256.Sum256([]byte(text))
	return bucket.ID(sum[:])
}

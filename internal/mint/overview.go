package mint

import (
	"context"
	"time"

	"mintage"
	"mintage/internal/store"
)

// OverviewDays is how many days an overview shows.
const OverviewDays = 30

// Day is the store's, for those who may not import it.
type Day = store.DailyCount

// Overview is what a brand has, and what happened lately.
type Overview struct {
	store.Totals
	Days []Day // the last [OverviewDays], oldest first, also those on which nothing happened
}

// Units is how many units were ever minted.
func (o *Overview) Units() int64 { return o.Minted + o.Active + o.Revoked }

// Today is the day that is not over yet, in UTC.
func (o *Overview) Today() Day { return o.Days[len(o.Days)-1] }

// Overview returns the figures of the principal's brand. States of units, and the days,
// are as of the last roll-up: a second ago where a worker runs.
func (s *Service) Overview(ctx context.Context, p mintage.Principal) (*Overview, error) {
	today := s.now().UTC().Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, 1-OverviewDays)
	o := &Overview{}
	var counted []Day
	err := s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) (err error) {
		if o.Totals, err = r.Totals(ctx, p.BrandNumber); err != nil {
			return err
		}
		counted, err = r.DailyCounts(ctx, p.BrandNumber, first)
		return err
	})
	if err != nil {
		return nil, err
	}
	for day := first; !day.After(today); day = day.AddDate(0, 0, 1) {
		for len(counted) > 0 && counted[0].Day.Before(day) {
			counted = counted[1:]
		}
		one := Day{Day: day}
		if len(counted) > 0 && counted[0].Day.Equal(day) {
			one = counted[0]
		}
		o.Days = append(o.Days, one)
	}
	return o, nil
}

package mint

import (
	"bytes"
	"context"

	"mintage"
	"mintage/internal/gs1"
	"mintage/internal/store"
)

// Submission is the answer to an accepted request.
type Submission struct {
	JobID     string
	BatchID   string
	Status    mintage.JobStatus
	Duplicate bool // the same request was accepted before under the same key
}

// Submit accepts a mint request: in one transaction it checks everything that
// [Service.Preflight] checks, under locks, and creates the job and its batch. A
// request that is blocked is a [mintage.BlockedError] with all reasons, a
// malformed one a [mintage.InvalidError], and one for more units than the product has
// room for a CONFLICT; none of them leaves anything behind.
//
// key is the idempotency key, "" for none. The first accepted request takes it;
// the same request again gets the first job and batch; another request under it
// is refused with IDEMPOTENCY_REUSED.
func (s *Service) Submit(ctx context.Context, p mintage.Principal, req *mintage.MintRequest, key string) (*Submission, error) {
	req, err := validate(req)
	if err != nil {
		return nil, err
	}
	if key != "" {
		if key, err = mintage.ValidateIdempotencyKey(key); err != nil {
			return nil, err
		}
	}
	var out *Submission
	err = s.store.For(p.BrandNumber).InTx(ctx, func(tx store.Tx) (err error) {
		out, err = s.submit(ctx, tx, p, req, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) submit(ctx context.Context, tx store.Tx, p mintage.Principal, req *mintage.MintRequest, key string) (*Submission, error) {
	jobID, err := newID()
	if err != nil {
		return nil, err
	}
	if key != "" {
		first, err := tx.ClaimKey(ctx, p.BrandNumber, key, store.KeyClaim{RequestHash: req.Hash(), JobID: jobID})
		if err != nil {
			return nil, err
		}
		if first != nil {
			sub, err := accepted(ctx, tx, p, req, first)
			if err == nil && !sub.Duplicate {
				err = mintage.Errorf(mintage.CodeKeyReused, "The idempotency key was used for another request; use a new key for a new request.").WithField("Idempotency-Key")
			}
			if err != nil {
				return nil, err
			}
			return sub, nil
		}
	}
	f, err := gather(ctx, tx, p.BrandNumber, req, tx.LockProductionBatch, tx.LockProduct)
	if err != nil {
		return nil, err
	}
	if f.product != nil && f.product.GTIN != "" {
		// Claimed before judging: whoever else wants it waits for this transaction.
		if f.gtinOwner, err = tx.ClaimGTIN(ctx, p.BrandNumber, f.product.GTIN, f.product.Number); err != nil {
			return nil, err
		}
	}
	if reasons := f.reasons(req); len(reasons) > 0 {
		return nil, &mintage.BlockedError{Reasons: reasons}
	}
	return s.accept(ctx, tx, p, req, f, jobID)
}

// Submitted returns what was submitted under an idempotency key before, by this
// request or, where it is no Duplicate, by another one. NOT_FOUND where nothing was.
func (s *Service) Submitted(ctx context.Context, p mintage.Principal, req *mintage.MintRequest, key string) (sub *Submission, err error) {
	req, err = validate(req)
	if err != nil {
		return nil, err
	}
	if key, err = mintage.ValidateIdempotencyKey(key); err != nil {
		return nil, err
	}
	err = s.store.For(p.BrandNumber).Read(ctx, func(r store.Reader) error {
		claim, err := r.KeyClaim(ctx, p.BrandNumber, key)
		if err != nil {
			return err
		}
		sub, err = accepted(ctx, r, p, req, claim)
		return err
	})
	return sub, err
}

// accepted is what was accepted under a key; Duplicate where it was the same request.
func accepted(ctx context.Context, r store.Reader, p mintage.Principal, req *mintage.MintRequest, claim *store.KeyClaim) (*Submission, error) {
	w, err := r.WorkByJobID(ctx, p.BrandNumber, claim.JobID)
	if err != nil {
		return nil, err
	}
	return &Submission{
		JobID: w.Job.ID, BatchID: w.Batch.ID, Status: w.Job.Status, Duplicate: bytes.Equal(claim.RequestHash, req.Hash()),
	}, nil
}

func (s *Service) accept(ctx context.Context, tx store.Tx, p mintage.Principal, req *mintage.MintRequest, f facts, jobID string) (*Submission, error) {
	first, err := tx.ReserveOrdinals(ctx, f.product.Number, req.RequestedQuantity)
	if err != nil {
		return nil, err
	}
	batchID, err := newID()
	if err != nil {
		return nil, err
	}
	job := &mintage.Job{
		ID: jobID, BrandNumber: p.BrandNumber, Status: mintage.JobQueued,
		CycleLimit: f.brand.CycleSize, SubmittedBy: p.Actor, CreatedAt: s.now(),
	}
	batch := &mintage.Batch{
		ID: batchID, JobID: jobID, BrandNumber: p.BrandNumber, Status: job.Status.Batch(),
		ProductNumber: f.product.Number, ProductID: f.product.ID,
		IdentityMode: req.IdentityMode, ActivationMode: req.ActivationMode,
		RequestedQuantity: req.RequestedQuantity, FirstOrdinal: first,
		ResolverBase: f.brand.ResolverBase, GTIN: f.product.GTIN, ProductCode: f.product.Code,
		CreatedAt: job.CreatedAt,
	}
	if f.production != nil {
		batch.ProductionBatchNumber, batch.ProductionBatchID = f.production.Number, f.production.ID
	}
	batch.Lots = layOut(req, f, batch)
	if err := tx.CreateJob(ctx, job, batch); err != nil {
		return nil, err
	}
	w := &store.Work{Job: *job, Batch: *batch}
	if err := appendTransition(ctx, tx, w, "", p, job.CreatedAt); err != nil {
		return nil, err
	}
	return &Submission{JobID: job.ID, BatchID: batch.ID, Status: job.Status}, nil
}

// layOut divides the batch's range into its lots, in their order, and fixes what
// stands around the code in each unit's URL.
func layOut(req *mintage.MintRequest, f facts, b *mintage.Batch) []mintage.Lot {
	wanted := req.Lots
	if len(wanted) == 0 {
		wanted = []mintage.LotRequest{{Quantity: req.RequestedQuantity}}
		if f.production != nil && f.brand.LotFromProductionBatch && gs1.ValidateLot(f.production.Code) == nil {
			wanted[0].LotCode = f.production.Code
		}
	}
	lots := make([]mintage.Lot, len(wanted))
	ordinal := b.FirstOrdinal
	for i, w := range wanted {
		id := gs1.Identity{
			Base: gs1.Base(b.ResolverBase), GTIN: gs1.GTIN(b.GTIN), ProductCode: b.ProductCode,
			Lot: w.LotCode, Serialised: b.IdentityMode == mintage.IdentitySerial,
		}
		lots[i] = mintage.Lot{Code: w.LotCode, FirstOrdinal: ordinal, Quantity: w.Quantity}
		lots[i].URLPrefix, lots[i].URLSuffix = id.URLAffixes()
		ordinal += w.Quantity
	}
	return lots
}

package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"mintage"
)

// mintRequest is what a user submits.
type mintRequest struct {
	ProductID         string                 `json:"product_id" required:"false" doc:"The product to mint, by its id."`
	RequestedQuantity int64                  `json:"requested_quantity" required:"false" doc:"How many units."`
	IdentityMode      mintage.IdentityMode   `json:"identity_mode" required:"false" doc:"serial: each unit has a serial number of its own. batch: units share a lot, and still each has its own code."`
	ActivationMode    mintage.ActivationMode `json:"activation_mode" required:"false" doc:"active_at_mint: tokens are active from the start. first_scan: a token becomes active with its first scan."`
	ProductionBatchID string                 `json:"production_batch_id" required:"false" doc:"The production batch to mint against, by its id; it must be READY, of this product, and have so much left."`
	Lots              []lotRequest           `json:"lots" required:"false" nullable:"false" doc:"In this order; their quantities sum to the request. Without it, a linked production batch's code is the lot."`
	Serials           []string               `json:"serials" required:"false" nullable:"false" doc:"The customer's own serials: not supported yet."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (mintRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"product_id", "requested_quantity", "identity_mode", "activation_mode"}, rules{
		"requested_quantity": {"minimum": 1, "maximum": mintage.MaxRequestQuantity},
		"identity_mode":      enum([]mintage.IdentityMode{mintage.IdentitySerial, mintage.IdentityBatch}),
		"activation_mode":    enum([]mintage.ActivationMode{mintage.ActiveAtMint, mintage.FirstScan}),
		"lots":               {"maxItems": mintage.MaxLots},
	})
}

// lotRequest is one lot of a request.
type lotRequest struct {
	LotCode  string `json:"lot_code" required:"false" doc:"GS1 AI (10), 1 to 20 characters."`
	Quantity int64  `json:"quantity" required:"false" doc:"How many units of the request are in this lot."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (lotRequest) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, []string{"lot_code", "quantity"}, rules{"quantity": {"minimum": 1, "maximum": mintage.MaxRequestQuantity}})
}

func (b *mintRequest) request() *mintage.MintRequest {
	r := &mintage.MintRequest{
		ProductID: b.ProductID, RequestedQuantity: b.RequestedQuantity, IdentityMode: b.IdentityMode,
		ActivationMode: b.ActivationMode, ProductionBatchID: b.ProductionBatchID, Serials: b.Serials,
	}
	for _, l := range b.Lots {
		r.Lots = append(r.Lots, mintage.LotRequest{LotCode: l.LotCode, Quantity: l.Quantity})
	}
	return r
}

// submission is the answer to an accepted request.
type submission struct {
	JobID       string            `json:"mint_job_id" format:"uuid" doc:"For get_mint_job and watch_mint_job."`
	BatchID     string            `json:"mint_batch_id" format:"uuid" doc:"For get_mint_batch, list_units and export_mint_batch."`
	Status      mintage.JobStatus `json:"status" doc:"Of the job: QUEUED or, for a duplicate, whatever it is by now."`
	IsDuplicate bool              `json:"is_duplicate" doc:"The same request was accepted before under the same idempotency key."`
}

// TransformSchema is part of huma.SchemaTransformer.
func (submission) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, s.Required, rules{"status": enum(mintage.JobStatuses)})
}

// preflight is the answer where nothing stands in the way.
type preflight struct {
	Ready           bool     `json:"ready" doc:"Always true: a submission would be accepted at this moment."`
	BlockingReasons []reason `json:"blocking_reasons" nullable:"false" doc:"Empty: where there are any, the answer is the one that a submission would get."`
}

type submitInput struct {
	Key  string `header:"Idempotency-Key" doc:"1 to 255 printable ASCII characters, bare or in quotes. The same request under the same key gets the first job and batch."`
	Body mintRequest
}

// Resolve refuses what huma would take for no key, or for one of several.
func (in *submitInput) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	if fault := checkIdempotencyKey(r.Header.Values("Idempotency-Key")); fault != nil {
		return []error{fault}
	}
	return nil
}

// checkIdempotencyKey takes one value that says something, or none; what a key may
// be is the domain's to say.
func checkIdempotencyKey(values []string) *huma.ErrorDetail {
	if len(values) == 0 || len(values) == 1 && values[0] != "" {
		return nil
	}
	return &huma.ErrorDetail{Location: "header.Idempotency-Key", Message: "Send one idempotency key of 1 to 255 characters, or none."}
}

func (s *server) registerMintRequests() {
	o := op("submit_mint_request", http.MethodPost, "/v1/mint-requests", "Mint requests", "Submit a mint request")
	o.Description = "All or nothing: a job and its batch come into being, or every blocking reason is answered at once (422 MINT_BLOCKED)."
	o.DefaultStatus = http.StatusCreated
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusConflict} // the product has no room for so many
	o.Responses = map[string]*huma.Response{
		"200": {Description: "A duplicate: the first job and batch; the same body as with 201, is_duplicate is true."},
		"201": {Description: "Accepted."},
		"422": s.blockedResponse(),
	}
	register(s, o, s.submit)
	first := o.Responses["201"].Content["application/json"]
	o.Responses["200"].Headers = o.Responses["201"].Headers
	o.Responses["200"].Content = map[string]*huma.MediaType{"application/json": {Schema: first.Schema, Examples: duplicateExample}}
	first.Examples = createdExample

	o = op("preflight_mint_request", http.MethodPost, "/v1/mint-requests/preflight", "Mint requests", "Ask what stands in the way of a mint request")
	o.Description = "Refuses what a submission would refuse, with the same answer, and creates nothing."
	o.Metadata[metaBody] = takesJSON
	o.Metadata[metaRefuses] = []int{http.StatusConflict}
	o.Responses = map[string]*huma.Response{"422": s.blockedResponse()}
	register(s, o, s.preflight)
}

func (s *server) blockedResponse() *huma.Response {
	return refusalResponse(s.api.OpenAPI().Components.Schemas, "The request is blocked (MINT_BLOCKED), or can never work as it is: "+
		strings.Join(codesOf(http.StatusUnprocessableEntity), ", ")+".", blockedExample)
}

func (s *server) submit(ctx context.Context, in *submitInput) (*created[submission], error) {
	done, err := s.Mint.Submit(ctx, principal(ctx), in.Body.request(), in.Key)
	if err != nil {
		return nil, err
	}
	out := &created[submission]{
		Status: http.StatusCreated, Location: "/v1/mint-jobs/" + done.JobID,
		Body: submission{JobID: done.JobID, BatchID: done.BatchID, Status: done.Status, IsDuplicate: done.Duplicate},
	}
	if done.Duplicate {
		out.Status = http.StatusOK
	}
	return out, nil
}

func (s *server) preflight(ctx context.Context, in *struct{ Body mintRequest }) (*body[preflight], error) {
	reasons, err := s.Mint.Preflight(ctx, principal(ctx), in.Body.request())
	if err != nil {
		return nil, err
	}
	if len(reasons) > 0 {
		return nil, &mintage.BlockedError{Reasons: reasons}
	}
	return &body[preflight]{preflight{Ready: true, BlockingReasons: []reason{}}}, nil
}

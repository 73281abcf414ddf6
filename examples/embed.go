// Package examples carries the sample files that `mintage demo` imports: a
// catalogue and a production-batch file in the shape of ERP exports, made up for
// this purpose. See README.md beside it.
package examples

import _ "embed"

// Catalogue is catalogue.csv.
//
//go:embed catalogue.csv
var Catalogue []byte

// ProductionBatches is production-batches.csv.
//
//go:embed production-batches.csv
var ProductionBatches []byte

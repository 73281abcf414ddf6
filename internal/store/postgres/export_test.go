package postgres

// ClaimJobSQL is for the test of its plan.
const ClaimJobSQL = claimJob

// AppendUnits is for the benchmark's floor.
var AppendUnits = appendUnits

// Package e2e tests the real binary, as its users run it: as processes that are
// started, asked, stopped and killed, on both databases. It has no code of its
// own besides tests.
package e2e

//go:build !linux

package postgres

import "syscall"

// control does nothing where the system has no user timeout: a connection that
// died without a word is then noticed when the system gives up.
func control(string, string, syscall.RawConn) error { return nil }

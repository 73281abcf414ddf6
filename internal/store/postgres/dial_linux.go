package postgres

import (
	"syscall"
	"time"
)

// unanswered is how long sent bytes may stay without an answer before a
// connection counts as dead. Keepalive does not help there: Linux sends no probes
// while it still repeats data, which it does for a quarter of an hour.
const unanswered = 25 * time.Second

const tcpUserTimeout = 0x12 // TCP_USER_TIMEOUT, RFC 5482

// control prepares a socket before it connects.
func control(network, _ string, c syscall.RawConn) error {
	if network != "tcp4" && network != "tcp6" {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(unanswered.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}

package store

import "syscall"

// tcpUserTimeout is Linux's TCP_USER_TIMEOUT, which package syscall has no name for.
const tcpUserTimeout = 0x12

// giveUpSending ends a connection on which nothing that was sent is received: keep-alives wait for that, for a quarter of an hour. Where
// it cannot be set it is only slower.
func giveUpSending(network, _ string, conn syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	return conn.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, 10_000)
	})
}

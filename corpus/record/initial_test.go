//go:build linux

package main

import (
	"testing"

	"github.com/tlsflags/tlsflags/internal/quicseal"
)

func TestInitialsHaveTheLeastSize(t *testing.T) {
	for _, version := range []uint32{quicseal.V1, quicseal.V2} {
		p := quicseal.Packet{Version: version, DCID: make([]byte, 8), SCID: make([]byte, 4), NumberLen: 1}
		datagrams := sealInitials(p, make([]byte, 1500))
		if len(datagrams) != 2 || len(datagrams[0]) != datagramSize || len(datagrams[1]) != datagramSize {
			t.Errorf("version %#x: %d datagrams", version, len(datagrams))
		}
	}
}

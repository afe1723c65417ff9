package fuzz

import (
	"github.com/tlsflags/tlsflags/internal/oracle/extensiontest"
	"github.com/tlsflags/tlsflags/internal/oracle/handshaketest"
)

func messageOfSeeds(yield func([]byte) bool) {
	g := newGenerator(9)
	for range 6 {
		for _, t := range []uint8{2, 4, 8, 11, 13} {
			if !yield(handshaketest.Message(t, extensiontest.Block(g.randomExtensions()), extensiontest.Block(g.randomExtensions()))) {
				return
			}
		}
	}
}

//go:build openssl && cgo

package fuzz

import "testing"

func FuzzOpenSSL(f *testing.F) {
	for seed := range messageSeeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		if err := checkAgainstOpenSSL(msg); err != nil {
			t.Fatal(err)
		}
	})
}

func TestGeneratedAgainstOpenSSL(t *testing.T) {
	g := newGenerator(20)
	accepted := 0
	for range 2000 {
		msg, err := g.randomHello().Append(nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkAgainstOpenSSL(msg); err != nil {
			t.Errorf("%x: %v", msg, err)
		}
		if _, ok := openSSL(msg); ok {
			accepted++
		}
	}
	if accepted < 500 {
		t.Errorf("OpenSSL accepts %d of 2000 messages", accepted)
	}
}

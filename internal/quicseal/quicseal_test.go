package quicseal

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

const dcid = "8394c8f03e515708" // of the samples in both standards

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestKeysOfTheStandards(t *testing.T) {
	for _, tt := range []struct {
		name        string
		version     uint32
		server      bool
		key, iv, hp string
	}{
		{"RFC 9001, Appendix A.1, client", V1, false,
			"1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"},
		{"RFC 9001, Appendix A.1, server", V1, true,
			"cf3a5331653c364c88f0f379b6067e37", "0ac1493ca1905853b0bba03e", "c206b8d9b9f0f37644430b490eeaa314"},
		{"RFC 9369, Appendix A.1, client", V2, false,
			"8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"},
		{"RFC 9369, Appendix A.1, server", V2, true,
			"82db637861d55e1d011f19ea71d5d2a7", "dd13c276499c0249d3310652", "edf6d05c83121201b436e16877593c3a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, iv, hp := derive(tt.version, unhex(t, dcid), tt.server)
			if got := [3]string{hex.EncodeToString(key), hex.EncodeToString(iv), hex.EncodeToString(hp)}; got != [3]string{tt.key, tt.iv, tt.hp} {
				t.Errorf("got key, iv and hp %q", got)
			}
		})
	}
}

// The packets of a client, Appendix A.2 of both standards, are sealed and read by the
// tests of package assemble.
func TestPacketsOfTheStandards(t *testing.T) {
	payload := unhex(t, `02000000000600405a020000560303ee fce7f7b37ba1d1632e96677825ddf739
		88cfc79825df566dc5430b9a045a1200 130100002e00330024001d00209d3c94
		0d89690b84d08a60993c144eca684d10 81287c834d5311bcf32bb9da1a002b00
		020304`)
	for _, tt := range []struct {
		name    string
		version uint32
		packet  string
	}{
		{"RFC 9001, Appendix A.3", V1, `cf000000010008f067a5502a4262b500 4075c0d95a482cd0991cd25b0aac406a
			5816b6394100f37a1c69797554780bb3 8cc5a99f5ede4cf73c3ec2493a1839b3
			dbcba3f6ea46c5b7684df3548e7ddeb9 c3bf9c73cc3f3bded74b562bfb19fb84
			022f8ef4cdd93795d77d06edbb7aaf2f 58891850abbdca3d20398c276456cbc4
			2158407dd074ee`},
		{"RFC 9369, Appendix A.3", V2, `dc6b3343cf0008f067a5502a4262b500 4075d92faaf16f05d8a4398c47089698
			baeea26b91eb761d9b89237bbf872630 17915358230035f7fd3945d88965cf17
			f9af6e16886c61bfc703106fbaf3cb4c fa52382dd16a393e42757507698075b2
			c984c707f0a0812d8cd5a6881eaf21ce da98f4bd23f6fe1a3e2c43edd9ce7ca8
			4bed8521e2e140`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Packet{
				Version: tt.version, KeyDCID: unhex(t, dcid), Server: true,
				SCID: unhex(t, "f067a5502a4262b5"), Number: 1, NumberLen: 2, Payload: payload,
			}
			if got := p.Seal(); !bytes.Equal(got, unhex(t, tt.packet)) {
				t.Errorf("got %x", got)
			}
		})
	}
}

func TestSealTakesKeysThatExist(t *testing.T) {
	p := Packet{Version: V1, DCID: unhex(t, dcid), Payload: make([]byte, 10)}
	if a, b := p.Seal(), p.SealWith(NewKeys(V1, p.DCID, false)); !bytes.Equal(a, b) {
		t.Errorf("%x and %x differ", a, b)
	}
	other := p
	other.KeyDCID = []byte("another")
	if a, b := other.Seal(), p.SealWith(NewKeys(V1, []byte("another"), false)); !bytes.Equal(a, b) {
		t.Errorf("%x and %x differ", a, b)
	}
}

func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    Packet
		want string
	}{
		{"Initial", Packet{Version: V1, DCID: []byte{1, 2}, SCID: []byte{3}, Token: []byte{4}, Number: 5}, "c3 00000001 020102 0103 0104 4014 00000005"},
		{"Initial of version 2", Packet{Version: V2}, "d3 6b3343cf 00 00 00 4014 00000000"},
		{"0-RTT", Packet{Version: V1, Type: ZeroRTT, Token: []byte{4}}, "d3 00000001 00 00 4014 00000000"},
		{"Handshake of version 2", Packet{Version: V2, Type: Handshake}, "f3 6b3343cf 00 00 4014 00000000"},
		{"fixed bit off", Packet{Version: V1, Greased: true}, "83 00000001 00 00 00 4014 00000000"},
		{"packet number of one byte, cut", Packet{Version: V1, Number: 0x102, NumberLen: 1, Payload: make([]byte, 3)}, "c0 00000001 00 00 00 4014 02"},
		{"length of one byte", Packet{Version: V1, LengthLen: 1}, "c3 00000001 00 00 00 14 00000000"},
		{"length of four bytes", Packet{Version: V1, LengthLen: 4}, "c3 00000001 00 00 00 80000014 00000000"},
		{"length that takes more than asked for", Packet{Version: V1, LengthLen: 1, Payload: make([]byte, 44)}, "c3 00000001 00 00 00 4040 00000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.header(); !bytes.Equal(got, unhex(t, tt.want)) {
				t.Errorf("got %x, want %s", got, tt.want)
			}
			if at, sealed := tt.p.PayloadAt(), tt.p.Seal(); len(sealed) != at+len(tt.p.Payload)+tagLen {
				t.Errorf("the payload is at %d of %d bytes", at, len(sealed))
			}
		})
	}
}

func TestPadTo(t *testing.T) {
	frames := []byte{1, 2, 3, 4, 5}
	for lengthLen := range 3 {
		p := Packet{Version: V1, LengthLen: lengthLen, Payload: frames[:4]}
		least := len(p.Seal())
		for size := least - 2; size < least+100; size++ {
			padded := p.PadTo(size)
			n := len(padded.Seal())
			if n != max(size, least) && (lengthLen != 1 || n != size-1 || len(padded.Payload)+4+tagLen != 63) {
				t.Errorf("%d bytes of length: a packet of %d bytes instead of %d", lengthLen, n, size)
			}
			if !bytes.HasPrefix(padded.Payload, frames[:4]) || len(bytes.Trim(padded.Payload[4:], "\x00")) > 0 {
				t.Errorf("the payload is %x", padded.Payload)
			}
		}
	}
	if frames[4] != 5 {
		t.Error("what follows the payload was written to")
	}
}

func TestAppendVarint(t *testing.T) {
	for _, tt := range []struct {
		v    uint64
		want string
	}{
		{0, "00"}, {37, "25"}, {63, "3f"}, {64, "4040"}, {15293, "7bbd"}, {16383, "7fff"}, {16384, "80004000"},
		{494878333, "9d7f3e7d"}, {1<<30 - 1, "bfffffff"}, {1 << 30, "c000000040000000"}, {151288809941952652, "c2197c5eff14e88c"},
		{1<<62 - 1, "ffffffffffffffff"},
	} {
		if got := AppendVarint([]byte("b"), tt.v); !bytes.Equal(got, append([]byte("b"), unhex(t, tt.want)...)) {
			t.Errorf("%d is %x after the b, want %s", tt.v, got[1:], tt.want)
		}
	}
}

func TestAppendCrypto(t *testing.T) {
	if got := AppendCrypto([]byte("b"), 64, []byte("data")); string(got) != "b\x06\x40\x40\x04data" {
		t.Errorf("got %x", got)
	}
}

func TestVersions(t *testing.T) {
	all := slices.Collect(Versions())
	if !slices.Contains(all, V1) || !slices.Contains(all, V2) {
		t.Errorf("the standards are not among %x", all)
	}
	for _, version := range all {
		if len(NewKeys(version, nil, false).iv) != 12 {
			t.Errorf("no keys for %#x", version)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("version 0 has keys")
		}
	}()
	NewKeys(0, nil, false)
}

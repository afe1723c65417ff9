package assemble_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
)

func fromHex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sampleDCID and sampleCrypto are those of RFC 9001, Appendix A, and RFC 9369,
// Appendix A: the CRYPTO frame of the client's first Initial.
const (
	sampleDCID   = "8394c8f03e515708"
	sampleCrypto = `060040f1010000ed0303ebf8fa56f129 39b9584a3896472ec40bb863cfd3e868
		04fe3a47f06a2b69484c000004130113 02010000c000000010000e00000b6578
		616d706c652e636f6dff01000100000a 00080006001d00170018001000070005
		04616c706e0005000501000000000033 00260024001d00209370b2c9caa47fba
		baf4559fedba753de171fa71f50f1ce1 5d43e994ec74d748002b000302030400
		0d0010000e0403050306030203080408 050806002d00020101001c0002400100
		3900320408ffffffffffffffff050480 00ffff07048000ffff08011001048000
		75300901100f088394c8f03e51570806 048000ffff`
)

// TestQUICSamples opens the client's Initial of both appendices. The tag at the end
// of a packet depends on all of it, so the first and the last bytes say that the
// packet is the one in the standard.
func TestQUICSamples(t *testing.T) {
	tests := []struct {
		name        string
		version     uint32
		first, last string
	}{
		{
			"RFC 9001, Appendix A.2", quicV1,
			"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9b",
			"e221af44860018ab0856972e194cd934",
		},
		{
			"RFC 9369, Appendix A.2", quicV2,
			"d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071",
			"a18b2faa745b6fe189cf772a9f84cbfc",
		},
	}
	frame := fromHex(t, sampleCrypto)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			packet := initial{
				version: tt.version, dcid: fromHex(t, sampleDCID), number: 2, payload: padded(1162, frame),
			}.seal(t)
			if !bytes.HasPrefix(packet, fromHex(t, tt.first)) || !bytes.HasSuffix(packet, fromHex(t, tt.last)) || len(packet) != 1200 {
				t.Fatalf("the test seals another packet than the standard: %x", packet)
			}
			var q assemble.QUIC
			result := q.Feed(packet)
			if result.Outcome != assemble.Complete || !bytes.Equal(result.Message, frame[4:]) {
				t.Fatalf("got %v %v, %x", result.Outcome, result.Code, result.Message)
			}
			hello, _, err := clienthello.Parse(result.Message)
			if err != nil {
				t.Fatal(err)
			}
			if name, err := hello.ServerName(); string(name) != "example.com" {
				t.Errorf("server name %q, %v", name, err)
			}
		})
	}
}

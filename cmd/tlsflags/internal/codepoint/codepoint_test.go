package codepoint_test

import (
	"encoding/json"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/codepoint"
)

func TestJSON(t *testing.T) {
	for want, p := range map[string]codepoint.Point{
		`{"value":80,"name":"request_mtls"}`: codepoint.Of(uint16(80), "request_mtls"),
		`{"value":7,"name":null}`:            codepoint.Of(uint8(7), ""),
	} {
		got, err := json.Marshal(p)
		if err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
		var back codepoint.Point
		if err := json.Unmarshal(got, &back); err != nil || back != p {
			t.Errorf("%s is read as %v, %v", got, back, err)
		}
	}
}

package extension_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

// TestNoAllocs lists the calls that need no fixture of their own; handshake messages and
// verdicts are counted in the tables of their tests.
func TestNoAllocs(t *testing.T) {
	data := block(0, 5, 62, 1000)
	buffer := make([]byte, 0, 256)
	set, err := extension.NewFlagSet(0, 80, extension.MaxFlag)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := extension.ParseList(extension.ServerHello, data, 0)
	if err != nil {
		t.Fatal(err)
	}
	sink := 0
	for name, f := range map[string]func(){
		"ParseFlags":           func() { extension.ParseFlags(flag80) },
		"ParseFlags refused":   func() { extension.ParseFlags(flag80[:1]) },
		"ParseFlags and ask":   func() { flags, _, _ := extension.ParseFlags(flag80); flags.Has(80) },
		"ParseList":            func() { extension.ParseList(extension.ServerHello, data, 0) },
		"ParseList refused":    func() { extension.ParseList(extension.ServerHello, data[:len(data)-1], 0) },
		"List.Lookup":          func() { list.Lookup(5) },
		"List.Flags":           func() { list.Flags() },
		"List.HasFlag":         func() { list.HasFlag(80) },
		"NewFlagSet":           func() { extension.NewFlagSet(1, 2, 80) },
		"NewFlagSet refused":   func() { extension.NewFlagSet(extension.MaxFlag + 1) },
		"FlagSet.AppendTo":     func() { set.AppendTo(buffer) },
		"Code.Error and Alert": func() { sink += len(extension.ErrTruncated.Error()) + int(extension.ErrTruncated.Alert()) },
		"Registry.ByName":      func() { extension.Registry{}.ByName("request_client_auth") },
		"List.All": func() {
			for e := range list.All() {
				sink += int(e.Type)
			}
		},
		"List.All, stopped": func() {
			for range list.All() {
				break
			}
		},
		"FlagSet.All": func() {
			for f := range set.All() {
				sink += int(f)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%v allocations, want none", n)
			}
		})
	}
}

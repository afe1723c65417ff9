package extension_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

func TestRegistryTable(t *testing.T) {
	names := make(map[string]bool)
	numbers := make(map[extension.Flag]bool)
	last, unnumbered := -1, false
	for info := range (extension.Registry{}).All() {
		for _, name := range append(info.Aliases[:], info.Name) {
			if name == "" {
				continue
			}
			if names[name] {
				t.Errorf("the name %q is used twice", name)
			}
			names[name] = true
			if got, ok := (extension.Registry{}).ByName(name); !ok || got != info {
				t.Errorf("ByName(%q) = %v, %t", name, got, ok)
			}
		}
		if info.Unnumbered {
			unnumbered = true
		} else {
			if unnumbered || int(info.Number) <= last || numbers[info.Number] || info.Number > extension.MaxFlag {
				t.Errorf("%s: number %d out of order", info.Name, info.Number)
			}
			last, numbers[info.Number] = int(info.Number), true
			if got, ok := (extension.Registry{}).ByNumber(info.Number); !ok || got != info {
				t.Errorf("ByNumber(%d) = %v, %t", info.Number, got, ok)
			}
			if info.Number.Name() != info.Name {
				t.Errorf("Flag(%d).Name() = %q, want %q", info.Number, info.Number.Name(), info.Name)
			}
		}
		if info.Answers&^info.Messages != 0 || info.Answers.Has(extension.ClientHello) {
			t.Errorf("%s answers in %v, is allowed in %v", info.Name, info.Answers, info.Messages)
		}
		if info.Reference == "" || info.Status == extension.StatusLocal || !strings.Contains(" Y N ", " "+info.Recommended+" ") && info.Recommended != "" {
			t.Errorf("%s: reference %q, status %v, recommended %q", info.Name, info.Reference, info.Status, info.Recommended)
		}
	}
	if (extension.Registry{}).Len() != len(slices.Collect(extension.Registry{}.All())) {
		t.Error("Len does not count All")
	}
	for f := extension.Flag(0); f <= extension.MaxFlag; f++ {
		if _, ok := (extension.Registry{}).ByNumber(f); ok != numbers[f] {
			t.Errorf("ByNumber(%d) finds a flag: %t", f, ok)
		}
	}
}

func TestRegistryRows(t *testing.T) {
	tests := []struct {
		name        string
		number      int
		messages    string
		answers     string
		recommended string
		status      extension.Status
	}{
		{"resumption_across_names", 8, "NST", "", "N", extension.StatusProposed},
		{"request_mtls", 80, "CH,CR", "CR", "N", extension.StatusExperimental},
		{"request_client_auth", 80, "CH,CR", "CR", "N", extension.StatusExperimental},
		{"req_mtls", 80, "CH,CR", "CR", "N", extension.StatusExperimental},
		{"request_bot_auth", noFlag, "CH,CR", "CR", "N", extension.StatusRejected},
		{"extended_key_update", noFlag, "CH,EE", "EE", "Y", extension.StatusProposed},
		{"supplemental_certificate", noFlag, "CT", "", "Y", extension.StatusProposed},
		{"CMW_Attestation", noFlag, "CH,EE", "EE", "Y", extension.StatusProposed},
		{"dual_cert", noFlag, "CH,EE", "EE", "Y", extension.StatusProposed},
		{"post_handshake_auth_mutual", noFlag, "CH,EE", "EE", "Y", extension.StatusProposed},
		{"ca_suppression", noFlag, "CH,CR", "", "", extension.StatusProposed},
		{"large_record_size", noFlag, "CH,EE", "EE", "Y", extension.StatusWithdrawn},
		{"rrc", noFlag, "", "", "", extension.StatusWithdrawn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info, ok := extension.Registry{}.ByName(tt.name)
			number := int(info.Number)
			if info.Unnumbered {
				number = noFlag
			}
			if !ok || number != tt.number || info.Messages.String() != tt.messages || info.Answers.String() != tt.answers ||
				info.Recommended != tt.recommended || info.Status != tt.status {
				t.Errorf("%+v, %t", info, ok)
			}
		})
	}
}

func TestRegistryWith(t *testing.T) {
	zero := extension.Registry{}
	r, err := zero.With(extension.FlagInfo{Number: 100, Name: "mine"})
	if err != nil {
		t.Fatal(err)
	}
	if info, ok := r.ByNumber(100); !ok || info.Name != "mine" || info.Status != extension.StatusLocal {
		t.Errorf("ByNumber(100) = %v, %t", info, ok)
	}
	if _, ok := zero.ByNumber(100); ok {
		t.Error("With changes the registry it is called on")
	}
	if r, err = r.With(extension.FlagInfo{Number: 100, Name: "other"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.ByName("mine"); ok {
		t.Error("a number has two names")
	}
	if r, err = r.With(extension.FlagInfo{Number: 9, Name: "other"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.ByNumber(100); ok {
		t.Error("a name has two numbers")
	}
	renamed, err := zero.With(extension.FlagInfo{Number: 90, Name: "request_client_auth"})
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := renamed.Find("request_client_auth"); !ok || f != 90 {
		t.Errorf("Find of a name that was an alias = %d, %t, want 90", f, ok)
	}
	unnumbered, err := zero.With(extension.FlagInfo{Number: 3000, Name: "later", Unnumbered: true})
	if err != nil {
		t.Fatal(err)
	}
	if info, ok := unnumbered.ByName("later"); !ok || info.Number != 0 {
		t.Errorf("a flag without a number has number %d", info.Number)
	}
	var numbers []int
	for info := range r.All() {
		n := int(info.Number)
		if info.Unnumbered {
			n = noFlag
		}
		numbers = append(numbers, n)
	}
	want := append([]int{8, 9, 80}, slices.Repeat([]int{noFlag}, zero.Len()-2)...)
	if !slices.Equal(numbers, want) {
		t.Errorf("numbers %v, want them in order, and the flags without one behind", numbers)
	}
	if r, err = zero.With(extension.FlagInfo{Number: 0, Name: "first"}); err != nil {
		t.Fatal(err)
	}
	if r, err = r.With(extension.FlagInfo{Unnumbered: true, Name: "waiting"}); err != nil || r.Len() != zero.Len()+2 {
		t.Errorf("%d flags, %v; flag 0 and the flags without a number replace each other", r.Len(), err)
	}
	if _, err := zero.With(extension.FlagInfo{Number: extension.MaxFlag, Name: "last"}); err != nil {
		t.Errorf("number 2039: %v", err)
	}
	if _, err := zero.With(extension.FlagInfo{Number: 2040, Name: "x"}); err != extension.ErrFlagTooLarge {
		t.Errorf("number 2040: %v", err)
	}
	if _, err := zero.With(extension.FlagInfo{Number: 1}); err != extension.ErrFlagUnnamed {
		t.Errorf("no name: %v", err)
	}
}

func TestRegistryWithRequestMTLS(t *testing.T) {
	r, err := extension.Registry{}.WithRequestMTLS(64)
	if err != nil {
		t.Fatal(err)
	}
	if f, ok := r.RequestMTLS(); !ok || f != 64 {
		t.Errorf("RequestMTLS = %d, %t, want 64", f, ok)
	}
	if _, ok := r.ByNumber(80); ok {
		t.Error("80 is still taken")
	}
	if f, ok := (extension.Registry{}).RequestMTLS(); !ok || f != extension.RequestMTLS {
		t.Errorf("RequestMTLS of the zero value = %d, %t", f, ok)
	}
	x := extension.Exchange{Registry: r, Hello: hello(64)}
	if v := x.Judge(extension.EncryptedExtensions, extension.FromServer, list(extension.EncryptedExtensions, flagsExt(64))); v.Code != extension.ErrFlagMisplaced {
		t.Errorf("%q, want the rules of request_mtls to follow its number", v.Code.Name())
	}
	if _, err := r.WithRequestMTLS(2040); err != extension.ErrFlagTooLarge {
		t.Errorf("number 2040: %v", err)
	}
	taken, err := extension.Registry{}.With(extension.FlagInfo{Number: 80, Name: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := taken.RequestMTLS(); ok {
		t.Error("request_mtls keeps a number that has gone to another flag")
	}
	if again, err := taken.WithRequestMTLS(81); err != nil {
		t.Error(err)
	} else if f, ok := again.RequestMTLS(); !ok || f != 81 {
		t.Errorf("RequestMTLS = %d, %t after its return, want 81", f, ok)
	}
}

func TestRegistryFind(t *testing.T) {
	tests := []struct {
		s    string
		want extension.Flag
		ok   bool
	}{
		{"80", 80, true}, {"0x50", 80, true}, {"0", 0, true}, {"2039", 2039, true},
		{"request_mtls", 80, true}, {"request_client_auth", 80, true}, {"resumption_across_names", 8, true},
		{"2040", 0, false}, {"65616", 0, false}, {"-1", 0, false}, {"", 0, false}, {"8_0", 0, false}, {"nobody", 0, false},
		{"extended_key_update", 0, false},
	}
	for _, tt := range tests {
		if f, ok := (extension.Registry{}).Find(tt.s); ok != tt.ok || f != tt.want {
			t.Errorf("Find(%q) = %d, %t; want %d, %t", tt.s, f, ok, tt.want, tt.ok)
		}
	}
}

func ExampleRegistry_ByName() {
	info, _ := extension.Registry{}.ByName("request_client_auth")
	fmt.Println(info.Number, "in", info.Messages, "by", info.Reference)
	// Output: request_mtls in CH,CR by draft-jhoyla-req-mtls-flag, Section 3
}

func ExampleRegistry_With() {
	r, err := extension.Registry{}.With(extension.FlagInfo{
		Number:   100,
		Name:     "our_flag",
		Messages: 1<<extension.ClientHello | 1<<extension.EncryptedExtensions,
		Answers:  1 << extension.EncryptedExtensions,
	})
	f, ok := r.Find("our_flag")
	fmt.Println(uint16(f), ok, err)
	// Output: 100 true <nil>
}

package extension_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

const noFlag = -1

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
		for k := extension.ClientHello; k <= extension.NewSessionTicket; k++ {
			if info.Answers.Has(k) && (!info.Messages.Has(k) || k == extension.ClientHello) {
				t.Errorf("%s answers in %v, is allowed in %v", info.Name, info.Answers, info.Messages)
			}
		}
		if info.Reference == "" || info.Status == extension.StatusLocal || !strings.Contains(" Y N ", " "+info.Recommended+" ") && info.Recommended != "" {
			t.Errorf("%s: reference %q, status %v, recommended %q", info.Name, info.Reference, info.Status, info.Recommended)
		}
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

// numbersOf returns the numbers of the flags of a registry, noFlag for those without.
func numbersOf(r extension.Registry) []int {
	var numbers []int
	for info := range r.All() {
		n := int(info.Number)
		if info.Unnumbered {
			n = noFlag
		}
		numbers = append(numbers, n)
	}
	return numbers
}

func TestRegistryAllCanStop(t *testing.T) {
	count := 0
	for range (extension.Registry{}).All() {
		count++
		break
	}
	if count != 1 {
		t.Errorf("%d flags after a break, want 1", count)
	}
}

func TestRegistryByNameUnknown(t *testing.T) {
	for _, name := range []string{"", "nobody", "REQUEST_MTLS"} {
		if info, ok := (extension.Registry{}).ByName(name); ok || info != (extension.FlagInfo{}) {
			t.Errorf("ByName(%q) = %v, %t", name, info, ok)
		}
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
	if r, err = r.With(extension.FlagInfo{Number: 1999, Name: "other"}); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.ByNumber(100); ok {
		t.Error("a name has two numbers")
	}
	renamed, err := zero.With(extension.FlagInfo{Number: 90, Name: "request_client_auth"})
	if err != nil {
		t.Fatal(err)
	}
	if info, ok := renamed.ByName("request_client_auth"); !ok || info.Number != 90 {
		t.Errorf("ByName of a name that was an alias = %d, %t, want 90", info.Number, ok)
	}
	unnumbered, err := zero.With(extension.FlagInfo{Number: 3000, Name: "later", Unnumbered: true})
	if err != nil {
		t.Fatal(err)
	}
	if info, ok := unnumbered.ByName("later"); !ok || info.Number != 0 {
		t.Errorf("a flag without a number has number %d", info.Number)
	}
	numbers := numbersOf(r)
	want := append([]int{1999}, numbersOf(zero)...)
	slices.SortFunc(want, func(a, b int) int { return cmp.Compare(uint(a), uint(b)) }) // noFlag last
	if !slices.Equal(numbers, want) {
		t.Errorf("numbers %v, want %v", numbers, want)
	}
	if r, err = zero.With(extension.FlagInfo{Number: 0, Name: "first"}); err != nil {
		t.Fatal(err)
	}
	if r, err = r.With(extension.FlagInfo{Unnumbered: true, Name: "waiting"}); err != nil || len(numbersOf(r)) != len(numbersOf(zero))+2 {
		t.Errorf("%v, %v; flag 0 and the flags without a number replace each other", numbersOf(r), err)
	}
	if _, err := zero.With(extension.FlagInfo{Number: extension.MaxFlag, Name: "last"}); err != nil {
		t.Errorf("number 2039: %v", err)
	}
	first := r
	if r, err := first.With(extension.FlagInfo{Number: 2040, Name: "x"}); err != extension.ErrFlagTooLarge || !slices.Equal(numbersOf(r), numbersOf(first)) {
		t.Errorf("number 2040: %v, %v", numbersOf(r), err)
	}
	if r, err := first.With(extension.FlagInfo{Number: 1}); err != extension.ErrFlagUnnamed || !slices.Equal(numbersOf(r), numbersOf(first)) {
		t.Errorf("no name: %v, %v", numbersOf(r), err)
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
		Messages: extension.MessagesOf(extension.ClientHello, extension.EncryptedExtensions),
		Answers:  extension.MessagesOf(extension.EncryptedExtensions),
	})
	info, ok := r.ByName("our_flag")
	fmt.Println(uint16(info.Number), ok, err)
	// Output: 100 true <nil>
}

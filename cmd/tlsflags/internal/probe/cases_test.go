package probe

import (
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tlsflags/tlsflags/extension"
)

// TestCaseBytes compares all cases of three flags with their bytes.
func TestCaseBytes(t *testing.T) {
	ones, zeros := func(n int) string { return strings.Repeat("ff", n) }, func(n int) string { return strings.Repeat("00", n) }
	for flag, want := range map[extension.Flag][]string{
		9: {
			"empty_data  x1", "empty_vector 00 x1", "trailing_bytes 020002ff x1", "too_many_octets ff0002" + ones(254) + " x1", "all_zero 0100 x1",
			"all_zero_octets 020000 x1", "duplicate_extension 020002 x2", "inner_too_long 030002 x1", "trailing_zero 03000200 x1",
		},
		2031: {
			"empty_data  x1", "empty_vector 00 x1", "trailing_bytes fe" + zeros(253) + "80ff x1", "too_many_octets ff" + zeros(253) + "80ffff x1", "all_zero 0100 x1",
			"all_zero_octets fe" + zeros(254) + " x1", "duplicate_extension fe" + zeros(253) + "80 x2", "inner_too_long ff" + zeros(253) + "80 x1", "trailing_zero ff" + zeros(253) + "8000 x1",
		},
		extension.MaxFlag: {
			"empty_data  x1", "empty_vector 00 x1", "trailing_bytes ff" + zeros(254) + "80ff x1", "too_many_octets ff" + zeros(254) + "80ff x1", "all_zero 0100 x1",
			"all_zero_octets ff" + zeros(255) + " x1", "duplicate_extension ff" + zeros(254) + "80 x2", "inner_too_long ff" + zeros(254) + " x1",
		},
	} {
		var got []string
		for _, c := range malformedCases(flag) {
			list := c.extensions(extension.TLSFlags)
			for _, e := range list {
				if e.Type != extension.TLSFlags || string(e.Data) != string(c.data) {
					t.Errorf("%s: %v", c.name, e)
				}
			}
			got = append(got, fmt.Sprintf("%s %s x%d", c.name, hex.EncodeToString(c.data), len(list)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("flag %d (-want +got):\n%s", flag, diff)
		}
	}
}

func TestJudge(t *testing.T) {
	silent, asking := Handshake{Completed: true}, Handshake{Completed: true, CertificateRequested: true}
	acknowledging := Handshake{Completed: true, CertificateRequested: true, Acknowledged: true, RequestFlags: []extension.Flag{80}}
	for _, tt := range []struct {
		name           string
		plain, flagged Handshake
		want           Verdict
	}{
		{"refused", silent, Handshake{}, Refuses},
		{"asked, and refused after that", silent, Handshake{CertificateRequested: true}, Asks},
		{"acknowledged", silent, acknowledging, Acknowledges},
		{"acknowledged without the offer", acknowledging, acknowledging, AsksEverybody},
		{"asked", silent, asking, Asks},
		{"asked as without it", asking, asking, AsksEverybody},
		{"not asked", silent, silent, Ignores},
		{"not asked because of it", asking, silent, Ignores},
	} {
		if got := judge(80, tt.plain, tt.flagged); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestBetter checks that the verdicts are in order, after none at all.
func TestBetter(t *testing.T) {
	order := []Verdict{"", Refuses, Ignores, AsksEverybody, Asks, Acknowledges}
	for i, a := range order {
		for j, b := range order {
			if better(a, b) != (i > j) {
				t.Errorf("%q is better than %q: %v", a, b, better(a, b))
			}
		}
	}
}

func TestDistinguishedName(t *testing.T) {
	const name = "300d310b3009060355040313026361" // CN=ca
	for in, want := range map[string]string{name: "CN=ca", name + "00": name + "00", "30": "30", "": ""} {
		der, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := DistinguishedName(der); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// TestNoSuchFlag checks that a flag above the highest is an error.
func TestNoSuchFlag(t *testing.T) {
	a := newAuthorities(t)
	o := a.options(t, a.serve(t, func(l net.Listener, c *tls.Config) (net.Listener, *tls.Config) { return l, c }))
	o.Flag = extension.MaxFlag + 1
	if result, err := Probe(t.Context(), o); err == nil || len(result.Runs) != 1 {
		t.Errorf("%d runs, error %v", len(result.Runs), err)
	}
}

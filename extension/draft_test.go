package extension_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

func TestParseFlagsDraft(t *testing.T) {
	octets := func(n int) []byte { return append([]byte{byte(n)}, bytes.Repeat([]byte{1}, n)...) }
	all := []extension.Draft{extension.Draft09, extension.Draft00, extension.Draft01, extension.Draft03, extension.Draft04, extension.Draft07}
	strict := []extension.Draft{extension.Draft09, extension.Draft03, extension.Draft04, extension.Draft07}
	tests := []struct {
		name   string
		drafts []extension.Draft
		data   []byte
		flags  []extension.Flag
		n      int
		want   extension.Code
	}{
		{"reads {0} least significant bit first", append(strict, extension.Draft01), []byte{1, 0x01}, []extension.Flag{0}, 2, 0},
		{"reads {1,5} least significant bit first", append(strict, extension.Draft01), []byte{1, 0x22}, []extension.Flag{1, 5}, 2, 0},
		{"reads {0} of -00", []extension.Draft{extension.Draft00}, []byte{1, 0x80}, []extension.Flag{0}, 2, 0},
		{"reads {1,5} of -00", []extension.Draft{extension.Draft00}, []byte{1, 0x44}, []extension.Flag{1, 5}, 2, 0},
		{"reads {3,5,23} of -00", []extension.Draft{extension.Draft00}, []byte{3, 0x14, 0x00, 0x01}, []extension.Flag{3, 5, 23}, 4, 0},
		{"reads the same bytes as {2,4,16} later", append(strict, extension.Draft01), []byte{3, 0x14, 0x00, 0x01}, []extension.Flag{2, 4, 16}, 4, 0},
		{"accepts 31 octets of -00", []extension.Draft{extension.Draft00}, append([]byte{31}, append(make([]byte, 30), 0x01)...), []extension.Flag{247}, 32, 0},
		{"rejects 32 octets of -00", []extension.Draft{extension.Draft00}, octets(32), nil, 0, extension.ErrVectorSize},
		{"accepts 255 octets later", []extension.Draft{extension.Draft01}, append([]byte{255}, append(make([]byte, 254), 0x80)...), []extension.Flag{2039}, 256, 0},
		{"accepts the empty vector of -01", []extension.Draft{extension.Draft01}, []byte{0}, nil, 1, 0},
		{"accepts the empty data of -01", []extension.Draft{extension.Draft01}, nil, nil, 0, 0},
		{"rejects the empty vector", append(strict, extension.Draft00), []byte{0}, nil, 0, extension.ErrFlagsEmptyVector},
		{"rejects the empty data", append(strict, extension.Draft00), nil, nil, 0, extension.ErrFlagsEmptyData},
		{"accepts trailing zero octets before -03", []extension.Draft{extension.Draft01}, []byte{3, 2, 0, 0}, []extension.Flag{1}, 4, 0},
		{"accepts trailing zero octets of -00", []extension.Draft{extension.Draft00}, []byte{3, 0x40, 0, 0}, []extension.Flag{1}, 4, 0},
		{"rejects trailing zero octets", strict, []byte{3, 2, 0, 0}, nil, 3, extension.ErrFlagsTrailingZero},
		{"accepts all zero before -03", []extension.Draft{extension.Draft00, extension.Draft01}, []byte{2, 0, 0}, nil, 3, 0},
		{"rejects all zero", strict, []byte{2, 0, 0}, nil, 2, extension.ErrFlagsAllZero},
		{"rejects a vector longer than the data", all, []byte{5, 1}, nil, 0, extension.ErrFlagsInnerTooLong},
		{"rejects bytes behind the vector", all, []byte{1, 1, 0xff}, nil, 2, extension.ErrFlagsTrailingBytes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, d := range tt.drafts {
				set, n, err := extension.ParseFlagsDraft(d, tt.data)
				if got, _ := err.(extension.Code); n != tt.n || got != tt.want {
					t.Errorf("%v: %d, %v; want %d, %q", d, n, err, tt.n, tt.want.Name())
				}
				if got := slices.Collect(set.All()); !slices.Equal(got, tt.flags) {
					t.Errorf("%v: flags %v, want %v", d, got, tt.flags)
				}
				if n := testing.AllocsPerRun(1, func() { extension.ParseFlagsDraft(d, tt.data) }); n != 0 {
					t.Errorf("%v: %v allocations, want none", d, n)
				}
			}
		})
	}
}

// The newest draft is what ParseFlags reads, on every input of up to two octets.
func TestParseFlagsDraftNewest(t *testing.T) {
	check := func(data []byte) {
		flags, n, err := extension.ParseFlags(data)
		set, n2, err2 := extension.ParseFlagsDraft(extension.Draft09, data)
		if n != n2 || err != err2 || set != flags.Set() {
			t.Fatalf("% x: %d, %v; ParseFlags has %d, %v", data, n2, err2, n, err)
		}
	}
	check(nil)
	for i := range 256 {
		check([]byte{byte(i)})
		for j := range 256 {
			check([]byte{byte(i), byte(j)})
		}
	}
}

func TestDraftString(t *testing.T) {
	seen := make(map[string]bool)
	for d := extension.Draft09; d <= extension.Draft07; d++ {
		if seen[d.String()] {
			t.Errorf("%q names two drafts", d)
		}
		seen[d.String()] = true
	}
	var zero extension.Draft
	if got := zero.String(); got != "draft-ietf-tls-tlsflags-09 and later" {
		t.Errorf("the zero value is %q", got)
	}
}

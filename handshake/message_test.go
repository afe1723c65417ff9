package handshake_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
)

func TestMessageFields(t *testing.T) {
	byName := make(map[string]handshake.Message)
	for _, s := range samples() {
		m, _, err := handshake.Parse(s.msg)
		if err != nil {
			t.Fatal(err)
		}
		byName[s.name] = m
	}
	tests := []struct {
		name         string
		version      uint16
		suite        uint16
		context      string
		empty        bool
		flag         extension.Flag
		certificates []string
	}{
		{name: "ServerHello", version: 0x0304, suite: 0x1301},
		{name: "ServerHello with flags", version: 0x0304, suite: 0x1301, flag: 3},
		{name: "ServerHello of TLS 1.2 without an extension block", version: 0x0303, suite: 0x1301},
		{name: "ServerHello with supported_versions of three bytes", version: 0x0303, suite: 0x1301},
		{name: "HelloRetryRequest", version: 0x0304, suite: 0x1301, flag: 9},
		{name: "EncryptedExtensions", flag: 2039},
		{name: "CertificateRequest with a context", context: "context"},
		{name: "CertificateRequest", flag: 80},
		{name: "Certificate", context: "\xc0\xc1", flag: 5, certificates: []string{"leaf", "intermediate", "\x00"}},
		{name: "Certificate without an entry", context: "\xc0\xc1", empty: true},
		{name: "NewSessionTicket", flag: 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := byName[tt.name]
			if m.Version() != tt.version || m.CipherSuite() != tt.suite {
				t.Errorf("version %#x, cipher suite %#x; want %#x, %#x", m.Version(), m.CipherSuite(), tt.version, tt.suite)
			}
			if string(m.RequestContext()) != tt.context || m.Empty() != tt.empty {
				t.Errorf("context %q, empty %t; want %q, %t", m.RequestContext(), m.Empty(), tt.context, tt.empty)
			}
			if tt.flag != 0 && !m.HasFlag(tt.flag) || m.HasFlag(77) {
				t.Errorf("HasFlag(%d) = %t, HasFlag(77) = %t", tt.flag, m.HasFlag(tt.flag), m.HasFlag(77))
			}
			var certificates []string
			for e := range m.Entries() {
				certificates = append(certificates, string(e.CertData))
			}
			if !slices.Equal(certificates, tt.certificates) {
				t.Errorf("certificates %q, want %q", certificates, tt.certificates)
			}
		})
	}
}

// Every byte of the length of cert_data counts.
func TestEntriesWithLongCertData(t *testing.T) {
	want := []int{0x12, 0x1234, 0x12345, 0x20000}
	var entries []testEntry
	for i, n := range want {
		entries = append(entries, testEntry{bytes.Repeat([]byte{byte(i)}, n), [][]byte{flagsExt(extension.Flag(i))}})
	}
	m, _, err := handshake.ParseCertificate(certificate(entries...))
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for e := range m.Entries() {
		if !bytes.Equal(e.CertData, entries[i].cert) || !e.Extensions.HasFlag(extension.Flag(i)) {
			t.Errorf("entry %d: %d bytes, want %d", i, len(e.CertData), want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%d entries, want %d", i, len(want))
	}
}

func TestZeroMessage(t *testing.T) {
	var m handshake.Message
	for range m.Blocks() {
		t.Error("the zero value has a block")
	}
	for range m.Entries() {
		t.Error("the zero value has an entry")
	}
	if m.Kind() != 0 || m.Empty() || m.HasFlag(0) || m.RequestContext() != nil || m.CipherSuite() != 0 || m.Version() != 0 {
		t.Error("the zero value has fields")
	}
}

func TestMessageAllocatesNothing(t *testing.T) {
	check := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(10, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
	for _, s := range samples() {
		check(s.name+", accepted", func() { handshake.Parse(s.msg) })
		for _, cut := range []int{0, 1, 4, len(s.msg) / 2, len(s.msg) - 1} {
			check(s.name+", cut", func() { handshake.Parse(s.msg[:cut]) })
		}
		short := slices.Clone(s.msg)
		short[3]--
		check(s.name+", one byte too long", func() { handshake.Parse(short) })
		m, _, err := handshake.Parse(s.msg)
		if err != nil {
			t.Fatal(err)
		}
		check(s.name+", read", func() {
			for block := range m.Blocks() {
				block.HasFlag(1)
			}
			for e := range m.Entries() {
				_ = e.CertData
			}
			_, _, _, _, _ = m.Kind(), m.Empty(), m.RequestContext(), m.CipherSuite(), m.Version()
			m.HasFlag(80)
		})
	}
}

func TestIterationCanStop(t *testing.T) {
	n := 0
	for range (extension.Registry{}).All() {
		n++
		break
	}
	certificate := []byte{11, 0, 0, 16, 0, 0, 0, 12, 0, 0, 1, 0x30, 0, 0, 0, 0, 1, 0x31, 0, 0}
	m, _, err := handshake.Parse(certificate)
	if err != nil {
		t.Fatal(err)
	}
	for range m.Entries() {
		n++
		break
	}
	if n != 2 {
		t.Errorf("%d steps, want one each", n)
	}
}

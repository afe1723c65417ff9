package extension_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

// Every code that has a name has a whole row, and no two have the same name.
func TestCodes(t *testing.T) {
	names := make(map[string]extension.Code)
	slug := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for i := range 256 {
		c := extension.Code(i)
		if c.Name() == "" {
			if c.Alert() != extension.AlertInternalError || c.Clause() != "" || !strings.HasPrefix(c.Error(), "tlsflags: code ") {
				t.Errorf("code %d has half a row", i)
			}
			if _, ok := c.AlternativeAlert(); ok {
				t.Errorf("code %d has half a row", i)
			}
			continue
		}
		if other, ok := names[c.Name()]; ok {
			t.Errorf("%q is the name of %d and %d", c.Name(), other, c)
		}
		names[c.Name()] = c
		if !slug.MatchString(c.Name()) || c.Clause() == "" || c.Alert() == 0 || !strings.HasPrefix(c.Error(), "tlsflags: ") {
			t.Errorf("code %d (%q) has half a row", i, c.Name())
		}
		if other, ok := c.AlternativeAlert(); ok && other == c.Alert() {
			t.Errorf("%q has its own alert as the alternative", c.Name())
		}
		if !errors.Is(error(c), c) {
			t.Errorf("%q does not match itself", c.Name())
		}
	}
	if len(names) < 25 {
		t.Errorf("only %d codes", len(names))
	}
}

func TestAlertNames(t *testing.T) {
	names := make(map[string]bool)
	for i := range 256 {
		name := extension.Alert(i).String()
		if names[name] {
			t.Errorf("two alerts are called %q", name)
		}
		names[name] = true
	}
	for a, want := range map[extension.Alert]string{
		0: "close_notify", 10: "unexpected_message", 22: "record_overflow", 40: "handshake_failure", 42: "bad_certificate",
		47: "illegal_parameter", 50: "decode_error", 70: "protocol_version", 80: "internal_error", 109: "missing_extension",
		110: "unsupported_extension", 116: "certificate_required", 200: "alert(200)",
	} {
		if a.String() != want {
			t.Errorf("alert %d is %q, want %q", int(a), a, want)
		}
	}
}

func TestTypeNames(t *testing.T) {
	for typ, want := range map[extension.Type]string{
		0: "server_name", 62: "tls_flags", 0x0a0a: "GREASE(0x0a0a)", 0xfafa: "GREASE(0xfafa)", 0x0afa: "extension(2810)", 65000: "extension(65000)",
	} {
		if typ.String() != want {
			t.Errorf("type %d is %q, want %q", int(typ), typ, want)
		}
	}
	names := make(map[string]extension.Type)
	for i := range 1 << 16 {
		typ := extension.Type(i)
		name := typ.Name()
		if other, ok := names[name]; ok && name != "" && !typ.IsGREASE() {
			t.Errorf("%d and %d are called %q", typ, other, name)
		}
		names[name] = typ
	}
	if n := extension.Type(0x0a0a).Name(); n != "GREASE" {
		t.Errorf("a GREASE type is called %q", n)
	}
	if n := extension.Type(65000).Name(); n != "" {
		t.Errorf("an unknown type is called %q", n)
	}
}

func TestMessageNames(t *testing.T) {
	want := []string{"ClientHello", "ServerHello", "HelloRetryRequest", "EncryptedExtensions", "Certificate", "CertificateRequest", "NewSessionTicket", "unknown message"}
	for i, name := range want {
		if got := (extension.ClientHello + extension.MessageKind(i)).String(); got != name {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

func TestCodeErr(t *testing.T) {
	if err := extension.Code(0).Err(); err != nil {
		t.Errorf("the zero Code gives the error %v", err)
	}
	if err := extension.ErrTruncated.Err(); err != extension.ErrTruncated {
		t.Errorf("ErrTruncated gives the error %v", err)
	}
}

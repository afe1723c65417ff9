package extension_test

import (
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

func TestMessageKindString(t *testing.T) {
	for i := range 256 {
		k := extension.MessageKind(i)
		known := k >= extension.ClientHello && k <= extension.NewSessionTicket
		if name := k.String(); name == "" || (name != "unknown message") != known {
			t.Errorf("kind %d is called %q", i, name)
		}
	}
}

func TestMessagesOf(t *testing.T) {
	if s := extension.MessagesOf(); s != (extension.MessageSet{}) || !s.IsEmpty() || s.String() != "" {
		t.Errorf("the set of nothing is %q", s)
	}
	if s := extension.MessagesOf(0, 8, 255); !s.IsEmpty() {
		t.Errorf("the set of numbers that are no kinds is %q", s)
	}
	all := extension.MessagesOf(extension.NewSessionTicket, extension.CertificateRequest, extension.Certificate,
		extension.EncryptedExtensions, extension.HelloRetryRequest, extension.ServerHello, extension.ClientHello)
	if got := all.String(); got != "CH,SH,HRR,EE,CR,CT,NST" {
		t.Errorf("the set of all kinds is %q", got)
	}
	for i, name := range []string{"CH", "SH", "HRR", "EE", "CT", "CR", "NST"} {
		if got := extension.MessagesOf(extension.ClientHello + extension.MessageKind(i)).String(); got != name {
			t.Errorf("the set of one kind is %q, want %q", got, name)
		}
	}
	for i := range 256 {
		k := extension.MessageKind(i)
		known := k >= extension.ClientHello && k <= extension.NewSessionTicket
		one := extension.MessagesOf(k)
		if all.Has(k) != known || one.Has(k) != known || one.IsEmpty() == known {
			t.Errorf("kind %d: in the set of all %t, in its own %t", i, all.Has(k), one.Has(k))
		}
	}
}

func TestStatusString(t *testing.T) {
	names := map[extension.Status]string{
		extension.StatusLocal: "local", extension.StatusProposed: "proposed", extension.StatusExperimental: "experimental",
		extension.StatusWithdrawn: "withdrawn", extension.StatusRejected: "rejected",
	}
	for i := range 256 {
		s := extension.Status(i)
		want, ok := names[s]
		if !ok {
			want = "unknown status"
		}
		if s.String() != want {
			t.Errorf("status %d is %q, want %q", i, s, want)
		}
	}
}

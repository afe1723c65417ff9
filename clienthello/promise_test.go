package clienthello_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/extension"
)

func chrome(t testing.TB) []byte {
	e, ok := corpus.Lookup("records/utls-chrome-133-ext62-80.bin")
	if !ok {
		t.Fatal("the recorded hello is gone from the corpus")
	}
	return e.Data()[5:]
}

func TestNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	msg := chrome(t)
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		t.Fatal(err)
	}
	dtls := encode(t, minimal(), true)
	many := encode(t, with(manyTypes(1000)...), false)
	double := encode(t, with(append(manyTypes(1000), ext(64))...), false)
	early := encode(t, with(ext(0), ext(999), ext(999)), false)
	buffer := make([]byte, 0, len(msg))
	sink := 0
	for name, f := range map[string]func(){
		"Parse":                        func() { clienthello.Parse(msg) },
		"Parse truncated":              func() { clienthello.Parse(msg[:len(msg)-1]) },
		"Parse refused":                func() { clienthello.Parse(early) },
		"Parse 1000 extensions":        func() { clienthello.Parse(many) },
		"Parse 1001 with a duplicate":  func() { clienthello.Parse(double) },
		"Parse wrong type as an error": func() { _, _, err := clienthello.Parse(msg[1:]); _ = err.Error() },
		"ParseTolerant":                func() { clienthello.ParseTolerant(msg, clienthello.AllServers) },
		"ParseTolerant refused":        func() { clienthello.ParseTolerant(msg[:len(msg)-1], clienthello.AllServers) },
		"ParsePartial":                 func() { clienthello.ParsePartial(msg) },
		"ParsePartial of a part":       func() { clienthello.ParsePartial(msg[:len(msg)-1]) },
		"ParseDTLS":                    func() { h, _, _ := clienthello.ParseDTLS(dtls); h.LegacyCookie() },
		"HasFlag":                      func() { hello.HasFlag(extension.RequestMTLS) },
		"Flags": func() {
			flags, _, _ := hello.Flags()
			for f := range flags.All() {
				sink += int(f)
			}
			for f := range flags.Set().All() {
				sink += int(f)
			}
			sink += flags.Len()
		},
		"fields": func() {
			sink += int(hello.LegacyVersion()) + len(hello.Random()) + len(hello.LegacySessionID()) +
				len(hello.LegacyCompressionMethods()) + len(hello.Raw())
			for s := range hello.CipherSuites().All() {
				sink += int(s)
			}
		},
		"Extensions": func() {
			for e := range hello.Extensions().All() {
				sink += len(e.Data)
				hello.Extensions().Lookup(e.Type)
			}
		},
		"CheckExtension": func() {
			for e := range hello.Extensions().All() {
				hello.CheckExtension(e.Type)
			}
		},
		"ServerName": func() { hello.ServerName() },
		"ALPN": func() {
			v, _ := hello.ALPN()
			for p := range v.All() {
				sink += len(p)
			}
		},
		"SupportedVersions": func() {
			v, _ := hello.SupportedVersions()
			for x := range v.All() {
				sink += int(x)
			}
			hello.OffersTLS13()
		},
		"SupportedGroups":         func() { hello.SupportedGroups() },
		"SignatureAlgorithms":     func() { hello.SignatureAlgorithms() },
		"SignatureAlgorithmsCert": func() { hello.SignatureAlgorithmsCert() },
		"CompressCertificate":     func() { hello.CompressCertificate() },
		"KeyShares": func() {
			v, _ := hello.KeyShares()
			for x := range v.All() {
				sink += len(x.KeyExchange)
			}
		},
		"PreSharedKey": func() {
			v, _ := hello.PreSharedKey()
			for x := range v.Identities() {
				sink += len(x.Identity)
			}
			for x := range v.Binders() {
				sink += len(x)
			}
		},
		"PSKKeyExchangeModes":     func() { hello.PSKKeyExchangeModes() },
		"ECPointFormats":          func() { hello.ECPointFormats() },
		"Cookie":                  func() { hello.Cookie() },
		"RenegotiationInfo":       func() { hello.RenegotiationInfo() },
		"EarlyData":               func() { hello.EarlyData() },
		"ExtendedMasterSecret":    func() { hello.ExtendedMasterSecret() },
		"EncryptedClientHello":    func() { hello.EncryptedClientHello() },
		"QUICTransportParameters": func() { hello.QUICTransportParameters() },
		"SessionTicket":           func() { hello.SessionTicket() },
		"RecordSizeLimit":         func() { hello.RecordSizeLimit() },
		"StatusRequest":           func() { hello.StatusRequest() },
		"AppendTo":                func() { hello.AppendTo(buffer) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestImports checks that the parsers import the standard library and each other alone,
// and of that nothing large.
func TestImports(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command: ", err)
	}
	out, err := exec.Command(goTool, "list", "-json=ImportPath,Imports", "../extension", "../handshake", "../rules", "../internal/wire", "../fingerprint", ".", "./assemble").Output()
	if err != nil {
		t.Skip("go list does not run here: ", err)
	}
	const module = "github.com/tlsflags/tlsflags/"
	allowed := map[string][]string{ // by what imports it
		module + "extension":            nil,
		module + "internal/wire":        {module + "extension"},
		module + "handshake":            {module + "extension", module + "internal/wire"},
		module + "rules":                {module + "extension", module + "handshake"},
		module + "clienthello":          {module + "extension", module + "internal/wire"},
		module + "clienthello/assemble": {module + "extension", module + "clienthello"},
		module + "fingerprint":          {module + "extension", module + "clienthello"},
	}
	forbidden := []string{"fmt", "reflect", "unsafe", "net", "os", "encoding/json"}
	std := func(path string) bool { // no dot in the first element
		for _, c := range path {
			switch c {
			case '.':
				return false
			case '/':
				return true
			}
		}
		return true
	}
	dec := json.NewDecoder(bytes.NewReader(out))
	packages := 0
	for dec.More() {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages++
		for _, path := range p.Imports {
			if slices.Contains(forbidden, path) || !std(path) && !slices.Contains(allowed[p.ImportPath], path) {
				t.Errorf("%s imports %s", p.ImportPath, path)
			}
		}
	}
	if packages != len(allowed) {
		t.Errorf("go list names %d packages, want %d", packages, len(allowed))
	}
}

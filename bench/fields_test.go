package bench

import (
	"crypto/sha256"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/fingerprint"
)

// fieldTasks returns the tasks to learn what a hello says: its flag, all of its fields, and
// its JA4, whose hashes have a task of their own.
func fieldTasks(record []byte) []task {
	msg := record[recordHeaderLen:]
	hello, _, err := clienthello.Parse(msg)
	if err != nil {
		panic(err)
	}
	var fields clienthello.Fields
	raw := fingerprint.AppendJA4R(nil, hello, fingerprint.TCP)
	const offer = len("t13d1516h2_")
	suites, extensions := cutLists(raw[offer:])
	return []task{
		{"tlsflags Parse+HasFlag", func() {
			hello, _, _ := clienthello.Parse(msg)
			flagged = hello.HasFlag(extension.RequestMTLS)
		}},
		{"tlsflags Parse and 20 fields", func() {
			hello, _, _ := clienthello.Parse(msg)
			hello.ReadFields(&fields)
			total = sumFields(hello, &fields)
		}},
		{"SHA-256 of what JA4 hashes", func() {
			sha256.Sum256(suites)
			sha256.Sum256(extensions)
		}},
		{"fingerprint.SumJA4", func() { fingerprint.SumJA4(hello, fingerprint.TCP) }},
	}
}

// cutLists cuts the suites from the extensions.
func cutLists(raw []byte) (suites, extensions []byte) {
	for i, c := range raw {
		if c == '_' {
			return raw[:i], raw[i+1:]
		}
	}
	return raw, nil
}

// total takes what sumFields returns, so that the compiler cannot drop the call.
var total int

// sumFields walks each list to its end.
func sumFields(h clienthello.ClientHello, f *clienthello.Fields) int {
	n := int(h.Random()[0]) + len(f.ServerName) + len(f.RenegotiationInfo) + len(f.Cookie) +
		len(f.SessionTicket) + int(f.StatusRequest.Type) + len(f.EncryptedClientHello.Payload) +
		sum(h.CipherSuites()) + sum(f.SupportedVersions) + sum(f.SupportedGroups) +
		sum(f.SignatureAlgorithms) + sum(f.SignatureAlgorithmsCert)
	for name := range f.ALPN.All() {
		n += len(name)
	}
	for share := range f.KeyShares.All() {
		n += len(share.KeyExchange)
	}
	for _, b := range [...][]byte{f.PSKKeyExchangeModes, f.ECPointFormats} {
		for _, v := range b {
			n += int(v)
		}
	}
	for id := range f.PreSharedKey.Identities() {
		n += len(id.Identity)
	}
	for flag := range f.Flags.All() {
		n += int(flag)
	}
	if f.ExtendedMasterSecret || f.EarlyData {
		n++
	}
	return n
}

func sum[T ~uint16](list clienthello.Vector[T]) (n int) {
	for v := range list.All() {
		n += int(v)
	}
	return n
}

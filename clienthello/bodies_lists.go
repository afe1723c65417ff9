package clienthello

import (
	"iter"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/internal/wire"
)

// The bodies that are lists of vectors.

// ServerName returns the host_name of the server_name extension, as defined in RFC
// 6066, Section 3, unchanged: whether it is a valid DNS name is not checked.
// Two names of one type are ErrIllegalValue.
func (h ClientHello) ServerName() ([]byte, error) {
	return lookup(h, extension.ServerName, parseServerName)
}

func parseServerName(data []byte) ([]byte, int, error) {
	// struct { NameType name_type; opaque HostName<1..2^16-1>; } ServerName;
	// ServerName server_name_list<1..2^16-1>;
	if n := fits(data, 2); n > 3 && data[2] == 0 && fits(data[3:], 2) > 0 {
		return data[5:], len(data), nil
	}
	b := wire.NewReader(data, 0)
	var host []byte
	var seen [4]uint64 // a bit for each name_type
	outer := b.Open(2, 1, 1)
	for b.Left() > 0 {
		start := b.At()
		nameType := b.Uint(1)
		name := b.Vector(2, 1, 1)
		if seen[nameType/64]>>(nameType%64)&1 != 0 {
			b.Fail(extension.ErrIllegalValue, start)
		}
		seen[nameType/64] |= 1 << (nameType % 64)
		if nameType == 0 {
			host = name
		}
	}
	b.Close(outer)
	return done(&b, host)
}

// ProtocolNames is the validated list of ALPN protocol names, a view that shares the
// message's memory. The zero value is empty.
type ProtocolNames struct{ data []byte }

// All yields the names in the client's order of preference, each of 1 to 255 bytes.
func (p ProtocolNames) All() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := 0; i < len(p.data); {
			end := i + 1 + int(p.data[i])
			if !yield(p.data[i+1 : end : end]) {
				return
			}
			i = end
		}
	}
}

// Len returns how many names there are.
func (p ProtocolNames) Len() int {
	n := 0
	for range p.All() {
		n++
	}
	return n
}

// ALPN returns the names of the application_layer_protocol_negotiation extension, as
// defined in RFC 7301, Section 3.1.
func (h ClientHello) ALPN() (ProtocolNames, error) {
	return lookup(h, extension.ALPN, parseALPN)
}

func parseALPN(data []byte) (ProtocolNames, int, error) {
	// opaque ProtocolName<1..2^8-1>; ProtocolName protocol_name_list<2..2^16-1>
	if fits(data, 2) > 0 {
		i := 2
		for i < len(data) && data[i] != 0 {
			i += 1 + int(data[i])
		}
		if i == len(data) {
			return ProtocolNames{data[2:]}, i, nil
		}
	}
	b := wire.NewReader(data, 0)
	outer := b.Open(2, 2, 1)
	names := b.Window()
	for b.Left() > 0 {
		b.Vector(1, 1, 1)
	}
	b.Close(outer)
	return done(&b, ProtocolNames{names})
}

// KeyShareEntry is one key share, as defined in RFC 9846, Section 4.3.8.
type KeyShareEntry struct {
	Group       Group
	KeyExchange []byte // 1 to 65,535 bytes
}

// KeyShares is the validated list of key shares, a view that shares the message's
// memory. The zero value is empty.
type KeyShares struct{ data []byte }

// All yields the key shares in the client's order of preference.
func (k KeyShares) All() iter.Seq[KeyShareEntry] {
	return func(yield func(KeyShareEntry) bool) {
		for i := 0; i < len(k.data); {
			b := k.data[i:]
			end := 4 + (int(b[2])<<8 | int(b[3]))
			if !yield(KeyShareEntry{Group(b[0])<<8 | Group(b[1]), b[4:end:end]}) {
				return
			}
			i += end
		}
	}
}

// Len returns how many key shares there are.
func (k KeyShares) Len() int {
	n := 0
	for range k.All() {
		n++
	}
	return n
}

// KeyShares returns the client_shares of the key_share extension, as defined in RFC
// 9846, Section 4.3.8. An empty list asks the server for a HelloRetryRequest.
func (h ClientHello) KeyShares() (KeyShares, error) {
	return lookup(h, extension.KeyShare, parseKeyShares)
}

func parseKeyShares(data []byte) (KeyShares, int, error) {
	// struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } KeyShareEntry;
	// KeyShareEntry client_shares<0..2^16-1>;
	if fits(data, 2) > 0 {
		i := 2
		for i+4 < len(data) && data[i+2]|data[i+3] != 0 {
			i += 4 + (int(data[i+2])<<8 | int(data[i+3]))
		}
		if i == len(data) {
			return KeyShares{data[2:]}, i, nil
		}
	}
	b := wire.NewReader(data, 0)
	outer := b.Open(2, 0, 1)
	shares := b.Window()
	for b.Left() > 0 {
		b.Uint(2)
		b.Vector(2, 1, 1)
	}
	b.Close(outer)
	return done(&b, KeyShares{shares})
}

// PSKIdentity is one offered pre-shared key, as defined in RFC 9846, Section 4.3.11.
type PSKIdentity struct {
	Identity            []byte // 1 to 65,535 bytes
	ObfuscatedTicketAge uint32 // in milliseconds, plus ticket_age_add
}

// OfferedPSKs is the validated body of pre_shared_key in a ClientHello, a view that
// shares the message's memory. It has as many binders as identities. The zero value
// is empty.
type OfferedPSKs struct{ identities, binders []byte }

// Identities yields the pre-shared keys in the client's order of preference.
func (p OfferedPSKs) Identities() iter.Seq[PSKIdentity] {
	return func(yield func(PSKIdentity) bool) {
		for i := 0; i < len(p.identities); {
			b := p.identities[i:]
			end := 2 + (int(b[0])<<8 | int(b[1]))
			age := b[end : end+4]
			id := PSKIdentity{
				Identity:            b[2:end:end],
				ObfuscatedTicketAge: uint32(age[0])<<24 | uint32(age[1])<<16 | uint32(age[2])<<8 | uint32(age[3]),
			}
			if !yield(id) {
				return
			}
			i += end + 4
		}
	}
}

// Binders yields the binders in the order of the identities, each of 32 to 255 bytes.
func (p OfferedPSKs) Binders() iter.Seq[[]byte] { return ProtocolNames{p.binders}.All() }

// Len returns how many pre-shared keys are offered.
func (p OfferedPSKs) Len() int { return ProtocolNames{p.binders}.Len() }

// PreSharedKey returns the offers of the pre_shared_key extension, as defined in RFC
// 9846, Section 4.3.11. Another number of binders than of identities is ErrIllegalValue.
func (h ClientHello) PreSharedKey() (OfferedPSKs, error) {
	return lookup(h, extension.PreSharedKey, parsePreSharedKey)
}

func parsePreSharedKey(data []byte) (OfferedPSKs, int, error) {
	// struct { opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; } PskIdentity;
	// opaque PskBinderEntry<32..255>;
	// PskIdentity identities<7..2^16-1>; PskBinderEntry binders<33..2^16-1>;
	const minIdentities, minBinders, minBinder = 7, 33, 32
	b := wire.NewReader(data, 0)
	var p OfferedPSKs
	count := 0
	outer := b.Open(2, minIdentities, 1)
	p.identities = b.Window()
	for b.Left() > 0 {
		b.Vector(2, 1, 1)
		b.Uint(4)
		count++
	}
	b.Close(outer)
	start := b.At()
	outer = b.Open(2, minBinders, 1)
	p.binders = b.Window()
	for b.Left() > 0 {
		b.Vector(1, minBinder, 1)
		count--
	}
	b.Close(outer)
	if count != 0 {
		b.Fail(extension.ErrIllegalValue, start)
	}
	return done(&b, p)
}

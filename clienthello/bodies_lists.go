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
	list, code := wire.Vector(data, 2, 1, 1)
	if code != 0 {
		return nil, 0, code
	}
	var host []byte
	var seen [4]uint64 // a bit for each name_type
	for i := 0; i < len(list); {
		nameType := list[i]
		name, code := wire.Vector(list[i+1:], 2, 1, 1)
		if code != 0 {
			return nil, 2 + i + 1, code
		}
		if seen[nameType/64]>>(nameType%64)&1 != 0 {
			return nil, 2 + i, extension.ErrIllegalValue
		}
		seen[nameType/64] |= 1 << (nameType % 64)
		if nameType == 0 {
			host = name
		}
		i += 3 + len(name)
	}
	return closed(data, host, 2+len(list))
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
	names, code := wire.Vector(data, 2, 2, 1)
	if code != 0 {
		return ProtocolNames{}, 0, code
	}
	for i := 0; i < len(names); {
		name, code := wire.Vector(names[i:], 1, 1, 1)
		if code != 0 {
			return ProtocolNames{}, 2 + i, code
		}
		i += 1 + len(name)
	}
	return closed(data, ProtocolNames{names}, 2+len(names))
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
	const group = 2
	shares, code := wire.Vector(data, 2, 0, 1)
	if code != 0 {
		return KeyShares{}, 0, code
	}
	for i := 0; i < len(shares); {
		if len(shares)-i < group {
			return KeyShares{}, 2 + i, extension.ErrFieldOverrun
		}
		key, code := wire.Vector(shares[i+group:], 2, 1, 1)
		if code != 0 {
			return KeyShares{}, 2 + i + group, code
		}
		i += group + 2 + len(key)
	}
	return closed(data, KeyShares{shares}, 2+len(shares))
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

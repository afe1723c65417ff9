package main

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tlsflags/tlsflags/extension"
)

// unasked are the kinds of which no stack is asked, with the reason.
var unasked = []struct{ kind, reason string }{
	{tlsFlags, "No stack knows tls_flags. Each body is put into one and the same ClientHello: see above."},
	{messages, "A server reads no messages of servers, and those of clients only after its own."},
	{requestMTLS, "No stack knows request_mtls."},
}

// overLimit is the code of tests that are not asked: no stack takes a limit of memory.
const overLimit = "over_limit"

// asked returns what a vector is carried in, and whether it can be asked.
func (v *vector) asked() (transport, bool) {
	for _, u := range unasked {
		if u.kind == v.Kind {
			return "", false
		}
	}
	if v.Code == overLimit {
		return "", false
	}
	switch v.Entry {
	case "handshake":
		return message, true
	case "records":
		return tls, true
	case "quic_datagrams":
		return quic, true
	case "dtls_datagrams":
		return dtls, true
	case "datagrams":
		return transport(v.Kind), true
	}
	return "", false
}

// takes reports whether the driver reads what a test is carried in.
func (s stack) takes(over transport) bool {
	return slices.Contains(s.transports, over) || over == message && slices.Contains(s.transports, tls)
}

// askAll asks a stack for everything that it can be asked.
func (p *process) askAll(list []*vector) (result, error) {
	r := result{Stack: p.name, Version: p.version, Verdicts: map[string]verdict{}}
	for _, v := range list {
		if err := p.askTest(&r, v); err != nil {
			return r, fmt.Errorf("%s: %w", v.ID, err)
		}
	}
	return r, nil
}

func (p *process) askTest(r *result, v *vector) error {
	if v.Kind == tlsFlags {
		if !p.takes(message) {
			return nil
		}
		did, err := p.ask(message, stockHello(v.Input))
		r.flags(v.ID, did)
		return err
	}
	over, ok := v.asked()
	if !ok || !p.takes(over) {
		return nil
	}
	if v.Prefixes == nil {
		did, err := p.ask(over, v.pieces()...)
		r.Verdicts[v.ID] = did
		return err
	}
	// The verdict of a test of prefixes is the one that is not "waits", if there is one.
	r.Verdicts[v.ID] = waits
	for n := v.Prefixes.From; n <= v.Prefixes.To; n++ {
		did, err := p.ask(over, v.Input[:n])
		if err != nil {
			return err
		}
		if did != waits {
			r.Verdicts[v.ID] = did
		}
	}
	return nil
}

// stockHello returns a ClientHello that every stack accepts, with an extension tls_flags
// that has this extension_data.
func stockHello(data []byte) []byte {
	u16 := binary.BigEndian.AppendUint16
	list := func(values ...uint16) []byte {
		b := u16(nil, uint16(2*len(values)))
		for _, v := range values {
			b = u16(b, v)
		}
		return b
	}
	var extensions []byte
	add := func(t extension.Type, data []byte) {
		extensions = append(u16(u16(extensions, uint16(t)), uint16(len(data))), data...)
	}
	add(0, append([]byte{0, 14, 0, 0, 11}, "example.com"...))
	add(23, nil)                                                         // extended_master_secret
	add(10, list(29, 23))                                                // supported_groups: x25519, secp256r1
	add(11, []byte{1, 0})                                                // ec_point_formats
	add(13, list(0x0403, 0x0804, 0x0401))                                // signature_algorithms
	add(43, []byte{4, 3, 4, 3, 3})                                       // supported_versions: TLS 1.3, TLS 1.2
	add(45, []byte{1, 1})                                                // psk_key_exchange_modes
	add(51, append([]byte{0, 36, 0, 29, 0, 32, 9}, make([]byte, 31)...)) // key_share: the base point
	add(extension.TLSFlags, data)
	add(0xff01, []byte{0})                            // renegotiation_info
	body := append([]byte{3, 3}, make([]byte, 33)...) // random, and an empty session_id
	body = append(body, list(0x1301, 0x1302, 0xc02b, 0xc02f)...)
	body = append(body, 1, 0)
	body = append(u16(body, uint16(len(extensions))), extensions...)
	return append(append([]byte{1, 0}, u16(nil, uint16(len(body)))...), body...)
}

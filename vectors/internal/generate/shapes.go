package main

// The hellos below imitate those of real programs: the same extensions in the same order,
// with similar sizes, but other bytes.

type shape struct {
	name    string
	comment string
	hello   hello
}

func shapes() []shape {
	return []shape{
		{"chromium", "Like Chromium: GREASE, a post-quantum key share, extensions in random order.", chromium()},
		{"firefox", "Like Firefox: delegated_credential, record_size_limit, a post-quantum key share.", firefox()},
		{"safari", "Like Safari: GREASE, two versions, padding.", safari()},
		{"go", "Like Go's crypto/tls.", golang()},
		{"openssl", "Like OpenSSL 3.0, whose renegotiation_info is a cipher suite.", openssl()},
		{"gnutls", "Like GnuTLS 3.7.", gnutls()},
	}
}

func shaped(suites []uint16, extensions ...ext) hello {
	return hello{
		version: 0x0303, random: filler("random", 32), sessionID: filler("session", 32),
		suites: suites, compression: []byte{0}, extensions: extensions,
	}
}

const (
	x25519         = 0x001d
	secp256r1      = 0x0017
	secp384r1      = 0x0018
	secp521r1      = 0x0019
	x448           = 0x001e
	x25519MLKEM768 = 0x11ec
)

func chromium() hello {
	return shaped(
		[]uint16{grease(4), 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		empty(grease(1)), empty(extSCT), raw(extCompressCert, opaque8(made(uint16s(2)))...), statusRequest(),
		keyShare(share(grease(9)), share(x25519MLKEM768), share(x25519)), raw(extSettings, opaque16(opaque8([]byte("h2")))...), empty(extSessionTicket),
		pskModes(), versions(grease(2), 0x0304, 0x0303), signatures(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601), empty(extMainSecret),
		renegotiation(), pointFormats(), groups(grease(9), x25519MLKEM768, x25519, secp256r1, secp384r1), alpn("h2", "http/1.1"),
		serverName("www.example.com"), echOuter(144), raw(grease(12), 0),
	)
}

func firefox() hello {
	return shaped(
		[]uint16{0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		serverName("www.example.com"), empty(extMainSecret), renegotiation(), groups(x25519MLKEM768, x25519, secp256r1, secp384r1, secp521r1, 0x0100, 0x0101),
		pointFormats(), alpn("h2", "http/1.1"), statusRequest(), raw(extDelegated, opaque16(made(uint16s(0x0403, 0x0503, 0x0603, 0x0203)))...), empty(extSCT),
		keyShare(share(x25519MLKEM768), share(x25519), share(secp256r1)), versions(0x0304, 0x0303),
		signatures(0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201), pskModes(), raw(extRecordSizeLimit, 0x40, 0x01),
		raw(extCompressCert, opaque8(made(uint16s(1, 2, 3)))...), echOuter(239),
	)
}

func safari() hello {
	return shaped(
		[]uint16{grease(6), 0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a, 0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x0035, 0x002f},
		empty(grease(13)), serverName("www.example.com"), empty(extMainSecret), renegotiation(), groups(grease(3), x25519, secp256r1, secp384r1, secp521r1),
		pointFormats(), alpn("h2", "http/1.1"), statusRequest(), signatures(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0201),
		empty(extSCT), keyShare(share(grease(3)), share(x25519)), pskModes(), versions(grease(14), 0x0304, 0x0303),
		raw(extCompressCert, opaque8(made(uint16s(1)))...), raw(grease(0), 0), padding(190),
	)
}

func golang() hello {
	return shaped(
		[]uint16{0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc009, 0xc013, 0xc00a, 0xc014, 0x1301, 0x1302, 0x1303},
		serverName("www.example.com"), pointFormats(), renegotiation(), empty(extMainSecret), empty(extSCT), statusRequest(),
		groups(x25519MLKEM768, x25519, secp256r1, secp384r1, secp521r1),
		signatures(0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503, 0x0603, 0x0201, 0x0203), alpn("h2", "http/1.1"),
		versions(0x0304, 0x0303), keyShare(share(x25519MLKEM768), share(x25519)),
	)
}

func openssl() hello {
	return shaped(
		[]uint16{0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024, 0xc028, 0x006b, 0xc023, 0xc027, 0x0067,
			0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c, 0x0035, 0x002f, 0x00ff},
		serverName("www.example.com"), raw(extPointFormats, 3, 0, 1, 2),
		groups(x25519, secp256r1, x448, secp521r1, secp384r1, 0x0100, 0x0101, 0x0102, 0x0103, 0x0104), empty(extSessionTicket), empty(extEncryptThenMAC),
		empty(extMainSecret), signatures(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601),
		versions(0x0304, 0x0303), pskModes(), keyShare(share(x25519)),
	)
}

func gnutls() hello {
	return shaped(
		[]uint16{0x1302, 0x1303, 0x1301, 0x1304, 0xc02c, 0xcca9, 0xc0ad, 0xc00a, 0xc02b, 0xc0ac, 0xc009, 0xc030, 0xcca8, 0xc014, 0xc02f, 0xc013, 0x009d, 0xc09d, 0x0035, 0x009c},
		versions(0x0304, 0x0303), empty(extMainSecret), empty(extEncryptThenMAC), renegotiation(), pointFormats(),
		groups(secp256r1, secp384r1, secp521r1, x25519, x448, 0x0100),
		signatures(0x0401, 0x0809, 0x0804, 0x0403, 0x0807, 0x0501, 0x080a, 0x0805, 0x0503, 0x0808, 0x0601, 0x080b, 0x0806, 0x0603),
		keyShare(share(secp256r1), share(x25519)), pskModes(), raw(extRecordSizeLimit, 0x40, 0x01), serverName("www.example.com"), statusRequest(),
		empty(extPostHandshake), empty(extSessionTicket),
	)
}

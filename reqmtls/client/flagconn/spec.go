package flagconn

import (
	"fmt"
	"slices"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/extension"
)

// spec returns the ClientHello, with the extensions to add.
func (c Config) spec() (*utls.ClientHelloSpec, error) {
	id, err := c.Fingerprint.id()
	if err != nil {
		return nil, err
	}
	config := c.tls()
	spec := goSpec(config.NextProtos)
	if id != (utls.ClientHelloID{}) {
		if spec, err = browserSpec(id, config.NextProtos); err != nil {
			return nil, err //mutation:equivalent uTLS has every hello that id names
		}
	}
	limitVersions(spec, config.MinVersion)
	insert(spec, c.Extensions)
	return spec, nil
}

// limitVersions makes the client refuse versions below minimum, and not offer them. The
// client always refuses versions below TLS 1.2. If minimum is 0, it still offers those
// that the browser offers.
func limitVersions(spec *utls.ClientHelloSpec, minimum uint16) {
	spec.TLSVersMin, spec.TLSVersMax = max(minimum, utls.VersionTLS12), utls.VersionTLS13
	for _, e := range spec.Extensions {
		if e, ok := e.(*utls.SupportedVersionsExtension); ok {
			e.Versions = slices.DeleteFunc(e.Versions, func(v uint16) bool {
				return v < minimum && !extension.IsGREASE(v)
			})
		}
	}
}

// goSpec returns a hello like that of crypto/tls. uTLS's HelloGolang cannot be used,
// because no extension can be added to it.
func goSpec(protocols []string) *utls.ClientHelloSpec {
	schemes := []utls.SignatureScheme{
		utls.PSSWithSHA256, utls.ECDSAWithP256AndSHA256, utls.Ed25519, utls.PSSWithSHA384, utls.PSSWithSHA512,
		utls.PKCS1WithSHA256, utls.PKCS1WithSHA384, utls.PKCS1WithSHA512,
		utls.ECDSAWithP384AndSHA384, utls.ECDSAWithP521AndSHA512,
	}
	spec := &utls.ClientHelloSpec{
		CipherSuites: []uint16{
			utls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, utls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			utls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, utls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			utls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, utls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
			utls.TLS_AES_128_GCM_SHA256, utls.TLS_AES_256_GCM_SHA384, utls.TLS_CHACHA20_POLY1305_SHA256,
		},
		CompressionMethods: []uint8{0},
		Extensions: []utls.TLSExtension{
			&utls.SNIExtension{},
			&utls.SupportedPointsExtension{SupportedPoints: []byte{0}},
			&utls.RenegotiationInfoExtension{Renegotiation: utls.RenegotiateNever},
			&utls.ExtendedMasterSecretExtension{},
			&utls.SCTExtension{},
			&utls.StatusRequestExtension{},
			&utls.SupportedCurvesExtension{Curves: []utls.CurveID{
				utls.X25519MLKEM768, utls.X25519, utls.CurveP256, utls.CurveP384, utls.CurveP521,
			}},
			&utls.SignatureAlgorithmsExtension{SupportedSignatureAlgorithms: schemes},
		},
	}
	if len(protocols) > 0 {
		spec.Extensions = append(spec.Extensions, &utls.ALPNExtension{AlpnProtocols: slices.Clone(protocols)})
	}
	spec.Extensions = append(spec.Extensions,
		&utls.SupportedVersionsExtension{Versions: []uint16{utls.VersionTLS13, utls.VersionTLS12}},
		&utls.KeyShareExtension{KeyShares: []utls.KeyShare{{Group: utls.X25519MLKEM768}, {Group: utls.X25519}}},
	)
	return spec
}

// browserSpec returns the hello of a browser. It offers the given protocols in place of
// the browser's, because a client that cannot speak HTTP/2 must not offer it.
func browserSpec(id utls.ClientHelloID, protocols []string) (*utls.ClientHelloSpec, error) {
	spec, err := utls.UTLSIdToSpec(id)
	if err != nil {
		//mutation:equivalent uTLS has every hello that id names
		return nil, fmt.Errorf("flagconn: uTLS has no ClientHello named %s: %w", id.Str(), err)
	}
	extensions := spec.Extensions[:0]
	for _, e := range spec.Extensions {
		switch e := e.(type) {
		case *utls.ALPNExtension:
			if len(protocols) == 0 {
				continue
			}
			e.AlpnProtocols = slices.Clone(protocols)
		case *utls.ApplicationSettingsExtension, *utls.ApplicationSettingsExtensionNew:
			if !slices.Contains(protocols, "h2") {
				continue
			}
		}
		extensions = append(extensions, e)
	}
	spec.Extensions = extensions
	return &spec, nil
}

// insert adds extensions to the hello, before padding and pre_shared_key, which come last
// (RFC 7685, Section 3; RFC 9846, Section 4.3.11).
func insert(spec *utls.ClientHelloSpec, extra []extension.Extension) {
	at := slices.IndexFunc(spec.Extensions, func(e utls.TLSExtension) bool {
		switch e.(type) {
		case *utls.UtlsPaddingExtension, utls.PreSharedKeyExtension:
			return true
		}
		return false
	})
	if at < 0 {
		at = len(spec.Extensions)
	}
	for i, e := range extra {
		spec.Extensions = slices.Insert(spec.Extensions, at+i, utls.TLSExtension(&utls.GenericExtension{Id: uint16(e.Type), Data: e.Data}))
	}
}

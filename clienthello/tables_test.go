package clienthello

import (
	"crypto/tls"
	"testing"
)

func TestCipherSuiteNameAgreesWithCryptoTLS(t *testing.T) {
	suites := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
	for _, s := range suites {
		if got := cipherSuiteName(s.ID); got != s.Name {
			t.Errorf("cipherSuiteName(0x%04x) = %q, crypto/tls says %q", s.ID, got, s.Name)
		}
	}
}

func TestNames(t *testing.T) {
	tests := []struct {
		fn    string
		name  func(uint16) string
		value uint16
		want  string
	}{
		{"cipherSuiteName", cipherSuiteName, 0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV"},
		{"cipherSuiteName", cipherSuiteName, 0x5600, "TLS_FALLBACK_SCSV"},
		{"cipherSuiteName", cipherSuiteName, 0x16b7, "TLS_CECPQ1_RSA_WITH_CHACHA20_POLY1305_SHA256"},
		{"cipherSuiteName", cipherSuiteName, 0xff85, "OLD_TLS_GOSTR341112_256_WITH_28147_CNT_IMIT"},
		{"cipherSuiteName", cipherSuiteName, 0x1a1a, ""},
		{"groupName", groupName, 29, "x25519"},
		{"groupName", groupName, 256, "ffdhe2048"},
		{"groupName", groupName, uint16(tls.X25519MLKEM768), "X25519MLKEM768"},
		{"groupName", groupName, uint16(tls.SecP256r1MLKEM768), "SecP256r1MLKEM768"},
		{"groupName", groupName, 25497, "X25519Kyber768Draft00"},
		{"groupName", groupName, 0, ""},
		{"signatureSchemeName", signatureSchemeName, uint16(tls.Ed25519), "ed25519"},
		{"signatureSchemeName", signatureSchemeName, uint16(tls.PSSWithSHA256), "rsa_pss_rsae_sha256"},
		{"signatureSchemeName", signatureSchemeName, 0x0708, "sm2sig_sm3"},
		{"signatureSchemeName", signatureSchemeName, 0x0904, "mldsa44"},
		{"signatureSchemeName", signatureSchemeName, 0, ""},
	}
	for _, tt := range tests {
		if got := tt.name(tt.value); got != tt.want {
			t.Errorf("%s(0x%04x) = %q, want %q", tt.fn, tt.value, got, tt.want)
		}
	}
}

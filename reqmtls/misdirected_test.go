package reqmtls_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tlsflags/tlsflags/reqmtls"
)

func TestRefuseMisdirected(t *testing.T) {
	handler := reqmtls.RefuseMisdirected(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, tt := range []struct {
		host, serverName string
		want             int
	}{
		{"a.example", "a.example", http.StatusOK},
		{"a.example:443", "a.example", http.StatusOK},
		{"A.Example.", "a.example", http.StatusOK},
		{"a.example.:8443", "A.EXAMPLE", http.StatusOK},
		{"b.example", "a.example", http.StatusMisdirectedRequest},
		{"a.example.evil", "a.example", http.StatusMisdirectedRequest},
		{"", "a.example", http.StatusMisdirectedRequest},
		{"192.0.2.1", "a.example", http.StatusMisdirectedRequest},
		{"192.0.2.1", "", http.StatusOK},
		{"192.0.2.1:443", "", http.StatusOK},
		{"[2001:db8::1]", "", http.StatusOK},
		{"[2001:db8::1]:443", "", http.StatusOK},
		{"a.example", "", http.StatusMisdirectedRequest},
		{"", "", http.StatusMisdirectedRequest},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host, r.TLS = tt.host, &tls.ConnectionState{ServerName: tt.serverName}
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != tt.want {
			t.Errorf("host %q on a connection for %q: %d, want %d", tt.host, tt.serverName, w.Code, tt.want)
		}
	}
	w := httptest.NewRecorder()
	if handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil)); w.Code != http.StatusOK {
		t.Errorf("without TLS: %d", w.Code)
	}
}

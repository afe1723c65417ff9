package flagconn

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// TestGoHelloValues checks what the default hello offers, by numbers of IANA's registries.
func TestGoHelloValues(t *testing.T) {
	hello := sentHello(t, Config{TLS: &tls.Config{ServerName: "a.example"}})
	groups, err := hello.SupportedGroups()
	if err != nil {
		t.Fatal(err)
	}
	schemes, err := hello.SignatureAlgorithms()
	if err != nil {
		t.Fatal(err)
	}
	points, err := hello.ECPointFormats()
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ got, want []uint16 }{
		"cipher suites": {numbers(hello.CipherSuites()), []uint16{0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x1301, 0x1302, 0x1303}},
		"groups":        {numbers(groups), []uint16{0x11ec, 29, 23, 24, 25}},
		"schemes":       {numbers(schemes), []uint16{0x0804, 0x0403, 0x0807, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0503, 0x0603}},
	} {
		if !slices.Equal(row.got, row.want) {
			t.Errorf("%s %#x, want %#x", name, row.got, row.want)
		}
	}
	if !bytes.Equal(points, []byte{0}) || !bytes.Equal(hello.LegacyCompressionMethods(), []byte{0}) {
		t.Errorf("point formats %v, compression methods %v; want 0 alone", points, hello.LegacyCompressionMethods())
	}
}

func numbers[T ~uint16](v clienthello.Vector[T]) (list []uint16) {
	for n := range v.All() {
		list = append(list, uint16(n))
	}
	return list
}

// TestFingerprintsDiffer checks that the hellos of browsers are not the same.
func TestFingerprintsDiffer(t *testing.T) {
	names := make(map[string]Fingerprint)
	for _, f := range []Fingerprint{Go, Chrome, Firefox, Safari} {
		hello := sentHello(t, Config{TLS: &tls.Config{ServerName: "a.example"}, Fingerprint: f})
		suites := slices.DeleteFunc(numbers(hello.CipherSuites()), extension.IsGREASE)
		key := fmt.Sprint(suites)
		if other, ok := names[key]; ok {
			t.Errorf("%q offers the cipher suites of %q", f, other)
		}
		names[key] = f
	}
}

// TestApplicationSettings checks that Chrome's settings of HTTP/2 are sent with HTTP/2 only.
func TestApplicationSettings(t *testing.T) {
	const old, current = 17513, 17613
	for protocol, want := range map[string]bool{"h2": true, "http/1.1": false} {
		hello := sentHello(t, Config{TLS: &tls.Config{ServerName: "a.example", NextProtos: []string{protocol}}, Fingerprint: Chrome})
		_, isOld := hello.Extensions().Lookup(old)
		_, isCurrent := hello.Extensions().Lookup(current)
		if got := isOld || isCurrent; got != want {
			t.Errorf("%s: application settings %t, want %t", protocol, got, want)
		}
	}
}

// TestInsert checks that extensions are added in order, before those that come last.
func TestInsert(t *testing.T) {
	sni, padding, psk := &utls.SNIExtension{}, &utls.UtlsPaddingExtension{}, &utls.FakePreSharedKeyExtension{}
	for name, row := range map[string]struct {
		before []utls.TLSExtension
		at     int
	}{
		"no other":       {nil, 0},
		"padding alone":  {[]utls.TLSExtension{padding}, 0},
		"padding":        {[]utls.TLSExtension{sni, padding}, 1},
		"pre_shared_key": {[]utls.TLSExtension{sni, psk}, 1},
		"both":           {[]utls.TLSExtension{sni, padding, psk}, 1},
		"neither":        {[]utls.TLSExtension{sni}, 1},
	} {
		spec := &utls.ClientHelloSpec{Extensions: slices.Clone(row.before)}
		insert(spec, []extension.Extension{{Type: 1}, {Type: 2}, {Type: 3}})
		var got []uint16
		for _, e := range spec.Extensions[row.at : row.at+3] {
			if e, ok := e.(*utls.GenericExtension); ok {
				got = append(got, e.Id)
			}
		}
		if !slices.Equal(got, []uint16{1, 2, 3}) || len(spec.Extensions) != len(row.before)+3 {
			t.Errorf("%s: %v at %d of %d extensions", name, got, row.at, len(spec.Extensions))
		}
	}
}

// TestHandshakeErrors checks that the errors of callbacks and of Rand end the handshake, and
// that the report says what was seen until then.
func TestHandshakeErrors(t *testing.T) {
	site, want := newCA(t, "site"), errors.New("not this time")
	for name, row := range map[string]struct {
		set       func(*Config)
		requested bool
	}{
		"Rand":      {func(c *Config) { c.TLS.Rand = iotest.ErrReader(want) }, false},
		"OnRequest": {func(c *Config) { c.OnRequest = func(Report) error { return want } }, true},
		"GetClientCertificate": {func(c *Config) {
			c.TLS.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return nil, want }
		}, true},
	} {
		c := Config{TLS: &tls.Config{RootCAs: site.Pool(), ServerName: "localhost"}}
		row.set(&c)
		addr := serve(t, site, &tls.Config{ClientAuth: tls.RequestClientCert}, func(*tls.Conn) {})
		conn, report, err := Handshake(t.Context(), dial(t, addr), c)
		// uTLS does not wrap the error of Rand.
		if conn != nil || err == nil || !strings.Contains(err.Error(), want.Error()) || report.Requested != row.requested || report.Given {
			t.Errorf("%s: error %v, report %+v", name, err, report)
		}
	}
}

// TestClosedConn checks that the methods of a Conn return the errors of the connection below.
func TestClosedConn(t *testing.T) {
	site := newCA(t, "site")
	addr := serve(t, site, &tls.Config{}, func(*tls.Conn) {})
	conn, _, err := Handshake(t.Context(), dial(t, addr), Config{TLS: &tls.Config{RootCAs: site.Pool(), ServerName: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	tap, ok := conn.tls.NetConn().(*tap)
	if !ok || !tap.stopped || tap.sent != nil {
		t.Error("what the server sends is still kept after the handshake")
	}
	conn.SetWriteDeadline(time.Unix(1, 0))
	if _, err := conn.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write after a write deadline: error %v", err)
	}
	conn.NetConn().Close()
	for name, err := range map[string]error{
		"SetDeadline":      conn.SetDeadline(time.Time{}),
		"SetReadDeadline":  conn.SetReadDeadline(time.Time{}),
		"SetWriteDeadline": conn.SetWriteDeadline(time.Time{}),
		"CloseWrite":       conn.CloseWrite(),
		"Close":            conn.Close(),
	} {
		if err == nil {
			t.Errorf("%s of a closed connection: no error", name)
		}
	}
}

// TestWriteAfterAlert checks that Write returns the alert of a server that has ended the
// connection, and that what the server sent before it can be read.
func TestWriteAfterAlert(t *testing.T) {
	site := newCA(t, "site")
	for name, row := range map[string]struct {
		auth  tls.ClientAuthType
		reply string
		want  extension.Alert
	}{
		"a certificate is required":     {tls.RequireAnyClientCert, "", extension.AlertCertificateRequired},
		"the connection is just closed": {tls.NoClientCert, "hello", 0},
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan bool)
			addr := serveRaw(t, site, &tls.Config{ClientAuth: row.auth}, func(server *tls.Conn) {
				defer close(closed)
				defer server.NetConn().Close()
				if server.Handshake() == nil {
					io.WriteString(server, row.reply)
				}
			})
			conn, _, err := Handshake(t.Context(), dial(t, addr), Config{TLS: &tls.Config{RootCAs: site.Pool(), ServerName: "localhost"}})
			if err != nil {
				t.Fatal(err)
			}
			<-closed
			for err == nil { // until the kernel knows
				_, err = conn.Write([]byte("x"))
			}
			alert, ok := Alert(err)
			if alert != row.want || ok != (row.want != 0) {
				t.Errorf("alert %v, %t; %v", alert, ok, err)
			}
			if got, _ := io.ReadAll(conn); string(got) != row.reply {
				t.Errorf("read %q, want %q", got, row.reply)
			}
		})
	}
}

func TestNoAlert(t *testing.T) {
	for _, err := range []error{nil, net.ErrClosed, &net.OpError{Op: "read", Err: net.ErrClosed}, &net.OpError{Op: "remote error", Err: net.ErrClosed}} {
		if alert, ok := Alert(err); alert != 0 || ok {
			t.Errorf("%v: alert %v, %t", err, alert, ok)
		}
	}
}

// zeros is a connection from which any number of bytes can be read.
type zeros struct{ net.Conn }

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestTap checks that what a server sends is kept up to a limit.
func TestTap(t *testing.T) {
	const most = 256 << 10
	for _, size := range []int{100 << 10, most} {
		tap := &tap{Conn: zeros{}}
		for range 4 {
			if n, err := tap.Read(make([]byte, size)); n != size || err != nil {
				t.Fatalf("read %d bytes, %v", n, err)
			}
		}
		if sent := tap.stop(); len(sent) != most {
			t.Errorf("%d bytes kept, want %d", len(sent), most)
		}
		tap.Read(make([]byte, 10))
		if sent := tap.stop(); len(sent) != 0 {
			t.Errorf("%d bytes kept after the end", len(sent))
		}
	}
}

func TestKeyLog(t *testing.T) {
	var log keyLog
	for _, want := range []string{"a", "ab"} {
		log.Write([]byte(want[len(want)-1:]))
		if got := log.String(); got != want {
			t.Errorf("log %q, want %q", got, want)
		}
	}
}

// TestCertificateRequest checks that the first CertificateRequest is found, and no other
// message taken for one.
func TestCertificateRequest(t *testing.T) {
	record := func(messages ...[]byte) []byte {
		content := slices.Concat(messages...)
		return append([]byte{22, 3, 3, byte(len(content) >> 8), byte(len(content))}, content...)
	}
	request := func(flags ...byte) []byte {
		body := append([]byte{0, 0, byte(8 + 5 + len(flags)), 0, 13, 0, 4, 0, 2, 4, 3, 0, 62, 0, byte(len(flags) + 1), byte(len(flags))}, flags...)
		return append([]byte{13, 0, 0, byte(len(body))}, body...)
	}
	other := []byte{8, 0, 0, 2, 0, 0} // EncryptedExtensions
	for name, row := range map[string]struct {
		sent   []byte
		keyLog string
		found  bool
		flag   extension.Flag
	}{
		"none":                {record(other), "", false, 0},
		"one":                 {record(other, request(2), other), "", true, 1},
		"the first of two":    {record(request(2), request(4)), "", true, 1},
		"after another":       {record(other, request(4)), "", true, 2},
		"no key log":          {record(request(2)), strings.Repeat("x", 5000), false, 0},
		"a record cut off":    {record(request(2))[:9], "", false, 0},
		"nothing at all sent": {nil, "", false, 0},
	} {
		m, found := certificateRequest(row.sent, row.keyLog)
		if found != row.found {
			t.Errorf("%s: found %t", name, found)
			continue
		}
		if found {
			if flags, _, err := m.Extensions().Flags(); !flags.Has(row.flag) || err != nil {
				t.Errorf("%s: flags %v, %v; want %v", name, flags, err, row.flag)
			}
		}
	}
}

//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	utls "github.com/refraction-networking/utls"

	"github.com/tlsflags/tlsflags/corpus"
)

// moduleVersion returns the version of a client that is a library.
func moduleVersion(path string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == path })
	if i < 0 {
		return "unknown"
	}
	return info.Deps[i].Version
}

// The extension_data of tls_flags as draft-ietf-tls-tlsflags, Section 2
// defines it: a length, then the bits, least significant first.
var (
	flags80     = []byte{11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	flags8and80 = []byte{11, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1}
)

// program is a client that runs as a process.
type program struct {
	name    string
	version []string       // command line that prints the version
	pattern *regexp.Regexp // whose first group is the version
	args    []string       // command line of the client
}

func (p program) run(ctx context.Context) (corpus.Client, error) {
	out, err := exec.CommandContext(ctx, p.version[0], p.version[1:]...).CombinedOutput()
	if err != nil {
		return corpus.Client{}, fmt.Errorf("%s: %w", p.version[0], err)
	}
	match := p.pattern.FindSubmatch(out)
	if match == nil {
		return corpus.Client{}, fmt.Errorf("%s: no version in %q", p.version[0], out)
	}
	cmd := exec.CommandContext(ctx, p.args[0], p.args[1:]...)
	// Some clients stop at the end of their input.
	cmd.Stdin = strings.NewReader("")
	if out, err := cmd.CombinedOutput(); err != nil {
		return corpus.Client{}, fmt.Errorf("%s: %w: %s", p.name, err, out)
	}
	return corpus.Client{Name: p.name, Version: string(match[1])}, nil
}

var (
	opensslVersion  = regexp.MustCompile(`(?m)^(OpenSSL \S+)`)
	chromiumVersion = regexp.MustCompile(`Chromium (\S+)`)
)

func curl(args ...string) program {
	return program{"curl", []string{"curl", "--version"}, regexp.MustCompile(`curl (\S+) .*(?:OpenSSL/\S+)`), append([]string{"curl", "-sSk"}, args...)}
}

func openssl(args ...string) program {
	return program{"openssl s_client", []string{"openssl", "version"}, opensslVersion, append([]string{"openssl", "s_client"}, args...)}
}

func python(host, addr string) program {
	ip, port, _ := net.SplitHostPort(addr)
	script := fmt.Sprintf(`import socket, ssl
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.wrap_socket(socket.create_connection((%q, %s)), server_hostname=%q).close()`, ip, port, host)
	return program{"Python ssl", []string{"/usr/bin/python3", "-c", "import sys, ssl; print(sys.version.split()[0], ssl.OPENSSL_VERSION)"}, regexp.MustCompile(`(\S+ OpenSSL \S+)`),
		[]string{"/usr/bin/python3", "-c", script}}
}

func node(host, addr string) program {
	ip, port, _ := net.SplitHostPort(addr)
	script := fmt.Sprintf(`require('tls').connect({host: %q, port: %s, servername: %q, rejectUnauthorized: false}, function () { this.end() })`, ip, port, host)
	return program{"Node.js tls", []string{"node", "-p", "process.version + ' OpenSSL ' + process.versions.openssl"}, regexp.MustCompile(`v(\S+ OpenSSL \S+)`),
		[]string{"node", "-e", script}}
}

// chromium opens a page of *.demo.example, which is on 127.0.0.1, in a new profile.
func chromium(ctx context.Context, url string, args ...string) (corpus.Client, error) {
	profile, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return corpus.Client{}, err
	}
	defer os.RemoveAll(profile)
	args = append([]string{"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--ignore-certificate-errors", "--user-data-dir=" + profile, "--host-resolver-rules=MAP *.demo.example 127.0.0.1"}, args...)
	return program{"Chromium", []string{"chromium", "--version"}, chromiumVersion, append(args, "--dump-dom", url)}.run(ctx)
}

// contextDialer is a net.Dialer or a replacement for one.
type contextDialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// goTLS makes a connection with crypto/tls.
func goTLS(ctx context.Context, dialer contextDialer, addr string, config *tls.Config) (corpus.Client, error) {
	raw, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return corpus.Client{}, err
	}
	defer raw.Close()
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return corpus.Client{}, fmt.Errorf("crypto/tls: %w", err)
	}
	return corpus.Client{Name: "Go crypto/tls", Version: runtime.Version()}, conn.Close()
}

// uTLS makes a connection as Chrome 133 does, with further extensions after
// the first one, which is GREASE.
func uTLS(ctx context.Context, addr, host string, extensions ...utls.TLSExtension) (corpus.Client, error) {
	client := corpus.Client{Name: "uTLS HelloChrome_133", Version: moduleVersion("github.com/refraction-networking/utls")}
	spec, err := utls.UTLSIdToSpec(utls.HelloChrome_133)
	if err != nil {
		return client, err
	}
	spec.Extensions = append(spec.Extensions[:1:1], append(extensions, spec.Extensions[1:]...)...)
	for _, ext := range extensions {
		if g, ok := ext.(*utls.GenericExtension); ok {
			client.Name += fmt.Sprintf(" with extension %#x %x", g.Id, g.Data)
		}
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return client, err
	}
	defer raw.Close()
	conn := utls.UClient(raw, &utls.Config{ServerName: host, InsecureSkipVerify: true}, utls.HelloCustom)
	if err := conn.ApplyPreset(&spec); err != nil {
		return client, err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return client, fmt.Errorf("%s: %w", client.Name, err)
	}
	return client, conn.Close()
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A stack is an implementation that can be asked.
type stack struct {
	name       string      // as on the command line
	needs      []string    // programs and files, and last the Debian packages that have them
	transports []transport // what its driver reads
	build      builder
	lacks      string // what it is not asked, and why
	noTLS13    bool   // the server has no TLS 1.3
	alsoRead   []int  // alerts that it sends, besides readAlerts, when it has read the hello
}

// A transport is what a driver reads a ClientHello from.
type transport string

const (
	message transport = "message" // a handshake message
	tls     transport = "tls"     // a stream of records
	dtls    transport = "dtls"
	quic    transport = "quic"
)

const protocolVersion = 70

// readAlerts are sent by servers that have read the hello, and refuse it for what they
// support: that is not among what the vectors test.
var readAlerts = []int{
	40, // handshake_failure
	protocolVersion,
	71,  // insufficient_security
	86,  // inappropriate_fallback
	109, // missing_extension
	112, // unrecognized_name
	115, // unknown_psk_identity
	116, // certificate_required
	120, // no_application_protocol
	121, // ech_required
}

// stacks are all implementations, in the order of the matrix.
var stacks = []stack{
	{
		name: "crypto/tls", transports: []transport{tls}, build: goBuild("cryptotls", "go1.26.8"),
		lacks: "crypto/tls has neither DTLS nor QUIC.",
	},
	{
		name: "crypto/tls-next", transports: []transport{tls}, build: goBuild("cryptotls", "go1.27.4"),
	},
	{
		name: "openssl", needs: []string{"cc", "/usr/include/openssl/ssl.h", "gcc, libssl-dev"},
		transports: []transport{tls, dtls}, build: cc("openssl", "-lssl", "-lcrypto"),
		lacks: "No server for QUIC before 3.5.",
	},
	{
		name: "gnutls", needs: []string{"cc", "/usr/include/gnutls/gnutls.h", "gcc, libgnutls28-dev"},
		transports: []transport{tls, dtls}, build: cc("gnutls", "-lgnutls"),
		lacks: "QUIC: it gives others the handshake, and reads no packets.",
	},
	{
		name: "nss", needs: []string{"cc", "/usr/include/nss/nss.h", "gcc, libnss3-dev"},
		transports: []transport{tls, dtls}, build: cc("nss", "-I/usr/include/nss", "-I/usr/include/nspr", "-lssl3", "-lnss3", "-lnspr4"),
		lacks: "QUIC: it gives others the handshake, and reads no packets.",
	},
	{
		name: "wolfssl", needs: []string{"cc", "/usr/include/wolfssl/ssl.h", "gcc, libwolfssl-dev"},
		transports: []transport{tls, dtls}, build: cc("wolfssl", "-lwolfssl"),
		lacks: "QUIC: it gives others the handshake, and reads no packets.",
	},
	{
		name: "mbedtls", needs: []string{"cc", "/usr/include/mbedtls/ssl.h", "gcc, libmbedtls-dev"},
		transports: []transport{tls, dtls}, build: cc("mbedtls", "-lmbedtls", "-lmbedx509", "-lmbedcrypto"),
		lacks: "It has no QUIC.", noTLS13: true,
	},
	{
		name: "rustls", needs: []string{"cargo", "/usr/share/cargo/registry/rustls-0.20.8", "cargo, librust-rustls-dev"},
		transports: []transport{tls}, build: cargo, alsoRead: []int{49},
		lacks: "rustls has no DTLS. QUIC: it gives others the handshake, and reads no packets.",
	},
	{
		name: "jsse", needs: []string{"javac", "default-jdk-headless"},
		transports: []transport{tls, dtls}, build: javac,
		lacks: "It has no QUIC.",
	},
	{
		name: "botan", needs: []string{"c++", "/usr/include/botan-2/botan/tls_messages.h", "g++, libbotan-2-dev"},
		transports: []transport{message}, build: cxx("botan", "-I/usr/include/botan-2", "-lbotan-2"),
		lacks: "Only the parser of ClientHello is asked: 2.19 has no TLS 1.3, and its server refuses most hellos before it reads them.",
	},
	{
		name: "scapy", needs: []string{"/usr/bin/python3", "/usr/lib/python3/dist-packages/scapy", "python3-scapy"},
		transports: []transport{message}, build: python("scapy_hello"),
		lacks: "Only the dissector of ClientHello is asked: that of records does not say what is incomplete.",
	},
	{
		name: "quic-go", transports: []transport{quic}, build: goTest("quicgo", "github.com/quic-go/quic-go"),
		lacks: "It is asked over QUIC only; its ClientHello is that of crypto/tls.",
	},
	{
		name: "pion", transports: []transport{dtls}, build: goTest("pion", "github.com/pion/dtls/v3"),
		lacks: "It has only DTLS.",
	},
}

// chosen returns the named stacks, or all.
func chosen(names []string) ([]stack, error) {
	if len(names) == 0 {
		return stacks, nil
	}
	var list []stack
	for _, name := range names {
		i := slices.IndexFunc(stacks, func(s stack) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no stack %q", name)
		}
		list = append(list, stacks[i])
	}
	return list, nil
}

// missing says what this machine lacks to ask the stack.
func (s stack) missing() string {
	for i := range len(s.needs) - 1 {
		_, err := exec.LookPath(s.needs[i])
		if strings.HasPrefix(s.needs[i], "/") {
			_, err = os.Stat(s.needs[i])
		}
		if err != nil {
			return fmt.Sprintf("no %s (Debian: %s)", s.needs[i], s.needs[len(s.needs)-1])
		}
	}
	return ""
}

// A builder compiles a driver from the folder of the sources to dir, and returns the
// command that runs it.
type builder func(sources, dir string) ([]string, error)

// build runs a compiler.
func build(dir string, env []string, command ...string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, output)
	}
	return nil
}

func cc(name string, flags ...string) builder {
	return func(sources, dir string) ([]string, error) {
		program := filepath.Join(dir, name)
		command := []string{"cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-O1", "-o", program, name + ".c"}
		return []string{program}, build(sources, nil, append(command, flags...)...)
	}
}

func cxx(name string, flags ...string) builder {
	return func(sources, dir string) ([]string, error) {
		program := filepath.Join(dir, name)
		command := []string{"c++", "-std=c++17", "-Wall", "-Wextra", "-O1", "-o", program, name + ".cpp"}
		return []string{program}, build(sources, nil, append(command, flags...)...)
	}
}

func goBuild(name, toolchain string) builder {
	return func(sources, dir string) ([]string, error) {
		program := filepath.Join(dir, name+toolchain)
		return []string{program}, build(sources, []string{"GOTOOLCHAIN=" + toolchain}, "go", "build", "-o", program, "./"+name)
	}
}

// goTest builds a driver that is a test, and tells it the version of the module.
func goTest(name, module string) builder {
	return func(sources, dir string) ([]string, error) {
		list := exec.Command("go", "list", "-m", "-f", "{{.Version}}", module)
		list.Dir = sources
		version, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list -m %s: %w", module, err)
		}
		const variable = "github.com/tlsflags/tlsflags/vectors/drivers/stacks/internal/driver.Version"
		program := filepath.Join(dir, name)
		return []string{program, "-test.timeout=0"}, build(sources, nil, "go", "test", "-c", "-o", program,
			"-ldflags=-X "+variable+"="+strings.TrimPrefix(strings.TrimSpace(string(version)), "v"), "./"+name)
	}
}

func python(name string) builder {
	return func(sources, dir string) ([]string, error) {
		script, err := filepath.Abs(filepath.Join(sources, name+".py"))
		return []string{"/usr/bin/python3", "-B", script}, err
	}
}

func javac(sources, dir string) ([]string, error) {
	return []string{"java", "-cp", dir, "Jsse"}, build(sources, nil, "javac", "-Xlint:all", "-d", dir, "Jsse.java")
}

// cargo takes the crates from Debian's packages.
func cargo(sources, dir string) ([]string, error) {
	crate := filepath.Join(dir, "rustls")
	if err := os.CopyFS(crate, os.DirFS(filepath.Join(sources, "rustls"))); err != nil {
		return nil, err
	}
	return []string{filepath.Join(crate, "target", "debug", "driver")}, build(crate, nil, "cargo", "build", "--offline", "--quiet",
		"--config", `source.crates-io.replace-with="debian"`, "--config", `source.debian.directory="/usr/share/cargo/registry"`)
}

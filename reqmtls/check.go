package reqmtls

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// minLimit is the lowest Config.Limit that New accepts.
const minLimit = 4096

// check returns an error if c cannot be used with base, with what to write instead.
func (c *Config) check(base *tls.Config) error {
	if base == nil || len(base.Certificates) == 0 && base.GetCertificate == nil && base.GetConfigForClient == nil {
		return errors.New("reqmtls: the base config has no certificate: set Certificates, GetCertificate or GetConfigForClient")
	}
	if demandsCertificate(base) {
		return errors.New("reqmtls: the base config demands a certificate of every client, so the flag could only weaken it: leave its ClientAuth alone, or run without reqmtls")
	}
	if v := base.MaxVersion; v != 0 && v < tls.VersionTLS13 && base.GetConfigForClient == nil && !c.asksAll() {
		return errors.New("reqmtls: MaxVersion of the base config is below TLS 1.3, and the flag counts in no earlier version: leave MaxVersion alone")
	}
	for _, f := range c.Flags {
		if f > extension.MaxFlag {
			return fmt.Errorf("reqmtls: flag %d is above the highest, %d", f, extension.MaxFlag)
		}
	}
	for _, t := range c.Types {
		if t != extension.TLSFlags && t != extension.TLSFlagsExperimental {
			return fmt.Errorf("reqmtls: %v is not a type of the TLS Flags extension: use extension.TLSFlags or extension.TLSFlagsExperimental", t)
		}
	}
	if c.Limit != 0 && (c.Limit < minLimit || c.Limit > assemble.MaxMessage) {
		return fmt.Errorf("reqmtls: Limit is %d bytes: use 0 for the default of %d, or at least %d, since longer hellos are not read, and at most %d, the longest valid hello",
			c.Limit, DefaultLimit, minLimit, assemble.MaxMessage)
	}
	if err := c.policy().check(base); err != nil {
		return err
	}
	for name, p := range c.Names {
		if err := checkName(name); err != nil {
			return fmt.Errorf("reqmtls: no server name can match the key %q of Names: %w", name, err)
		}
		if err := p.check(base); err != nil {
			return fmt.Errorf("%w (server name %s)", err, name)
		}
	}
	return nil
}

// asksAll reports whether a policy also asks clients without the flag.
func (c *Config) asksAll() bool {
	for _, p := range c.Names {
		if p.AskAll {
			return true
		}
	}
	return c.AskAll
}

func (p Policy) check(base *tls.Config) error {
	switch p.Mode {
	case VerifyIfGiven, Require:
		if p.ClientCAs == nil {
			return fmt.Errorf("reqmtls: mode %v needs ClientCAs: without them every authority of the web would be trusted", p.Mode)
		}
	case Request:
		if base.ClientAuth == tls.VerifyClientCertIfGiven {
			return errors.New("reqmtls: the base config verifies certificates and mode request does not, so the flag would admit certificates of any authority: use mode VerifyIfGiven, or tls.RequestClientCert in the base config")
		}
	case Ignore:
		if p.AskAll {
			return errors.New("reqmtls: mode ignore asks nobody and AskAll asks everybody: use one of them")
		}
	default:
		return fmt.Errorf("reqmtls: unknown %v", p.Mode)
	}
	return nil
}

// checkName says why no server_name matches a key of Config.Names.
func checkName(name string) error {
	host := strings.TrimPrefix(name, "*.")
	switch {
	case host == "":
		return errors.New("it is empty: clients that send no server name get the policy of Config itself")
	case host == "*":
		return errors.New("all other names get the policy of Config itself")
	case strings.Contains(host, "*"):
		return errors.New(`a wildcard is the whole first label, as in "*.example.com"`)
	case strings.HasSuffix(host, "."):
		return errors.New("write it without the final dot")
	case isAddress(host):
		return errors.New("clients send no server name for an IP address, and so get the policy of Config itself")
	case strings.Contains(host, ":"):
		return errors.New("write it without port and scheme")
	case host != strings.ToLower(host):
		return errors.New("write it in lower case")
	case strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }):
		return errors.New("write it as it is in DNS, with labels that begin with xn--")
	case len(host) > 253:
		return errors.New("host names have at most 253 bytes")
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 {
			return errors.New("labels have 1 to 63 bytes")
		}
		if i := strings.IndexFunc(label, notInHostName); i >= 0 {
			return fmt.Errorf("host names have no %q", label[i])
		}
	}
	return nil
}

// isAddress reports whether s is an IP address, with or without a port.
func isAddress(s string) bool {
	_, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		_, err = netip.ParseAddrPort(s)
	}
	return err == nil
}

// notInHostName reports whether r is in no host name. Underscores are in some.
func notInHostName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// withDefaults returns a copy of c with the defaults filled in.
func (c Config) withDefaults() Config {
	c.Flags, c.Types = slices.Clone(c.Flags), slices.Clone(c.Types)
	if len(c.Flags) == 0 {
		c.Flags = []extension.Flag{extension.RequestMTLS}
	}
	if c.Limit == 0 {
		c.Limit = DefaultLimit
	}
	return c
}

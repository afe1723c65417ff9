// Package fingerprinttest has simple ways to the fingerprints of package fingerprint.
package fingerprinttest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/fingerprint"
	"github.com/tlsflags/tlsflags/internal/oracle/clienthellotest"
)

// Check compares all fingerprints of a hello.
func Check(h clienthello.ClientHello) error {
	r := clienthellotest.AsHello(h)
	var all, rest, schemes []string
	name := "i"
	for _, e := range r.Extensions {
		if e.Type.IsGREASE() {
			continue
		}
		digits := fmt.Sprintf("%04x", uint16(e.Type))
		all = append(all, digits)
		switch e.Type {
		case extension.ServerName:
			name = "d"
		case extension.ALPN:
		default:
			rest = append(rest, digits)
		}
		if e.Type == extension.SignatureAlgorithms && schemes == nil {
			body, _ := clienthellotest.AsBody(h, e.Type)
			for _, v := range body.Numbers {
				if !extension.IsGREASE(uint16(v)) {
					schemes = append(schemes, fmt.Sprintf("%04x", v))
				}
			}
		}
	}
	var suites []string
	for _, s := range r.CipherSuites {
		if !extension.IsGREASE(s) {
			suites = append(suites, fmt.Sprintf("%04x", s))
		}
	}
	start := fmt.Sprintf("t%s%s%02d%02d%s", version(h), name, min(len(suites), 99), min(len(all), 99), protocol(h))
	sorted := slices.Sorted(slices.Values(suites))
	slices.Sort(rest)
	for _, c := range []struct{ form, got, want string }{
		{"JA4", fingerprint.SumJA4(h, fingerprint.TCP).String(), start + "_" + hash(sorted, nil) + "_" + hash(rest, schemes)},
		{"JA4_o", fingerprint.SumJA4O(h, fingerprint.TCP).String(), start + "_" + hash(suites, nil) + "_" + hash(all, schemes)},
		{"JA4_r", string(fingerprint.AppendJA4R(nil, h, fingerprint.TCP)), start + "_" + join(sorted, nil) + "_" + join(rest, schemes)},
		{"JA4_ro", string(fingerprint.AppendJA4RO(nil, h, fingerprint.TCP)), start + "_" + join(suites, nil) + "_" + join(all, schemes)},
		{"JA3", fingerprint.SumJA3(h).String(), fmt.Sprintf("%x", md5.Sum([]byte(ja3(h, false))))},
		{"the text of JA3", string(fingerprint.AppendJA3(nil, h)), ja3(h, false)},
		{"sorted JA3", fingerprint.SumJA3Sorted(h).String(), fmt.Sprintf("%x", md5.Sum([]byte(ja3(h, true))))},
		{"the text of sorted JA3", string(fingerprint.AppendJA3Sorted(nil, h)), ja3(h, true)},
	} {
		if c.got != c.want {
			return fmt.Errorf("%s is %s, want %s", c.form, c.got, c.want)
		}
	}
	if d := fingerprint.Diff(h, h); len(d) > 0 {
		return fmt.Errorf("a hello differs from itself: %v", d)
	}
	summary := string(fingerprint.AppendSummary(nil, h, fingerprint.TCP))
	if strings.ContainsFunc(summary, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("the summary %q is not printable", summary)
	}
	return nil
}

func join(list, schemes []string) string {
	text := strings.Join(list, ",")
	if len(schemes) > 0 {
		text += "_" + strings.Join(schemes, ",")
	}
	return text
}

func hash(list, schemes []string) string {
	if len(list) == 0 {
		return "000000000000"
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(join(list, schemes))))[:12]
}

func version(h clienthello.ClientHello) string {
	offered := []uint64{uint64(h.LegacyVersion())}
	if body, err := clienthellotest.AsBody(h, extension.SupportedVersions); err == nil && len(body.Numbers) > 0 {
		offered = append(slices.DeleteFunc(body.Numbers, func(v uint64) bool { return extension.IsGREASE(uint16(v)) }), 0)
	}
	switch v := slices.Max(offered); v {
	case 2:
		return "s2"
	case 0x300:
		return "s3"
	case 0x301, 0x302, 0x303, 0x304:
		return fmt.Sprint(v - 0x301 + 10)
	case 0xfeff, 0xfefd, 0xfefc:
		return fmt.Sprintf("d%d", map[uint64]int{0xfeff: 1, 0xfefd: 2, 0xfefc: 3}[v])
	}
	return "00"
}

func protocol(h clienthello.ClientHello) string {
	body, _ := clienthellotest.AsBody(h, extension.ALPN)
	if len(body.Strings) == 0 {
		return "00"
	}
	name := string(body.Strings[0])
	const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	if !strings.Contains(letters, name[:1]) || !strings.Contains(letters, name[len(name)-1:]) {
		name = fmt.Sprintf("%x", name)
	}
	return name[:1] + name[len(name)-1:]
}

func ja3(h clienthello.ClientHello, sorted bool) string {
	r := clienthellotest.AsHello(h)
	var suites, types []uint64
	for _, s := range r.CipherSuites {
		suites = append(suites, uint64(s))
	}
	for _, e := range r.Extensions {
		types = append(types, uint64(e.Type))
	}
	if sorted {
		slices.Sort(types)
	}
	groups, _ := clienthellotest.AsBody(h, extension.SupportedGroups)
	formats, _ := h.ECPointFormats()
	var points []string
	for _, f := range formats {
		points = append(points, fmt.Sprint(f))
	}
	return strings.Join([]string{fmt.Sprint(uint16(h.LegacyVersion())), decimals(suites), decimals(types), decimals(groups.Numbers), strings.Join(points, "-")}, ",")
}

func decimals(list []uint64) string {
	var text []string
	for _, v := range list {
		if !extension.IsGREASE(uint16(v)) {
			text = append(text, fmt.Sprint(v))
		}
	}
	return strings.Join(text, "-")
}

package capture

import (
	"bytes"
	"encoding/binary"
)

// juniper reads the header that Juniper's routers put before packets, as tcpdump does: a magic
// number, flags, extensions. What follows depends on the link type, but for some of them no
// description is public.
func (d *decoder) juniper(link LinkType, b []byte) verdict {
	next := juniperPayload(link)
	if next == nil {
		d.unknown = uint16(link)
		return isUnknownLink
	}
	const noLink, extended = 0x02, 0x80
	n := 4
	if len(b) < n {
		return d.short()
	}
	if !bytes.HasPrefix(b, []byte("MGC")) {
		return isBroken
	}
	flags := b[3]
	if flags&extended != 0 {
		if len(b) < 6 {
			return d.short()
		}
		n = 6 + int(binary.BigEndian.Uint16(b[4:]))
	}
	if flags&noLink != 0 {
		next = (*decoder).afterCookie
	}
	if len(b) < n {
		return d.short()
	}
	d.path.add(layerJuniper, 0)
	return next(d, b[n:])
}

// juniperPayload returns what reads the packets of a link type, or nil.
func juniperPayload(link LinkType) func(*decoder, []byte) verdict {
	switch link {
	case LinkTypeJuniperEthernet, LinkTypeJuniperPPPoE:
		return (*decoder).ethernet
	case LinkTypeJuniperPPPoEATM:
		return (*decoder).typed
	case LinkTypeJuniperPPP:
		return (*decoder).ppp
	case LinkTypeJuniperCiscoHDLC:
		return (*decoder).hdlc
	case LinkTypeJuniperFrameRelay:
		return (*decoder).frameRelay
	case LinkTypeJuniperMLPPP, LinkTypeJuniperMLFR, LinkTypeJuniperMFR:
		return (*decoder).multilink
	case LinkTypeJuniperATM1:
		return (*decoder).atm1
	case LinkTypeJuniperATM2:
		return (*decoder).atm2
	case LinkTypeJuniperGGSN, LinkTypeJuniperES, LinkTypeJuniperMonitor, LinkTypeJuniperServices, LinkTypeJuniperVP,
		LinkTypeJuniperISM, LinkTypeJuniperST, LinkTypeJuniperVS, LinkTypeJuniperSRX, LinkTypeJuniperATMCEMIC:
		return (*decoder).afterCookie
	}
	return nil
}

// typed reads an EtherType and what follows it.
func (d *decoder) typed(b []byte) verdict { return d.tag(b, 0) }

// afterCookie finds the IP packet after a cookie, whose length depends on the card and on the
// release: the first one whose header fits.
func (d *decoder) afterCookie(b []byte) verdict {
	for _, cut := range [...]bool{d.cut, true} {
		for _, n := range [...]int{8, 4, 0, 12, 16, 18} {
			if len(b) > n && isIP(b[n:], cut) {
				return d.ip(b[n:])
			}
		}
	}
	return d.shortOr(len(b) < 18+40)
}

// multilink reads PPP or Frame Relay after the cookie of a bundle: that of a services card
// tells the protocol, that of a link services card has 4 bytes, that of other cards 2 or 4, and
// a link of the bundle has none.
func (d *decoder) multilink(b []byte) verdict {
	const linkServices, services = 0x54, 0x47
	if len(b) >= 8 && b[0] == services {
		switch b[5] & 0x70 {
		case 0x00:
			if isIP(b[8:], true) {
				return d.ip(b[8:])
			}
		case 0x10:
			return d.ipv6(b[8:])
		case 0x20:
			return d.mpls(b[8:])
		}
		b = b[8:]
	} else if len(b) > 4 && b[0] == linkServices {
		b = b[4:]
	}
	for _, n := range [...]int{0, 2, 4} {
		if len(b) <= n+2 {
			break
		}
		switch at := b[n:]; {
		case at[0] == 0xff && at[1] == 3, isPPP(at):
			return d.ppp(at)
		case at[0] == 3 && (at[1] == 0 || isNLPID(at[1])):
			return d.nlpid(at[1:])
		case at[0] == 0 && at[1] == 3 && isNLPID(at[2]):
			return d.nlpid(at[2:])
		}
	}
	return d.shortOr(len(b) < 8)
}

func isNLPID(b byte) bool { return b == 0x80 || b == 0x8e || b == 0xcc || b == 0xcf }

// isPPP reports whether b begins with a PPP protocol that brings IP.
func isPPP(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	switch binary.BigEndian.Uint16(b) {
	case pppIPv4, pppIPv6, pppMPLS, pppMPLSMulticast:
		return true
	}
	return false
}

// atm1 and atm2 read AAL5 after the cookies of two cards. Both also bring cells of the network's
// management.
func (d *decoder) atm1(b []byte) verdict {
	if len(b) > 4 && b[0] != 0x80 {
		return d.aal5(b[4:])
	}
	return d.shortOr(len(b) <= 4)
}

func (d *decoder) atm2(b []byte) verdict {
	if len(b) > 8 && b[7]&0x70 == 0 {
		return d.aal5(b[8:])
	}
	return d.shortOr(len(b) <= 8)
}

// shortOr is the verdict on a header that is too short, or else of no use.
func (d *decoder) shortOr(tooShort bool) verdict {
	if tooShort {
		return d.short()
	}
	return isOther
}

// aal5 reads a frame of ATM as Juniper's routers encapsulate it.
func (d *decoder) aal5(b []byte) verdict {
	switch {
	case b[0] == 3:
		return d.nlpid(b[1:])
	case isPPP(b):
		return d.ppp(b)
	case isEthernet(b, d.cut):
		return d.ethernet(b)
	}
	return d.atm(b)
}

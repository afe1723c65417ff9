package annotate

import (
	"math/bits"
	"strconv"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

func number(b []byte) int {
	n := 0
	for _, x := range b {
		n = n<<8 | int(x)
	}
	return n
}

func sayLength(b []byte) string {
	if n := number(b); n != 1 {
		return strconv.Itoa(n) + " bytes"
	}
	return "1 byte"
}

func sayNumber(b []byte) string { return strconv.Itoa(number(b)) }

func sayVersion(b []byte) string     { return clienthello.Version(number(b)).String() }
func sayCipherSuite(b []byte) string { return clienthello.CipherSuite(number(b)).String() }
func sayGroup(b []byte) string       { return clienthello.Group(number(b)).String() }
func sayScheme(b []byte) string      { return clienthello.SignatureScheme(number(b)).String() }
func sayType(b []byte) string        { return extension.Type(number(b)).String() }
func sayText(b []byte) string        { return strconv.QuoteToASCII(string(b)) }

func sayCompression(b []byte) string {
	if b[0] == 0 {
		return "null"
	}
	return strconv.Itoa(int(b[0]))
}

// sayFlags lists the flags of one octet.
func sayFlags(first int, octet byte) string {
	if octet == 0 {
		return "no flag of " + strconv.Itoa(first) + " to " + strconv.Itoa(first+7)
	}
	text := ""
	for ; octet != 0; octet &= octet - 1 {
		if text != "" {
			text += ", "
		}
		f := extension.Flag(first + bits.TrailingZeros8(octet))
		text += "flag " + strconv.Itoa(int(f))
		if name := f.Name(); name != "" {
			text += " " + name
		}
	}
	return text
}

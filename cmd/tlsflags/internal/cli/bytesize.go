package cli

import (
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag with a number of bytes, such as 64M.
type byteSize int

// byteUnits are the letters that may follow the number, each 1,024 times the one before.
const byteUnits = "kMG"

func (n *byteSize) Set(s string) error {
	number, shift := s, 0
	if i := strings.IndexAny(s, byteUnits); i >= 0 && (s[i+1:] == "" || s[i+1:] == "iB") {
		number, shift = s[:i], 10*(1+strings.IndexByte(byteUnits, s[i]))
	}
	v, err := strconv.ParseInt(number, 10, 0)
	if err != nil || v <= 0 || v > math.MaxInt>>shift {
		return &unknownValue{what: "size", got: s, use: "use a number of bytes, such as 64M or 1G"}
	}
	*n = byteSize(v << shift)
	return nil
}

func (n *byteSize) String() string {
	v, unit := int(*n), ""
	for i := 0; i < len(byteUnits) && v > 0 && v%1024 == 0; i++ {
		v, unit = v/1024, byteUnits[i:i+1]
	}
	return strconv.Itoa(v) + unit
}

func (n *byteSize) Type() string { return "bytes" }

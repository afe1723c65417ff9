package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ErrFormat says that the input is neither pcap nor pcapng. The error of [Open] may say more:
// what else the input is, and which program converts it.
var ErrFormat = errors.New("neither a pcap nor a pcapng file")

// format is what a file is.
type format int

const (
	formatUnknown format = iota
	formatPcap
	formatPcapng
)

func formatOf(head []byte) format {
	if len(head) < 4 {
		return formatUnknown
	}
	if _, _, ok := pcapMagic(head); ok {
		return formatPcap
	}
	if binary.LittleEndian.Uint32(head) == blockSection {
		return formatPcapng
	}
	return formatUnknown
}

// IsCapture reports whether a file that begins with head is a capture, or compressed, or a
// capture in a format that [Open] refuses with its name. The first 64 bytes are enough.
func IsCapture(head []byte) bool {
	if formatOf(head) != formatUnknown {
		return true
	}
	for _, p := range packers {
		if strings.HasPrefix(string(head), p.magic) {
			return true
		}
	}
	skippable := len(head) >= 4 && binary.LittleEndian.Uint32(head)&^0xf == 0x184d2a50
	return skippable || foreignName(head) != ""
}

// foreignLen is how much of a file is looked at to name its format.
const foreignLen = 4 << 10

// foreignMagics are what captures begin with that other programs read.
var foreignMagics = []struct{ magic, name string }{
	{"snoop\x00\x00\x00", "snoop"},
	{"btsnoop\x00", "btsnoop"},
	{"RTSS", "Network Monitor 1"},
	{"GMBU", "Network Monitor 2"},
	{"TRSNIFF data    \x1a", "Sniffer (DOS)"},
	{"XCP\x00", "Sniffer (Windows) or NetXRay"},
	{"iptrace 1.0", "iptrace"},
	{"iptrace 2.0", "iptrace"},
	{"TR\x00\x64\x00", "nettl"},
	{"\xaa\xaa\xaa\xaa", "5View"},
	{"\x05VNF", "Visual Networks"},
	{"\x00\x00\x02\x00\x12\x05\x00\x10", "K12"},
	{"\x42\xd2\x00\x34\x12\x66\x22\x88", "RADCOM"},
	{"EyeSDN", "EyeSDN"},
	{"ObserverPktBufferVersion=", "Observer"},
	{"\x7fver", "OmniPeek"},
	{"ETHERWATCH ", "Etherwatch"},
}

// foreignName returns the name of a capture's format that is not read, or "".
func foreignName(head []byte) string {
	for _, f := range foreignMagics {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.name
		}
	}
	if len(head) >= 64 && bytes.Contains(head[:64], []byte("NetScaler ")) {
		return "NetScaler"
	}
	return ""
}

// notRead returns the error of a file that is not read.
func notRead(head []byte) error {
	name := foreignName(head)
	if name == "" && isERF(head) {
		name = "ERF"
	}
	if name != "" {
		return formatError(fmt.Sprintf("a capture of format %s, which is not read: editcap -F pcapng IN OUT converts it", name))
	}
	if len(head) >= 4 {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			if magic := order.Uint32(head); magic>>16 == magicMicro>>16 {
				return formatError(fmt.Sprintf("a pcap file with the unknown magic number %#08x: editcap -F pcapng IN OUT may convert it", magic))
			}
		}
	}
	for _, f := range []struct{ begin, what string }{
		{"\r\n\r\r\r\n", "a pcapng file that was transferred as text, which added bytes: transfer it in binary mode"},
		{"\n\r\n", "a pcapng file that was transferred as text, which removed bytes: transfer it in binary mode"},
		{"\x1f\x9d", "a file of compress: uncompress unpacks it"},
		{"PK\x03\x04", "a zip file: unzip unpacks it"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip file: 7z x unpacks it"},
		{"Rar!\x1a\x07", "a RAR file: unrar x unpacks it"},
		{"\x5d\x00\x00", "an LZMA file: xz -d unpacks it"},
		{"LZIP", "an lzip file: lzip -d unpacks it"},
	} {
		if bytes.HasPrefix(head, []byte(f.begin)) {
			return formatError(f.what)
		}
	}
	if len(head) >= 262 && string(head[257:262]) == "ustar" {
		return formatError("a tar file: tar -x unpacks it")
	}
	return ErrFormat
}

// formatError says what a file is, and what to do.
type formatError string

func (e formatError) Error() string { return string(e) }

func (e formatError) Is(target error) bool { return target == ErrFormat }

// isERF reports whether head is of the Extensible Record Format of Endace, which has no
// magic number: three records at least, or all of a file, of about the same time.
//
//	uint64 time (little-endian, seconds in its upper half); uint8 type; uint8 flags;
//	uint16 record_length; uint16 lost; uint16 wire_length;
func isERF(head []byte) bool {
	const headerLen, types, day = 16, 48, 24 * 60 * 60
	var last uint32
	count := 0
	for b := head; len(b) >= headerLen; count++ {
		seconds, n := binary.LittleEndian.Uint32(b[4:]), int(binary.BigEndian.Uint16(b[10:]))
		typ := b[8] & 0x7f
		if typ == 0 || typ > types || n < headerLen || count > 0 && !near(seconds, last) {
			return false
		}
		last = seconds
		b = b[min(n, len(b)):]
		if len(b) == 0 && len(head) < foreignLen && n <= len(head) {
			return count > 0 || seconds > 1e8
		}
	}
	return count >= 3
}

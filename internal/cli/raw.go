package cli

import (
	"errors"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// maxRaw is how many bytes of an input that is no capture are read: room for the
// longest ClientHello in hexadecimal, and for two of them in records.
const maxRaw = 1 << 20

// inspectMessage shows the handshake message that data begins with.
func (in *inspection) inspectMessage(source string, data []byte, parse parseFunc) error {
	in.summary.inputs++
	if _, n, err := parse(data); err == nil && n < len(data) {
		in.warn(source, count(len(data)-n, "byte")+" behind the message left out")
	}
	return in.found(hello{source: source, transport: "raw", index: 1, message: data, parse: parse})
}

// inspectRecords shows the ClientHellos of what a client sent in TLS records.
func (in *inspection) inspectRecords(source string, data []byte) error {
	length := len(data)
	var records assemble.Records
	records.Reset(make([]byte, assemble.MaxMessage))
	for index := 1; ; index++ {
		result := records.Feed(data)
		data = data[result.Used:]
		h := hello{
			source: source, transport: "raw", index: index, parse: clienthello.Parse,
			pieces:  pieces{Records: records.Count()},
			message: result.Message, code: result.Code, offset: result.Offset,
		}
		switch {
		case result.Outcome == assemble.NeedMore && (index == 1 || records.Count() > 0):
			h.code, h.offset = extension.ErrTruncated, length
		case result.Outcome == assemble.NeedMore, result.Outcome == assemble.NotProtocol:
			if index == 1 {
				return in.fail(source, errors.New("no ClientHello in these TLS records"))
			}
			return nil
		}
		if index == 1 {
			in.summary.inputs++
		}
		if err := in.found(h); err != nil || result.Outcome != assemble.Complete {
			return err
		}
		records.Next()
	}
}

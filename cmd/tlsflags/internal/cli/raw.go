package cli

import (
	"errors"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/extension"
)

// maxRaw is how many bytes of an input that is no capture are read: room for the
// longest ClientHello in hexadecimal, and for two of them in records.
const maxRaw = 1 << 20

// inspectMessage shows the handshake message that data begins with, of TLS or DTLS as
// the transport tells.
func (in *inspection) inspectMessage(source string, data []byte, transport capture.Transport) error {
	h := capture.Hello{Transport: transport, Message: data, Index: 1}
	if _, n, err := h.Parse(); err == nil && n < len(data) {
		in.warn(source, count(len(data)-n, "byte")+" after the message left out")
	}
	in.counted()
	return in.found(source, &h)
}

// inspectRecords shows the ClientHellos of what a client sent in TLS records.
func (in *inspection) inspectRecords(source string, data []byte) error {
	length := len(data)
	var records assemble.Records
	records.Reset(make([]byte, assemble.MaxMessage))
	for index := 1; ; index++ {
		result := records.Feed(data)
		data = data[result.Used:]
		h := capture.Hello{
			Transport: capture.TCP,
			Pieces:    capture.Pieces{Records: records.Info().Records},
			Message:   result.Message,
			Code:      result.Code,
			Offset:    result.Offset,
			Index:     index,
		}
		if result.Outcome != assemble.Complete {
			h.Message = records.Prefix()
		}
		switch {
		case result.Outcome == assemble.NeedMore && (index == 1 || records.Info().Records > 0):
			h.Code, h.Offset = extension.ErrTruncated, length
		case result.Outcome == assemble.NeedMore, result.Outcome == assemble.Unrecognized:
			if index == 1 {
				return in.fail(source, errors.New("no ClientHello in these TLS records"))
			}
			return nil
		}
		if index == 1 {
			in.counted()
		}
		if err := in.found(source, &h); err != nil || result.Outcome != assemble.Complete {
			return err
		}
		records.Next()
	}
}

// inspectDTLS shows the ClientHello of what a client sent in DTLS records.
func (in *inspection) inspectDTLS(source string, data []byte) error {
	var dtls assemble.DTLS
	dtls.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessage)))
	result := dtls.Feed(data)
	h := capture.Hello{Transport: capture.DTLS, DTLS: dtls.Info()}
	h.Pieces = capture.Pieces{Records: h.DTLS.Records}
	return in.datagram(source, data, &h, result, dtls.Prefix())
}

// inspectQUIC shows the ClientHello of what a client sent in Initial packets.
func (in *inspection) inspectQUIC(source string, data []byte) error {
	var quic assemble.QUIC
	quic.Reset(make([]byte, assemble.BufferSize(assemble.MaxMessage)))
	result := quic.Feed(data)
	h := capture.Hello{Transport: capture.QUIC, QUIC: quic.Info()}
	h.Pieces = capture.Pieces{Packets: h.QUIC.Packets}
	return in.datagram(source, data, &h, result, quic.Prefix())
}

// datagram shows what an assembler made of the only datagram there is, in which a message
// has begun.
func (in *inspection) datagram(source string, data []byte, h *capture.Hello, result assemble.Result, begun []byte) error {
	h.Message, h.Code, h.Offset, h.Index = result.Message, result.Code, result.Offset, 1
	if result.Outcome != assemble.Complete {
		h.Message = begun
	}
	h.Pieces.Datagrams = 1
	switch result.Outcome {
	case assemble.Unrecognized:
		return in.fail(source, errors.New("no ClientHello in this datagram"))
	case assemble.NeedMore:
		h.Code, h.Offset = extension.ErrTruncated, len(data)
	}
	in.counted()
	return in.found(source, h)
}

package vectorrun

import (
	"fmt"

	"github.com/tlsflags/tlsflags/extension"
)

// quicErrors are the names of the transport error codes (RFC 9000, Section 20.1).
var quicErrors = [...]string{
	"NO_ERROR", "INTERNAL_ERROR", "CONNECTION_REFUSED", "FLOW_CONTROL_ERROR", "STREAM_LIMIT_ERROR", "STREAM_STATE_ERROR",
	"FINAL_SIZE_ERROR", "FRAME_ENCODING_ERROR", "TRANSPORT_PARAMETER_ERROR", "CONNECTION_ID_LIMIT_ERROR", "PROTOCOL_VIOLATION",
	"INVALID_TOKEN", "APPLICATION_ERROR", "CRYPTO_BUFFER_EXCEEDED", "KEY_UPDATE_ERROR", "AEAD_LIMIT_REACHED", "NO_VIABLE_PATH",
}

// sent returns the name of the alert or of the error of QUIC in an answer. In QUIC, an
// alert is the error 0x100 plus the alert (RFC 9001, Section 4.8).
func (a Answer) sent() string {
	switch {
	case a.QUICError == nil && a.Alert == nil:
		return ""
	case a.QUICError == nil:
		return alertName(*a.Alert)
	}
	switch n := *a.QUICError; {
	case n>>8 == 1:
		return alertName(n & 0xff)
	case n >= 0 && n < len(quicErrors):
		return quicErrors[n]
	default:
		return fmt.Sprintf("error %#x", n)
	}
}

func alertName(n int) string {
	if n < 0 || n > 255 {
		return fmt.Sprintf("alert %d", n)
	}
	return extension.Alert(n).String()
}

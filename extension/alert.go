package extension

import "strconv"

// Alert is a TLS AlertDescription, as defined in RFC 9846, Section 6.
type Alert uint8

// The alerts that the codes of this module name.
const (
	AlertUnexpectedMessage    Alert = 10
	AlertRecordOverflow       Alert = 22
	AlertHandshakeFailure     Alert = 40
	AlertBadCertificate       Alert = 42
	AlertIllegalParameter     Alert = 47
	AlertDecodeError          Alert = 50
	AlertProtocolVersion      Alert = 70
	AlertInternalError        Alert = 80
	AlertMissingExtension     Alert = 109
	AlertUnsupportedExtension Alert = 110
	AlertCertificateRequired  Alert = 116
)

// String returns the name that RFC 9846, Section 6 gives the alert, such as
// "illegal_parameter", or "alert(N)" if it has none.
func (a Alert) String() string {
	switch a {
	case 0:
		return "close_notify"
	case AlertUnexpectedMessage:
		return "unexpected_message"
	case 20:
		return "bad_record_mac"
	case AlertRecordOverflow:
		return "record_overflow"
	case AlertHandshakeFailure:
		return "handshake_failure"
	case AlertBadCertificate:
		return "bad_certificate"
	case 43:
		return "unsupported_certificate"
	case 44:
		return "certificate_revoked"
	case 45:
		return "certificate_expired"
	case 46:
		return "certificate_unknown"
	case AlertIllegalParameter:
		return "illegal_parameter"
	case 48:
		return "unknown_ca"
	case 49:
		return "access_denied"
	case AlertDecodeError:
		return "decode_error"
	case 51:
		return "decrypt_error"
	case AlertProtocolVersion:
		return "protocol_version"
	case 71:
		return "insufficient_security"
	case AlertInternalError:
		return "internal_error"
	case 86:
		return "inappropriate_fallback"
	case 90:
		return "user_canceled"
	case AlertMissingExtension:
		return "missing_extension"
	case AlertUnsupportedExtension:
		return "unsupported_extension"
	case 112:
		return "unrecognized_name"
	case 113:
		return "bad_certificate_status_response"
	case 115:
		return "unknown_psk_identity"
	case AlertCertificateRequired:
		return "certificate_required"
	case 117:
		return "general_error"
	case 120:
		return "no_application_protocol"
	case 121:
		return "ech_required"
	}
	return "alert(" + strconv.Itoa(int(a)) + ")"
}

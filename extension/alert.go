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

// alertNames are the names that RFC 9846, Section 6 gives the alerts.
var alertNames = [...]string{
	0:                         "close_notify",
	AlertUnexpectedMessage:    "unexpected_message",
	20:                        "bad_record_mac",
	AlertRecordOverflow:       "record_overflow",
	AlertHandshakeFailure:     "handshake_failure",
	AlertBadCertificate:       "bad_certificate",
	43:                        "unsupported_certificate",
	44:                        "certificate_revoked",
	45:                        "certificate_expired",
	46:                        "certificate_unknown",
	AlertIllegalParameter:     "illegal_parameter",
	48:                        "unknown_ca",
	49:                        "access_denied",
	AlertDecodeError:          "decode_error",
	51:                        "decrypt_error",
	AlertProtocolVersion:      "protocol_version",
	71:                        "insufficient_security",
	AlertInternalError:        "internal_error",
	86:                        "inappropriate_fallback",
	90:                        "user_canceled",
	AlertMissingExtension:     "missing_extension",
	AlertUnsupportedExtension: "unsupported_extension",
	112:                       "unrecognized_name",
	113:                       "bad_certificate_status_response",
	115:                       "unknown_psk_identity",
	AlertCertificateRequired:  "certificate_required",
	117:                       "general_error",
	120:                       "no_application_protocol",
	121:                       "ech_required",
}

// String returns the name that RFC 9846, Section 6 gives the alert, such as
// "illegal_parameter", or "alert(N)" if it has none.
func (a Alert) String() string {
	if int(a) < len(alertNames) && alertNames[a] != "" {
		return alertNames[a]
	}
	return "alert(" + strconv.Itoa(int(a)) + ")"
}

package cli

import "testing"

func TestIdentify(t *testing.T) {
	dtls := "\x01\x00\x00\x30\x00\x00\x00\x00\x00\x00\x00\x30\xfe\xfd"
	for input, want := range map[string]content{
		"":                         unknownContent,
		"\xa1\xb2\xc3\xd4":         captureContent,
		"\xd4\xc3\xb2\xa1":         captureContent,
		"\xa1\xb2\x3c\x4d":         captureContent,
		"\x4d\x3c\xb2\xa1":         captureContent,
		"\x0a\x0d\x0d\x0a":         captureContent,
		"\x1f\x8b":                 captureContent,
		"\x1f":                     unknownContent,
		"\x16\x03\x01":             recordContent,
		"\x16\x03":                 unknownContent,
		"\x17\x03\x01":             unknownContent,
		"\x16\x04\x01":             unknownContent,
		"\x80\x2e\x01\x03\x01":     recordContent,
		"\x80\x2e\x01\x00\x02":     recordContent,
		"\x80\x2e\x01\x00\x03":     unknownContent,
		"\x80\x2e\x01\x02\x02":     unknownContent,
		"\x80\x2e\x02\x03\x01":     unknownContent,
		"\x80\x2e\x01\x03":         unknownContent,
		"\x7f\x2e\x01\x03\x01":     unknownContent,
		"\x16\xfe\xfd":             dtlsRecordContent,
		"\x16\xfe":                 unknownContent,
		"\x15\xfe\xfd":             unknownContent,
		dtls:                       dtlsMessageContent,
		dtls[:13]:                  unknownContent,
		"\x02" + dtls[1:]:          unknownContent,
		dtls[:12] + "\x03\xfd":     unknownContent,
		dtls[:11] + "\x31\xfe\xfd": unknownContent,
		"\x01":                     messageContent,
		"\x01\x00\x00\x2e":         messageContent,
		"\x01\x00\x00\x2e\x03":     messageContent,
		"\x01\x00\x00\x2e\x02":     unknownContent,
		"\x02\x00\x00\x2e\x03":     unknownContent,
		"0100 002e\t\r\n\f\v~":     textContent,
		"0100\x7f":                 textContent,
		"0100\x00":                 unknownContent,
		"é":                        textContent,
		"\xe9":                     unknownContent,
	} {
		if got := identify([]byte(input)); got != want {
			t.Errorf("%q is %d, want %d", input, got, want)
		}
	}
}

package extension

import "testing"

func TestTypeName(t *testing.T) {
	tests := []struct {
		value uint16
		want  string
	}{
		{0, "server_name"},
		{23, "extended_main_secret"},
		{40, "key_share_old"},
		{46, "ticket_early_data_info"},
		{61, "rrc"},
		{62, "tls_flags"},
		{4832, "server_padding"},
		{17613, "application_settings"},
		{35655, "padding_old"},
		{64768, "ech_outer_extensions"},
		{65025, "tls_flags_experimental"},
		{65281, "renegotiation_info"},
		{63, ""},
		{0x0a0a, ""},
		{65535, ""},
	}
	for _, tt := range tests {
		if got := typeName(tt.value); got != tt.want {
			t.Errorf("typeName(%d) = %q, want %q", tt.value, got, tt.want)
		}
	}
}

package extensiontest

import "github.com/tlsflags/tlsflags/extension"

// Block encodes a list of extensions without its length.
func Block(list []extension.Extension) []byte {
	var b []byte
	for _, e := range list {
		b = append(b, byte(e.Type>>8), byte(e.Type), byte(len(e.Data)>>8), byte(len(e.Data)))
		b = append(b, e.Data...)
	}
	return b
}

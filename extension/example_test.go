package extension_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/tlsflags/tlsflags/extension"
)

func ExampleParseFlags() {
	data := []byte{2, 0x00, 0x01} // extension_data: a vector of two octets
	flags, _, err := extension.ParseFlags(data)
	if err != nil {
		log.Fatal(err)
	}
	for f := range flags.All() {
		fmt.Println(uint16(f), f)
	}
	// Output: 8 resumption_across_names
}

// An error has the offset, the reason, and the alert to send.
func ExampleCode() {
	_, offset, err := extension.ParseFlags([]byte{2, 0x01, 0x00})
	var code extension.Code
	if errors.As(err, &code) {
		fmt.Println(offset, code.Name(), code.Alert())
	}
	fmt.Println(err)
	// Output:
	// 2 trailing_zero illegal_parameter
	// tlsflags: the last flags octet is zero
}

func ExampleFlagSet() {
	set, err := extension.NewFlagSet(extension.RequestMTLS, extension.ResumptionAcrossNames)
	if err != nil {
		log.Fatal(err)
	}
	wire, err := set.AppendExtension(nil, extension.TLSFlags)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x\n", wire)
	// Output: 003e000c0b0001000000000000000001
}

func ExampleParseList() {
	block := []byte{0x00, 0x17, 0, 0, 0x00, 0x3e, 0, 2, 1, 0x02}
	list, _, err := extension.ParseList(extension.EncryptedExtensions, block, 6)
	if err != nil {
		log.Fatal(err)
	}
	for e := range list.All() {
		fmt.Println(e.Type, "at", e.Offset, "with", len(e.Data), "bytes")
	}
	fmt.Println(list.HasFlag(1))
	// Output:
	// extended_main_secret at 10 with 0 bytes
	// tls_flags at 14 with 2 bytes
	// true
}

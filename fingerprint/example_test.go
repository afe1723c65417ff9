package fingerprint_test

import (
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/fingerprint"
)

func ExampleSumJA4() {
	entry, _ := corpus.Lookup("records/utls-chrome-131.bin")
	const recordHeader = 5
	hello, _, err := clienthello.Parse(entry.Data()[recordHeader:])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fingerprint.SumJA4(hello, fingerprint.TCP))
	// Output: t13d1516h2_8daaf6152771_02713d6af862
}

func ExampleDiff() {
	parse := func(file string) clienthello.ClientHello {
		entry, _ := corpus.Lookup(file)
		hello, _, _ := clienthello.Parse(entry.Data()[5:])
		return hello
	}
	a, b := parse("records/utls-chrome-120.bin"), parse("records/utls-chrome-131.bin")
	for _, d := range fingerprint.Diff(a, b) {
		if !d.Order {
			fmt.Println(d.Field, d.A, d.B)
		}
	}
	// Output:
	// key_share [] [X25519MLKEM768: 1216 bytes]
	// supported_groups [] [X25519MLKEM768]
}

package vectors_test

import (
	"fmt"
	"log"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

func ExampleKinds() {
	for _, kind := range vectors.Kinds() {
		file, err := vectors.Load(kind)
		if err != nil {
			log.Fatal(err)
		}
		for _, test := range file.All() {
			switch test := test.(type) {
			case *vectors.PiecesTest:
				if test.Code == "sslv2_hello" {
					fmt.Println(test.ID, len(test.Pieces))
				}
			case *vectors.ExchangeTest:
				if test.Action == vectors.SendEmpty && test.State.Mismatch {
					fmt.Println(test.ID, len(test.Steps))
				}
			}
		}
	}
	// Output:
	// records/faults/sslv2 1
	// records/faults/sslv2-session-id 1
	// records/faults/sslv2-single-bytes 11
	// request-mtls/answer/draft-02/acknowledged-mismatch-2 2
	// request-mtls/answer/editors-copy/acknowledged-mismatch-2 2
}

func ExampleLoad() {
	file, err := vectors.Load(vectors.TLSFlags)
	if err != nil {
		log.Fatal(err)
	}
	for group, test := range file.All() {
		if group.Name != "empty" {
			continue
		}
		_, offset, err := extension.ParseFlags(test.Input)
		code := err.(extension.Code)
		fmt.Println(test.ID, code.Name() == test.Code, offset == *test.Offset)
	}
	// Output:
	// flags/empty-data true true
	// flags/empty-vector/alone true true
	// flags/empty-vector/one-octet-behind true true
	// flags/empty-vector/zero-octet-behind true true
	// flags/empty-vector/two-byte-length true true
	// flags/empty-vector/255-octets-behind true true
}

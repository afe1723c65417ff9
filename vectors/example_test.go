package vectors_test

import (
	"fmt"
	"log"

	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/vectors"
)

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

package filter_test

import (
	"fmt"

	"github.com/tlsflags/tlsflags/capture"
	"github.com/tlsflags/tlsflags/capture/filter"
)

func ExampleParse() {
	_, err := filter.Parse("tcp and port https")
	fmt.Println(err)

	f, err := filter.Parse("tcp port (443 or 8443) and not net 10.0.0.0/8")
	if err != nil {
		fmt.Println(err)
		return
	}
	o := capture.Options{Filter: f} // for capture.Open, Join and Live
	fmt.Println(o.Filter)
	// Output:
	// column 14: port takes a number from 0 to 65535, not "https"
	// tcp port (443 or 8443) and not net 10.0.0.0/8
}

package annotate

import (
	"testing"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// TestBodyOfHasEveryType checks that each body that clienthello reads has the section
// that defines it.
func TestBodyOfHasEveryType(t *testing.T) {
	for typ := range clienthello.BodyTypes() {
		if _, clause := bodyOf(typ, extension.ClientHello); clause == clauseExtension {
			t.Errorf("%v has the section of extensions in general", typ)
		}
	}
}

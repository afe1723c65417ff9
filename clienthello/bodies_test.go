package clienthello

import (
	"reflect"
	"slices"
	"testing"

	"github.com/tlsflags/tlsflags/extension"
)

// TestBodies checks that the table has every method that reads the body of an extension,
// and no other.
func TestBodies(t *testing.T) {
	rows := make(map[string]bool)
	for i, row := range bodies {
		rows[row.method] = true
		if i > 0 && row.typ <= bodies[i-1].typ {
			t.Errorf("%v comes after %v", row.typ, bodies[i-1].typ)
		}
	}
	errorType, boolType := reflect.TypeFor[error](), reflect.TypeFor[bool]()
	hello := reflect.TypeFor[ClientHello]()
	for i := range hello.NumMethod() {
		m := hello.Method(i)
		results := m.Type.NumOut()
		reads := m.Type.NumIn() == 1 && results > 1 && (m.Type.Out(results-1) == errorType || m.Type.Out(results-1) == boolType)
		if reads != rows[m.Name] {
			t.Errorf("%s reads a body: %t, is in the table: %t", m.Name, reads, rows[m.Name])
		}
		delete(rows, m.Name)
	}
	for name := range rows {
		t.Errorf("ClientHello has no method %s", name)
	}
}

// TestFields checks that Fields has a field for every method of the table, and a bit of its
// own for every type. clienthellotest.CheckBodies compares the values.
func TestFields(t *testing.T) {
	fields := reflect.TypeFor[Fields]()
	var bits uint64
	for _, row := range bodies {
		if _, ok := fields.FieldByName(row.method); !ok {
			t.Errorf("Fields has no %s", row.method)
		}
		if bit := fieldBit(row.typ); bit == 0 || bits&bit != 0 {
			t.Errorf("%v has the bit %#x, others have %#x", row.typ, bit, bits)
		} else {
			bits |= bit
		}
	}
	if bit := fieldBit(0x0a0a); bit != 0 {
		t.Errorf("a type without a field has the bit %#x", bit)
	}
	f := Fields{sent: 1}
	if (ClientHello{}).ReadFields(&f); f.Has(extension.ServerName) {
		t.Error("the zero ClientHello has a server name")
	}
}

func TestBodyTypes(t *testing.T) {
	types := slices.Collect(BodyTypes())
	if len(types) != len(bodies) || !slices.Contains(types, extension.TLSFlags) {
		t.Errorf("%v, want the %d types of the table", types, len(bodies))
	}
	for typ := range BodyTypes() {
		if typ != types[0] {
			t.Errorf("%v is first, then %v", types[0], typ)
		}
		break
	}
}

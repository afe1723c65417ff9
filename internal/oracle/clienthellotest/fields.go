package clienthellotest

import (
	"fmt"
	"reflect"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// checkFields compares what ReadFields gives with what the methods of the same names do.
func checkFields(h clienthello.ClientHello) error {
	var f clienthello.Fields
	h.ReadFields(&f)
	fields, methods := reflect.ValueOf(f), reflect.ValueOf(h)
	for i := range fields.NumField() {
		name := fields.Type().Field(i).Name
		method := methods.MethodByName(name)
		if !method.IsValid() {
			continue // not exported
		}
		want := method.Call(nil)[0].Interface()
		if got := fields.Field(i).Interface(); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%s is %v, the method returns %v", name, got, want)
		}
	}
	for t := range clienthello.BodyTypes() {
		_, sent := h.Extensions().Lookup(t)
		_, err := h.CheckExtension(t)
		if f.Has(t) != sent || f.Malformed(t) != (err != nil) {
			return fmt.Errorf("%v is sent: %t, malformed: %t; want %t, %v", t, f.Has(t), f.Malformed(t), sent, err)
		}
	}
	extra := extension.Type(0x0a0a)
	if f.Has(extra) || f.Malformed(extra) {
		return fmt.Errorf("%v has a field", extra)
	}
	return nil
}

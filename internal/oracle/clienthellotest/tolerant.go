package clienthellotest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
)

// checkTolerant checks what clienthello.ParseTolerant, or ParseTolerantDTLS, promises, on an
// input of which the strict parser consumes n bytes or refuses the byte at n with code.
func checkTolerant(msg []byte, dtls bool, n int, code extension.Code) error {
	parse := clienthello.ParseTolerant
	if dtls {
		parse = clienthello.ParseTolerantDTLS
	}
	hello, faults, m, err := parse(msg, clienthello.AllServers)
	switch {
	case err != nil:
		if err != code || m != n || faults != nil || hello.Raw() != nil {
			return fmt.Errorf("the tolerant parser gives %v at %d, the strict one %v at %d", err, m, code, n)
		}
	case code == 0 && (faults != nil || m != n || !bytes.Equal(hello.Raw(), msg[:n])):
		return errors.New("the tolerant parser changes a hello without faults")
	case code != 0 && (len(faults) == 0 || faults[0].Code != code.Name()):
		return fmt.Errorf("the tolerant parser passes over %v with the faults %v", code, faults)
	case !bytes.Equal(hello.AppendTo(nil), msg[:m]):
		return errors.New("the tolerant parser does not give back the bytes consumed")
	}
	for _, f := range faults {
		if f.Offset >= m || f.Servers == 0 {
			return fmt.Errorf("fault %+v", f)
		}
		if one, _, _, err := parse(msg, f.Servers); err == nil && !bytes.Equal(one.Raw(), hello.Raw()) {
			return errors.New("what is parsed depends on the servers")
		}
	}
	return checkFields(hello)
}

// checkPartial checks what clienthello.ParsePartial, or ParsePartialDTLS, promises, on the
// same input: all of an accepted message is read, and of a refused one what it has.
func checkPartial(msg []byte, dtls bool, n int, code extension.Code) error {
	parse := clienthello.ParsePartial
	if dtls {
		parse = clienthello.ParsePartialDTLS
	}
	p := parse(msg)
	switch {
	case code == 0 && (!p.Whole || p.Length != n || !bytes.Equal(p.Hello.Random(), p.Random)):
		return errors.New("an accepted message is not read in whole")
	case p.Whole && p.CipherSuites.Len() != p.Hello.CipherSuites().Len():
		return errors.New("the fields of a whole message differ")
	}
	for e := range p.Hello.Extensions().All() {
		if !bytes.Equal(msg[e.Offset:e.Offset+len(e.Data)], e.Data) {
			return fmt.Errorf("extension %d is not at offset %d", e.Type, e.Offset)
		}
	}
	return checkFields(p.Hello)
}

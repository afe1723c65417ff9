//go:build live

package live

import (
	"bufio"
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
)

const (
	recordAlert       = 21
	recordHandshake   = 22
	recordApplication = 23

	messageClientHello = 1
	messageServerHello = 2
	messageFinished    = 20
)

// An alertError is the alert that the other side sent.
type alertError extension.Alert

func (e alertError) Error() string { return "alert " + extension.Alert(e).String() }

// A peer is one end of a handshake, whose messages the test chooses.
type peer struct {
	in          *bufio.Reader
	out         io.Writer
	transcript  []byte
	unread      []byte // of handshake records
	read, write *half  // nil: in the clear
}

// record returns the next record that is not a change_cipher_spec.
func (p *peer) record() (byte, []byte, error) {
	for {
		header := make([]byte, 5)
		if _, err := io.ReadFull(p.in, header); err != nil {
			return 0, nil, err
		}
		body := make([]byte, binary.BigEndian.Uint16(header[3:]))
		if _, err := io.ReadFull(p.in, body); err != nil {
			return 0, nil, err
		}
		typ, err := header[0], error(nil)
		if typ == 20 {
			continue
		}
		if typ == recordApplication && p.read != nil {
			typ, body, err = p.read.open(header, body)
		}
		if err == nil && typ == recordAlert && len(body) == 2 {
			err = alertError(body[1])
		}
		return typ, body, err
	}
}

// message returns the next handshake message, and adds it to the transcript.
func (p *peer) message() ([]byte, error) {
	for len(p.unread) < 4 || len(p.unread) < 4+int(binary.BigEndian.Uint32(p.unread)&0xffffff) {
		typ, data, err := p.record()
		if err != nil {
			return nil, err
		}
		if typ != recordHandshake {
			return nil, fmt.Errorf("a record of type %d, want a handshake", typ)
		}
		p.unread = append(p.unread, data...)
	}
	n := 4 + int(binary.BigEndian.Uint32(p.unread)&0xffffff)
	m := p.unread[:n:n]
	p.unread = p.unread[n:]
	p.transcript = append(p.transcript, m...)
	return m, nil
}

// expect returns the next message, of one type.
func (p *peer) expect(typ byte) ([]byte, error) {
	m, err := p.message()
	if err == nil && m[0] != typ {
		err = fmt.Errorf("a message of type %d, want %d", m[0], typ)
	}
	return m, err
}

func (p *peer) send(messages ...[]byte) error {
	for _, m := range messages {
		p.transcript = append(p.transcript, m...)
		if err := p.put(recordHandshake, m); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) put(typ byte, data []byte) error {
	record := append([]byte{typ, 3, 3, byte(len(data) >> 8), byte(len(data))}, data...)
	if p.write != nil {
		record = p.write.seal(typ, data)
	}
	_, err := p.out.Write(record)
	if err == nil {
		return nil
	}
	// The other side has ended. It may have said why.
	for {
		if _, _, reason := p.record(); errors.As(reason, new(alertError)) {
			return reason
		} else if reason != nil {
			return err
		}
	}
}

// echo checks that the other side returns application data. It ignores tickets.
func (p *peer) echo() error {
	if err := p.put(recordApplication, []byte("ping")); err != nil {
		return err
	}
	for {
		typ, data, err := p.record()
		if err != nil {
			return err
		}
		if typ == recordApplication {
			if string(data) != "ping" {
				return fmt.Errorf("echo is %q", data)
			}
			return nil
		}
	}
}

// certificateVerify proves that this side has the key of the certificate.
func (p *peer) certificateVerify(side string) []byte {
	text := append(bytes.Repeat([]byte{' '}, 64), "TLS 1.3, "+side+" CertificateVerify\x00"...)
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(certificateSeed), append(text, hash(p.transcript)...))
	return append([]byte{15, 0, 0, 4 + 64, 8, 7, 0, 64}, signature...)
}

// handshakeKeys starts protection after the ServerHello. It returns the handshake secret
// and both traffic secrets.
func (p *peer) handshakeKeys(private, public []byte) (secret, client, server []byte, err error) {
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		return nil, nil, nil, err
	}
	other, err := ecdh.X25519().NewPublicKey(public)
	if err != nil {
		return nil, nil, nil, err
	}
	shared, err := key.ECDH(other)
	if err != nil {
		return nil, nil, nil, err
	}
	secret = next(next(nil, make([]byte, 32)), shared)
	client = expandLabel(secret, "c hs traffic", hash(p.transcript), 32)
	server = expandLabel(secret, "s hs traffic", hash(p.transcript), 32)
	return secret, client, server, nil
}

// applicationKeys returns the keys after the server's Finished.
func (p *peer) applicationKeys(secret []byte) (client, server *half) {
	main := next(secret, make([]byte, 32))
	return newHalf(expandLabel(main, "c ap traffic", hash(p.transcript), 32)), newHalf(expandLabel(main, "s ap traffic", hash(p.transcript), 32))
}

// serve is the server's side of a handshake. CertificateRequest and NewSessionTicket are
// optional.
func (p *peer) serve(m map[string][]byte) error {
	hello, err := p.expect(messageClientHello)
	if err != nil {
		return err
	}
	if retry := m["hello_retry_request"]; retry != nil {
		if err := p.send(retry); err != nil {
			return err
		}
		_, err = p.expect(messageClientHello)
		return err
	}
	public, err := clientShare(hello)
	if err != nil {
		return err
	}
	if err := p.send(m["server_hello"]); err != nil {
		return err
	}
	secret, client, server, err := p.handshakeKeys(serverKey, public)
	if err != nil {
		return err
	}
	p.write, p.read = newHalf(server), newHalf(client)
	flight := [][]byte{m["encrypted_extensions"]}
	if request := m["certificate_request"]; request != nil {
		flight = append(flight, request)
	}
	if err := p.send(append(flight, m["certificate"])...); err != nil {
		return err
	}
	if err := p.send(p.certificateVerify("server")); err != nil {
		return err
	}
	if err := p.send(finished(server, p.transcript)); err != nil {
		return err
	}
	read, write := p.applicationKeys(secret)
	for {
		want := finished(client, p.transcript)
		got, err := p.message()
		if err != nil {
			return err
		}
		if got[0] == messageFinished {
			if !bytes.Equal(got, want) {
				return errors.New("wrong Finished")
			}
			break
		}
	}
	p.read, p.write = read, write
	if ticket := m["new_session_ticket"]; ticket != nil {
		if err := p.send(ticket); err != nil {
			return err
		}
	}
	return p.echo()
}

// serverHello waits for a ServerHello or HelloRetryRequest.
func (p *peer) serverHello() (handshake.Message, error) {
	msg, err := p.expect(messageServerHello)
	if err != nil {
		return handshake.Message{}, err
	}
	m, _, err := handshake.ParseServerHello(msg)
	return m, err
}

// connect is the client's side of a handshake: a ClientHello with the key share of
// clientKey, and a Certificate.
func (p *peer) connect(hello, certificate []byte) error {
	if err := p.send(hello); err != nil {
		return err
	}
	parsed, err := p.serverHello()
	if err != nil {
		return err
	}
	share, ok := parsed.Extensions().Lookup(extension.KeyShare)
	if !ok || len(share.Data) != 4+32 {
		return errors.New("no X25519 share in the ServerHello")
	}
	secret, client, server, err := p.handshakeKeys(clientKey, share.Data[4:])
	if err != nil {
		return err
	}
	p.read = newHalf(server)
	for asked := false; ; {
		m, err := p.message()
		if err != nil {
			return err
		}
		asked = asked || m[0] == 13
		if m[0] == messageFinished {
			if !asked {
				return errors.New("no CertificateRequest")
			}
			break
		}
	}
	write, read := p.applicationKeys(secret)
	p.read, p.write = read, newHalf(client)
	if err := p.send(certificate); err != nil {
		return err
	}
	if !bytes.Equal(certificate[4:], []byte{0, 0, 0, 0}) { // not empty
		if err := p.send(p.certificateVerify("client")); err != nil {
			return err
		}
	}
	if err := p.send(finished(client, p.transcript)); err != nil {
		return err
	}
	p.write = write
	return p.echo()
}

// clientShare returns the X25519 key of a ClientHello.
func clientShare(msg []byte) ([]byte, error) {
	h, _, err := clienthello.Parse(msg)
	if err != nil {
		return nil, err
	}
	shares, err := h.KeyShares()
	if err != nil {
		return nil, err
	}
	for s := range shares.All() {
		if s.Group == 0x001d {
			return s.KeyExchange, nil
		}
	}
	return nil, errors.New("no X25519 share in the ClientHello")
}

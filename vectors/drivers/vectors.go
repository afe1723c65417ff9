package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// The kinds, which name the files, in the order of the matrix.
const (
	tlsFlags        = "tls_flags"
	clientHello     = "client_hello"
	extensionBodies = "extension_bodies"
	messages        = "messages"
	tlsRecords      = "tls_records"
	quicKind        = "quic"
	dtlsKind        = "dtls"
	firstBytes      = "first_bytes"
	requestMTLS     = "request_mtls"
)

var kinds = []string{tlsFlags, clientHello, extensionBodies, messages, tlsRecords, quicKind, dtlsKind, firstBytes, requestMTLS}

// A vector is a test, with what the drivers need of it and of its group. README.md of the
// vectors explains the keys.
type vector struct {
	Kind   string `json:"kind"`
	Entry  string `json:"entry"`
	Group  string `json:"-"`
	Source string `json:"-"`

	ID       string     `json:"id"`
	Input    hexBytes   `json:"input,omitzero"`
	Pieces   []hexBytes `json:"pieces,omitzero"`
	Memory   int        `json:"memory,omitzero"`
	Prefixes *struct {
		From int `json:"from"`
		To   int `json:"to"`
	} `json:"prefixes,omitzero"`

	Result    string `json:"result,omitzero"`
	Outcome   string `json:"outcome,omitzero"`
	Code      string `json:"code,omitzero"`
	Alert     *fault `json:"alert,omitzero"`
	QUICError *fault `json:"quic_error,omitzero"`
	// Alternatives are other answers that the test allows.
	Alternatives []alternative `json:"alternatives,omitzero"`
	Parsed       *struct {
		ClientHello *struct {
			CipherSuites      struct{ First, Last uint16 } `json:"cipher_suites"`
			SupportedVersions []uint16                     `json:"supported_versions"`
		} `json:"client_hello"`
	} `json:"parsed,omitzero"`
}

// A fault is an alert, or an error of QUIC.
type fault struct {
	Name   string `json:"name"`
	Clause string `json:"clause"`
}

type alternative struct {
	Result    string `json:"result"`
	Outcome   string `json:"outcome"`
	Alert     string `json:"alert"`
	QUICError string `json:"quic_error"`
	Who       string `json:"who"`
}

// hexBytes is hexadecimal in JSON.
type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, b), nil }

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text)
	return err
}

// load reads the vectors of all kinds from the folder above that of the drivers.
func load(dir string) ([]*vector, error) {
	var list []*vector
	for _, kind := range kinds {
		name := filepath.Join(dir, "..", kind+".json")
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var file struct {
			Groups []struct {
				Name, Entry, Source string
				Tests               []*vector
			}
		}
		if err := json.Unmarshal(data, &file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, g := range file.Groups {
			for _, v := range g.Tests {
				v.Kind, v.Entry, v.Group, v.Source = kind, g.Entry, g.Name, g.Source
				list = append(list, v)
			}
		}
	}
	return list, nil
}

// pieces returns the input in one piece, or the pieces.
func (v *vector) pieces() [][]byte {
	if v.Pieces == nil {
		return [][]byte{v.Input}
	}
	var list [][]byte
	for _, piece := range v.Pieces {
		list = append(list, piece)
	}
	return list
}

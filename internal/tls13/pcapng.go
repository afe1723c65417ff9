package tls13

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// Block types and the type of secrets of pcapng.
const (
	blockSection   = 0x0a0d0d0a
	blockSecrets   = 0x0000000a
	secretsTLS     = 0x544c534b // "TLSK"
	byteOrderMagic = 0x1a2b3c4d
	maxSecrets     = 16 << 20
)

var errPcapng = errors.New("a damaged pcapng capture")

// readPcapng reads the blocks of a pcapng capture (draft-ietf-opsawg-pcapng, Section 3.1)
// and adds the secrets of its Decryption Secrets Blocks.
func (k KeyLog) readPcapng(r io.Reader) error {
	var order binary.ByteOrder = binary.LittleEndian
	for {
		// uint32 block_type; uint32 block_total_length; ...; uint32 block_total_length;
		var head [12]byte
		if _, err := io.ReadFull(r, head[:]); err == io.EOF {
			return nil
		} else if err != nil {
			return errPcapng
		}
		kind := order.Uint32(head[0:])
		if kind == blockSection { // the same in both byte orders
			if order = byteOrder(head[8:]); order == nil {
				return errPcapng
			}
		}
		length := int64(order.Uint32(head[4:]))
		if length < 12 || length%4 != 0 {
			return errPcapng
		}
		rest := &io.LimitedReader{R: r, N: length - 12}
		if kind == blockSecrets && order.Uint32(head[8:]) == secretsTLS {
			if err := k.secretsBlock(rest, order); err != nil {
				return err
			}
		}
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return err
		}
		if rest.N > 0 {
			return errPcapng
		}
	}
}

func byteOrder(magic []byte) binary.ByteOrder {
	switch uint32(byteOrderMagic) {
	case binary.LittleEndian.Uint32(magic):
		return binary.LittleEndian
	case binary.BigEndian.Uint32(magic):
		return binary.BigEndian
	}
	return nil
}

// secretsBlock reads a block after its secrets_type.
func (k KeyLog) secretsBlock(r io.Reader, order binary.ByteOrder) error {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return errPcapng
	}
	n := int64(order.Uint32(length[:]))
	if n > maxSecrets {
		return errPcapng
	}
	data, err := io.ReadAll(io.LimitReader(r, n))
	if err != nil || int64(len(data)) < n {
		return errPcapng
	}
	return k.Add(bytes.NewReader(data))
}

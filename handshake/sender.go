package handshake

// Sender is the side that sent a message. Only a Certificate can come from both.
type Sender uint8

// The two sides. The zero value suits every message but ClientHello and the client's
// Certificate.
const (
	FromServer Sender = iota
	FromClient
)

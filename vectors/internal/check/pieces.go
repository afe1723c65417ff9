package check

import (
	"bytes"
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/clienthello/assemble"
	"github.com/tlsflags/tlsflags/vectors"
)

var outcomes = map[assemble.Outcome]vectors.Outcome{
	assemble.Complete:     vectors.Complete,
	assemble.NeedMore:     vectors.NeedMore,
	assemble.Unrecognized: vectors.NotThisProtocol,
	assemble.Refused:      vectors.Refused,
}

// testPieces gives the pieces of a test to an assembler.
func testPieces(g *vectors.Group, t *vectors.Test) error {
	var a assemble.Assembler
	size, parse := t.Memory, clienthello.Parse
	switch {
	case g.Entry == vectors.Records:
		a = new(assemble.Records)
	case g.Kind == vectors.QUIC, g.Entry == vectors.QUICDatagrams:
		a, size = new(assemble.QUIC), assemble.BufferSize(t.Memory)
	default:
		a, size, parse = new(assemble.DTLS), assemble.BufferSize(t.Memory), clienthello.ParseDTLS
	}
	a.Reset(make([]byte, size))
	var r assemble.Result
	for i, piece := range t.Pieces {
		if r = a.Feed(piece); r.Outcome != assemble.NeedMore && i < len(t.Pieces)-1 && r.Outcome != assemble.Unrecognized {
			return fmt.Errorf("%s after piece %d of %d", r.Outcome, i+1, len(t.Pieces))
		}
	}
	if outcomes[r.Outcome] != t.Outcome {
		return fmt.Errorf("outcome is %s, want %s", outcomes[r.Outcome], t.Outcome)
	}
	switch r.Outcome {
	case assemble.Refused:
		return compare(t, answer{code: r.Code, offset: r.Offset})
	case assemble.Complete:
		if !bytes.Equal(r.Message, t.Joined) {
			return fmt.Errorf("the message is %x, want %x", r.Message, t.Joined)
		}
		h, n, err := parse(r.Message)
		if err != nil {
			return compare(t, refused(err, n))
		}
		return compare(t, readFields(h))
	}
	return nil
}

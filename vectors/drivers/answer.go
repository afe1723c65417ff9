package main

import (
	"bufio"
	"encoding/json"
	"io"
	"slices"
	"strconv"
)

type reply struct {
	ID        string `json:"id"`
	Result    string `json:"result"`
	Code      string `json:"code,omitzero"`
	Alert     *int   `json:"alert,omitzero"`
	QUICError *int   `json:"quic_error,omitzero"`
	Outcome   string `json:"outcome,omitzero"`
}

// answer lets a stack answer the questions of tlsflags vectors run, in JSON.
func answer(dir string, s stack, in io.Reader, out io.Writer) error {
	return with(dir, s, func(p *process) error {
		lines := bufio.NewReader(in)
		for {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			var q vector
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			a, err := p.reply(&q)
			if err != nil {
				return err
			}
			if err := json.NewEncoder(out).Encode(a); err != nil {
				return err
			}
		}
	})
}

// quicErrors are the names of the errors of QUIC, by number, as defined in RFC 9000,
// Section 20.1.
var quicErrors = []string{
	"NO_ERROR", "INTERNAL_ERROR", "CONNECTION_REFUSED", "FLOW_CONTROL_ERROR", "STREAM_LIMIT_ERROR",
	"STREAM_STATE_ERROR", "FINAL_SIZE_ERROR", "FRAME_ENCODING_ERROR", "TRANSPORT_PARAMETER_ERROR",
	"CONNECTION_ID_LIMIT_ERROR", "PROTOCOL_VIOLATION", "INVALID_TOKEN", "APPLICATION_ERROR",
	"CRYPTO_BUFFER_EXCEEDED", "KEY_UPDATE_ERROR", "AEAD_LIMIT_REACHED", "NO_VIABLE_PATH",
}

// largestMessage is the length of the longest ClientHello, with its header. Who has less
// memory cannot be asked: no stack takes a limit.
const largestMessage = 131400

func (p *process) reply(q *vector) (reply, error) {
	over, ok := q.asked()
	if !ok || !p.takes(over) || q.Memory > 0 && q.Memory < largestMessage {
		return reply{ID: q.ID, Result: "skipped"}, nil
	}
	pieces := q.pieces()
	v, err := p.ask(over, pieces...)
	return p.replyTo(v, over, q), err
}

// replyTo says what a verdict means.
func (s stack) replyTo(v verdict, over transport, q *vector) reply {
	a := reply{ID: q.ID, Result: "invalid"}
	switch {
	case s.read(v, q.Kind, slices.Concat(q.pieces()...)):
		a.Result = "valid"
		if over != message {
			a.Outcome = "complete"
		}
	case v == waits && over == message:
		a.Code = "truncated"
	case v == waits:
		a.Outcome = "need_more"
	default:
		if n, err := strconv.Atoi(string(v)); err == nil {
			a.Alert = &n
		} else if n := slices.Index(quicErrors, string(v)); n >= 0 {
			a.QUICError = &n
		}
	}
	return a
}

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"

	"github.com/tlsflags/tlsflags/vectors"
)

type question struct {
	ID     string          `json:"id"`
	Kind   vectors.Kind    `json:"kind"`
	Entry  vectors.Entry   `json:"entry"`
	Input  vectors.Bytes   `json:"input"`
	Pieces []vectors.Bytes `json:"pieces"`
}

type reply struct {
	ID      string          `json:"id"`
	Result  string          `json:"result"`
	Code    string          `json:"code,omitzero"`
	Alert   *int            `json:"alert,omitzero"`
	Outcome vectors.Outcome `json:"outcome,omitzero"`
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
			var q question
			if err := json.Unmarshal(line, &q); err != nil {
				return err
			}
			a, err := p.reply(q)
			if err != nil {
				return err
			}
			if err := json.NewEncoder(out).Encode(a); err != nil {
				return err
			}
		}
	})
}

func (p *process) reply(q question) (reply, error) {
	over, ok := asked(&vectors.Group{Kind: q.Kind, Entry: q.Entry}, &vectors.Test{})
	if !ok || !p.takes(over) {
		return reply{ID: q.ID, Result: "skipped"}, nil
	}
	var pieces [][]byte
	for _, piece := range q.Pieces {
		pieces = append(pieces, piece)
	}
	if over == message {
		pieces = [][]byte{q.Input}
	}
	v, err := p.ask(over, pieces...)
	a := reply{ID: q.ID, Result: "invalid"}
	switch {
	case p.read(v, q.Kind):
		a.Result = "valid"
		if over != message {
			a.Outcome = vectors.Complete
		}
	case v == waits && over == message:
		a.Code = "truncated"
	case v == waits:
		a.Outcome = vectors.NeedMore
	default:
		if n, err := strconv.Atoi(string(v)); err == nil {
			a.Alert = &n
		}
	}
	return a, err
}

package vectorrun

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"time"

	"github.com/tlsflags/tlsflags/vectors"
)

// Config says what to run, and how.
type Config struct {
	Command  []string
	Suite    Suite
	Protocol Protocol
	Batch    bool // ask a test with prefixes in one question, which needs JSON
	Known    Expected
	Strict   bool          // what is unchecked is a difference too
	Timeout  time.Duration // for each answer; the command starts within that of the first
	Stderr   io.Writer     // of the command
}

// Run starts the command and asks it for every test. An error means that the command
// could not be asked to the end.
func Run(ctx context.Context, c Config) (Report, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p, err := start(ctx, c)
	if err != nil {
		return Report{}, err
	}
	report, err := p.askAll(ctx, c)
	if err == nil {
		if err = p.stop(ctx, c.Timeout); err == nil {
			report.Stale = c.Known.stale()
			return report, nil
		}
		err = fmt.Errorf("%s: %w after the last answer", c.Command[0], err)
	}
	cancel()
	if waited := p.cmd.Wait(); waited != nil && errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w (%w)", err, waited)
	}
	return Report{}, err
}

// A process is the command while it runs.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan line
}

type line struct {
	text []byte
	err  error
}

func start(ctx context.Context, c Config) (*process, error) {
	cmd := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	cmd.Stderr = c.Stderr
	cmd.WaitDelay = time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, in, make(chan line)}
	go func() {
		for r := bufio.NewReader(out); ; {
			text, err := readLine(r)
			select {
			case p.answers <- line{text, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return p, nil
}

// maxLine is how long an answer may be, in bytes.
const maxLine = 1 << 20

// readLine reads a line with its end. A line that is too long is not read to the end.
func readLine(r *bufio.Reader) ([]byte, error) {
	var text []byte
	for {
		part, err := r.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, fmt.Errorf("it writes a line of more than %d bytes", maxLine)
		case !errors.Is(err, bufio.ErrBufferFull):
			return text, err
		}
	}
}

// stop ends the input of the command and waits for it to exit, but not for processes that
// inherited its output.
func (p *process) stop(ctx context.Context, timeout time.Duration) error {
	if err := p.in.Close(); err != nil {
		return err
	}
	expired := make(chan struct{})
	kill := time.AfterFunc(timeout, func() {
		close(expired) // before the command can end because of this
		p.cmd.Process.Kill()
	})
	defer kill.Stop()
	select {
	case l := <-p.answers:
		if ctx.Err() == nil && (l.err != io.EOF || len(l.text) > 0) {
			return fmt.Errorf("unexpected output %s", quote(l.text))
		}
	case <-expired:
	case <-ctx.Done():
		return ctx.Err()
	}
	err := p.cmd.Wait()
	select {
	case <-expired:
		if err != nil {
			return fmt.Errorf("it did not end in %s", timeout)
		}
	default:
	}
	return err
}

func (p *process) askAll(ctx context.Context, c Config) (Report, error) {
	report := Report{Version: c.Suite.Version, Strict: c.Strict}
	for _, g := range c.Suite.Groups {
		r := GroupReport{Kind: g.Kind, Name: g.Name, Source: g.Source}
		for _, t := range g.Tests {
			o, err := p.ask(ctx, c, &g, &t)
			if err != nil {
				return Report{}, err
			}
			o.ID, o.Clause = t.ID, g.Source
			if t.Alert != nil {
				o.Clause = t.Alert.Clause
			}
			if report.differs(o) {
				if reason, ok := c.Known.reason(t.ID); ok {
					o.Status, o.Reason = Known, reason
				}
			}
			r.Outcomes = append(r.Outcomes, o)
		}
		report.Groups = append(report.Groups, r)
	}
	return report, nil
}

// ask asks the questions of a test, and compares the answers.
func (p *process) ask(ctx context.Context, c Config, g *vectors.Group, t *vectors.Test) (Outcome, error) {
	switch {
	case g.Entry == vectors.Exchange && c.Protocol == TSV:
		return Outcome{Status: Skip}, nil
	case t.Prefixes != nil:
		return p.askPrefixes(ctx, c, g, t)
	}
	a, err := p.exchange(ctx, c, newQuestion(g, t))
	return compare(g, t, a), err
}

// askPrefixes asks for every prefix and for the whole message. The outcome is the first of
// the worst.
func (p *process) askPrefixes(ctx context.Context, c Config, g *vectors.Group, t *vectors.Test) (Outcome, error) {
	parts := partsOf(t)
	answers, err := p.askParts(ctx, c, g, t, parts)
	if err != nil {
		return Outcome{}, err
	}
	worst := Outcome{Status: Pass}
	var unchecked []string
	for i, a := range answers {
		o := compare(g, &parts[i], a)
		unchecked = append(unchecked, o.Unchecked...)
		if o.Status.worse(worst.Status) {
			worst = o
			if o.Status != Skip {
				worst.Got = fmt.Sprintf("%s for the first %d bytes", o.Got, len(parts[i].Input))
			}
		}
	}
	slices.Sort(unchecked)
	worst.Unchecked = slices.Compact(unchecked)
	return worst, nil
}

// askParts returns the answers to the parts of a test, asked one by one or as a batch.
func (p *process) askParts(ctx context.Context, c Config, g *vectors.Group, t *vectors.Test, parts []vectors.Test) ([]Answer, error) {
	if c.Batch {
		q := newQuestion(g, t)
		q.Prefixes = t.Prefixes
		a, err := p.exchange(ctx, c, q)
		if a.Result == Skipped {
			return slices.Repeat([]Answer{a}, len(parts)), nil
		}
		return a.Answers, err
	}
	var answers []Answer
	for i := range parts {
		a, err := p.exchange(ctx, c, newQuestion(g, &parts[i]))
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// partsOf returns a test for each prefix, and one for the whole message, which is valid.
func partsOf(t *vectors.Test) []vectors.Test {
	var parts []vectors.Test
	for n := t.Prefixes.From; n <= t.Prefixes.To; n++ {
		part := *t
		part.Input, part.Offset = t.Input[:n:n], &n
		parts = append(parts, part)
	}
	parts = append(parts, vectors.Test{ID: t.ID, Input: t.Input, Result: vectors.Valid})
	for i := range parts {
		parts[i].ID = fmt.Sprintf("%s#%d", t.ID, len(parts[i].Input))
	}
	return parts
}

// exchange asks a question and checks the answer.
func (p *process) exchange(ctx context.Context, c Config, q question) (Answer, error) {
	a, err := p.exchangeLines(ctx, c, q)
	if err == nil {
		err = a.check(q)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("%s: at %s: %w", c.Command[0], q.ID, err)
	}
	return a, nil
}

// exchangeLines writes a question and reads its answer.
func (p *process) exchangeLines(ctx context.Context, c Config, q question) (Answer, error) {
	text, err := c.Protocol.encode(q)
	if err != nil {
		return Answer{}, err
	}
	written := make(chan error, 1)
	go func() {
		_, err := p.in.Write(text)
		written <- err
	}()
	timer := time.NewTimer(c.Timeout)
	defer timer.Stop()
	var l line
	select {
	case l = <-p.answers:
	case <-timer.C:
		return Answer{}, fmt.Errorf("no answer in %s; does it write a line for each test, and flush it?", c.Timeout)
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	switch {
	case ctx.Err() != nil:
		return Answer{}, ctx.Err()
	case errors.Is(l.err, io.EOF):
		return Answer{}, fmt.Errorf("the output ended: %w", l.err)
	case l.err != nil:
		return Answer{}, l.err
	}
	a, err := c.Protocol.decode(l.text)
	if err != nil {
		return Answer{}, err
	}
	select {
	case err := <-written:
		if err != nil {
			return Answer{}, fmt.Errorf("it does not read: %w", err)
		}
	case <-timer.C:
		return Answer{}, fmt.Errorf("it answers, but has not read the question in %s", c.Timeout)
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	return a, nil
}

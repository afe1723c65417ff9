package vectorrun

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/tlsflags/tlsflags/vectors"
)

// Config says what to run, and how.
type Config struct {
	Command  []string
	Kinds    []vectors.Kind
	Protocol Protocol
	Known    Expected
	Timeout  time.Duration // for each answer; the command starts within that of the first
	Stderr   io.Writer     // of the command
}

// Outcome is how the answer to one question compares.
type Outcome struct {
	ID     string `json:"id"`
	Status Status `json:"status"`
	Got    string `json:"got"`
	Want   string `json:"want"`
	Clause string `json:"clause"`
	Reason string `json:"reason,omitzero"` // of a known difference
}

// GroupReport has the outcomes of one group, in the order of the tests.
type GroupReport struct {
	Kind     vectors.Kind
	Name     string
	Source   string
	Outcomes []Outcome
}

// Count returns how many outcomes have the status.
func (g GroupReport) Count(s Status) int {
	n := 0
	for _, o := range g.Outcomes {
		if o.Status == s {
			n++
		}
	}
	return n
}

// Report is what a run has found.
type Report struct {
	Version string // of the vectors
	Groups  []GroupReport
	Stale   []string // expected differences that were not seen
}

// Count returns how many outcomes have the status.
func (r Report) Count(s Status) int {
	n := 0
	for _, g := range r.Groups {
		n += g.Count(s)
	}
	return n
}

// OK reports whether there is no difference but for known ones.
func (r Report) OK() bool { return r.Count(Fail) == 0 && r.Count(Disagree) == 0 }

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
	var report Report
	for _, k := range c.Kinds {
		f, err := vectors.Load(k)
		if err != nil {
			return Report{}, err
		}
		report.Version = f.Version
		for i := range f.Groups {
			g := &f.Groups[i]
			r := GroupReport{Kind: k, Name: g.Name, Source: g.Source}
			for j := range g.Tests {
				outcomes, err := p.askTest(ctx, c, g, &g.Tests[j])
				if err != nil {
					return Report{}, err
				}
				r.Outcomes = append(r.Outcomes, outcomes...)
			}
			report.Groups = append(report.Groups, r)
		}
	}
	return report, nil
}

// askTest asks the questions of a test: one, or one for each prefix.
func (p *process) askTest(ctx context.Context, c Config, g *vectors.Group, t *vectors.Test) ([]Outcome, error) {
	if g.Entry == vectors.Exchange && c.Protocol == TSV {
		return []Outcome{{ID: t.ID, Status: Skip}}, nil
	}
	if t.Prefixes == nil {
		o, err := p.ask(ctx, c, g, t)
		return []Outcome{o}, err
	}
	var outcomes []Outcome
	for n := t.Prefixes.From; n <= t.Prefixes.To; n++ {
		prefix := *t
		prefix.ID = fmt.Sprintf("%s#%d", t.ID, n)
		prefix.Input, prefix.Offset = t.Input[:n:n], &n
		o, err := p.ask(ctx, c, g, &prefix)
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

func (p *process) ask(ctx context.Context, c Config, g *vectors.Group, t *vectors.Test) (Outcome, error) {
	a, err := p.exchange(ctx, c, newQuestion(g, t))
	if err != nil {
		return Outcome{}, fmt.Errorf("%s: at %s: %w", c.Command[0], t.ID, err)
	}
	o := Outcome{ID: t.ID, Clause: g.Source}
	if t.Alert != nil {
		o.Clause = t.Alert.Clause
	}
	o.Status, o.Got, o.Want = compare(t, a)
	if o.Status == Fail || o.Status == Disagree {
		if reason, ok := c.Known.reason(t.ID); ok {
			o.Status, o.Reason = Known, reason
		}
	}
	return o, nil
}

// exchange writes a question and reads its answer.
func (p *process) exchange(ctx context.Context, c Config, q question) (Answer, error) {
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
	switch {
	case err != nil:
		return Answer{}, err
	case a.ID != q.ID:
		return Answer{}, fmt.Errorf("the answer has the id %s", quote([]byte(a.ID)))
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

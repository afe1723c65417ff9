package check

import (
	"fmt"

	"github.com/tlsflags/tlsflags/clienthello"
	"github.com/tlsflags/tlsflags/extension"
	"github.com/tlsflags/tlsflags/handshake"
	"github.com/tlsflags/tlsflags/rules"
	"github.com/tlsflags/tlsflags/vectors"
)

var texts = map[string]rules.Draft{
	"draft-jhoyla-req-mtls-flag-02":              rules.Draft02,
	"draft-jhoyla-req-mtls-flag (editors' copy)": rules.DraftEditor,
}

var requestActions = map[Request]vectors.Action{
	NoRequest: vectors.NoRequest, PlainRequest: vectors.PlainRequest, AcknowledgedRequest: vectors.AcknowledgedRequest,
}

var answerActions = map[rules.Answer]vectors.Action{
	rules.Abort: vectors.Abort, rules.SendEmpty: vectors.SendEmpty, rules.SendCertificate: vectors.SendCertificate,
}

// testExchange asks what a side does after the steps of a test.
func testExchange(t *vectors.Test) error {
	hello, _, err := clienthello.Parse(t.Steps[0].Input)
	if err != nil {
		return err
	}
	offered := hello.HasFlag(extension.RequestMTLS)
	last := t.Steps[len(t.Steps)-1]
	var message handshake.Message
	empty12 := t.State.Version == "TLS 1.2" && last.Message == "certificate" && len(last.Input) == 4+3 // an empty list
	if last.Message != "client_hello" && !empty12 {
		if message, _, err = parsers[last.Message](last.Input); err != nil {
			return err
		}
	}
	if t.State.Side == "client" {
		c := rules.Client{Draft: texts[t.Text], Offered: offered, HasCertificate: t.State.HasCertificate, Mismatch: t.State.Mismatch}
		if last.Message == "certificate_request" {
			r := c.OnCertificateRequest(message.HasFlag(extension.RequestMTLS))
			return compareDecision(t, answerActions[r.Answer], r.Decision)
		}
		return compareDecision(t, vectors.GoOn, c.OnFlag(message.Kind()))
	}
	s := Server{
		Draft: texts[t.Text], TLS13: t.State.Version == "TLS 1.3", Resumed: t.State.Resumed, Offered: offered,
		Honor: t.State.Honor, Always: t.State.Always, Require: t.State.Require,
	}
	switch {
	case last.Message == "client_hello":
		// Requests come without a clause.
		return compareDecision(t, requestActions[s.Request()], rules.Decision{Clause: t.Clause})
	case empty12, message.Empty():
		return compareDecision(t, vectors.GoOn, s.OnEmptyCertificate())
	}
	return compareDecision(t, vectors.GoOn, s.OnFlag(message.Kind()))
}

// compareDecision compares what a side does: the action, unless the decision has an alert.
func compareDecision(t *vectors.Test, action vectors.Action, d rules.Decision) error {
	if !d.GoOn() {
		action = vectors.Abort
	}
	if action != t.Action || d.Clause != t.Clause {
		return fmt.Errorf("action is %s after %s, want %s after %s", action, d.Clause, t.Action, t.Clause)
	}
	if action != vectors.Abort {
		return nil
	}
	if uint8(d.Alert) != t.Alert.Value {
		return fmt.Errorf("alert is %s, want %s", d.Alert, t.Alert.Name)
	}
	return compareAlternative(t, d.Alternative, d.Alternative != 0)
}

package where

import (
	"fmt"
	"strings"
)

func conditionSeeds(yield func([]byte) bool) {
	for _, s := range []string{
		`ja4 startsWith "t13" and not ("h2" in hello.alpn)`,
		`any(sent, .verdict.flag.name == nil) or time < "2026-11-24"`,
		`not (port - 1 in 3..4) and len(hello.alpn) == count(sent, any(hello.flags, # == "x"))`,
		`ja4 == nil or odd != nil`,
		`port in [80, 443] or port in hello.flags`,
		`one(hello.flags, .name != "x") and none(hello.frames, # > 3)`,
		`(sure == changed) != (time > time)`,
		`not ja4 endsWith "t" and not "x" in odd`,
		`hello.version in [771, "TLS 1.3"] or lower(ja4) matches "^t"`,
	} {
		if !yield([]byte(s)) {
			return
		}
	}
}

// checkCondition checks that a condition that compiles never fails, whatever is absent.
func checkCondition(data []byte) error {
	if len(data) > 1000 {
		return nil // to compile nested lists takes long
	}
	c, err := Compile(string(data), rowType)
	if err != nil {
		if strings.Contains(err.Error(), "\n") {
			return fmt.Errorf("%q has several lines", err)
		}
		return nil
	}
	half := full
	half.Hello = &hello{}
	for i, r := range []*row{&full, {}, &half} {
		if _, err := holds(c, r); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	return nil
}

package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/paths"
)

// A choice is a word that an option takes, and its value.
type choice[T any] struct {
	word  string
	value T
}

// words are choices whose values are the words.
func words(list ...string) []choice[string] {
	choices := make([]choice[string], len(list))
	for i, w := range list {
		choices[i] = choice[string]{w, w}
	}
	return choices
}

// enum is the value of an option that takes one of some words, in any case. Without a
// default, its zero value says that the option was not given.
type enum[T any] struct {
	what    string // what help and errors call a value
	choices []choice[T]
	word    string
	value   T
}

// enumOf returns an enum; the word def, if it is not "", is the default.
func enumOf[T any](what, def string, choices []choice[T]) enum[T] {
	e := enum[T]{what: what, choices: choices}
	if def != "" {
		if err := e.Set(def); err != nil {
			panic(err) // a fault in the table of choices
		}
	}
	return e
}

func (e *enum[T]) Type() string   { return e.what }
func (e *enum[T]) String() string { return e.word }

func (e *enum[T]) Set(s string) error {
	if n, err := strconv.ParseUint(s, 0, 16); err == nil {
		s = strconv.FormatUint(n, 10) // 0xfe01 is 65025
	}
	i := slices.IndexFunc(e.choices, func(c choice[T]) bool { return strings.EqualFold(c.word, s) })
	if i < 0 {
		return &unknownValue{what: e.what, got: s, words: e.words()}
	}
	e.word, e.value = e.choices[i].word, e.choices[i].value
	return nil
}

func (e *enum[T]) words() []string {
	list := make([]string, len(e.choices))
	for i, c := range e.choices {
		list[i] = c.word
	}
	return list
}

// enumList is the value of an option that takes some of some words, separated by commas
// or in options of their own.
type enumList[T any] struct {
	enum[T]
	list []T
}

func (l *enumList[T]) String() string { return "" } // the default: none

// several tells the completion from that of a single word.
func (l *enumList[T]) several() {}

func (l *enumList[T]) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		if err := l.enum.Set(word); err != nil {
			return err
		}
		l.list = append(l.list, l.value)
	}
	return nil
}

// unknownValue is the error for a value that an option or argument does not take.
type unknownValue struct {
	what, got string
	words     []string // that it takes; the error names the nearest
	use       string   // what to do; "" is to use one of the words
}

func (e *unknownValue) Error() string {
	use := e.use
	if use == "" {
		last := len(e.words) - 1
		use = fmt.Sprintf("use %s or %s", strings.Join(e.words[:last], ", "), e.words[last])
	}
	return fmt.Sprintf("unknown %s %q%s; %s", e.what, e.got, paths.Hint(strings.ToLower(e.got), e.words), use)
}

// describeEnums adds the words to the help of each enum of the commands.
func describeEnums(c *cobra.Command) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if e, ok := f.Value.(interface{ words() []string }); ok {
			f.Usage += ": " + strings.Join(e.words(), ", ")
		}
	})
	for _, sub := range c.Commands() {
		describeEnums(sub)
	}
}

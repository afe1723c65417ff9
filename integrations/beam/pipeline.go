package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/fileio"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/transforms/filter"
)

// settings are what all steps know.
type settings struct {
	Output string
	Sensor string // a regular expression
	Shards int
}

// parentFolder is the default of --sensor-regexp.
const parentFolder = `([^/\\]+)[/\\][^/\\]*$`

// sensorOf returns the sensor that a file is of.
func (s settings) sensorOf(name string) string {
	if m := regexp.MustCompile(s.Sensor).FindStringSubmatch(name); len(m) > 1 && m[1] != "" {
		return m[1]
	}
	return "unknown"
}

func init() {
	register.Function1x1(pathOf)
	register.Function1x2(alone)
	register.Function2x1(hashNames)
	register.DoFn3x1[context.Context, string, func(string, piece), error](&readFile{})
	register.DoFn4x1[context.Context, string, func(*piece) bool, func(string, []byte), error](&readPieces{})
	register.DoFn4x1[context.Context, string, func(*[]byte) bool, string, error](&writeRows{})
	register.Emitter2[string, piece]()
	register.Emitter2[string, []byte]()
	register.Iter1[string]()
	register.Iter1[[]byte]()
	register.Iter1[piece]()
	beam.RegisterType(reflect.TypeFor[piece]())
}

// build adds the steps of the pipeline: read each file, for the hellos of connections that are
// whole in it; group the packets of the other connections by sensor and address pair, and read
// those; write all rows.
func build(s beam.Scope, patterns []string, o settings) {
	names := filter.Distinct(s, beam.ParDo(s, pathOf, fileio.MatchAll(s, beam.CreateList(s, patterns))))
	hash := beam.ParDo(s, hashNames, beam.GroupByKey(s, beam.ParDo(s, alone, names)))
	pieces := beam.ParDo(s, &readFile{Settings: o}, names)
	rows := beam.ParDo(s, &readPieces{Settings: o}, beam.GroupByKey(s, pieces))
	beam.ParDo0(s, &writeRows{Settings: o}, beam.GroupByKey(s, rows), beam.SideInput{Input: hash})
}

func pathOf(f fileio.FileMetadata) string { return f.Path }

func alone(name string) (int, string) { return 0, name }

// hashNames returns the hash of the names of all files, in any order.
func hashNames(_ int, next func(*string) bool) string {
	var names []string
	for name := ""; next(&name); {
		names = append(names, name)
	}
	slices.Sort(names)
	return hashOf(strings.Join(names, "\x00"))
}

// hashOf returns what makes the name of an output.
func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

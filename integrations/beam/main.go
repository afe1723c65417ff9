// Command beam finds the ClientHellos in captures that are too many for one machine, and
// writes them as Parquet. It is a pipeline of Apache Beam; docs/scale.md says how to run it.
//
//	go run . --input 'captures/*/*.pcap.gz' --output hellos
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/gcs"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/s3"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/dataflow"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/flink"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/spark"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal"
)

var (
	input  = flag.String("input", "", "patterns of captures, separated by commas: files, gs:// or s3://")
	runner = flag.String("runner", "prism", "prism (this machine), dataflow, flink, spark or universal")
	sensor = flag.String("sensor-regexp", parentFolder, "finds the sensor in the name of a file: its first group")
	into   = flag.String("output", "", "the folder to write to, also gs:// or s3://")
	shards = flag.Int("shards", 16, "number of files a sensor and day for hellos of connections that are in several captures, at most")
)

func main() {
	flag.Parse()
	beam.Init() // does not return in a worker
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "beam:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	switch _, err := regexp.Compile(*sensor); {
	case *input == "" || *into == "":
		return errors.New("--input and --output are required")
	case err != nil:
		return fmt.Errorf("--sensor-regexp: %w", err)
	case *shards < 1:
		return errors.New("--shards must be at least 1")
	}
	p := beam.NewPipeline()
	build(p.Root(), strings.Split(*input, ","), settings{Output: *into, Sensor: *sensor, Shards: *shards})
	_, err := beam.Run(ctx, *runner, p)
	return err
}

//go:build linux

// Command record makes the captures of the corpus: it starts servers and real
// clients on a loopback interface of its own, records the packets, describes
// them with tshark and updates ../MANIFEST.json.
//
//	go run . -list              names of the recordings
//	go run . demo.pcapng ...    make these recordings
//	go run . -describe          hash and describe every file of the manifest
//
// It runs as root on Linux. README.md lists the programs that it calls.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tlsflags/tlsflags/corpus"
	"github.com/tlsflags/tlsflags/internal/manifest"
)

// insideEnv marks the process that runs in the network namespace.
const insideEnv = "TLSFLAGS_RECORD_INSIDE"

// recording is a capture and how to make it.
type recording struct {
	file      string // below captures/
	method    string
	exercises []string
	filter    string // in pcap-filter(7) syntax
	flowLimit int    // packets kept of each flow, counted from its first
	// keep says whether to keep a packet. nil keeps all.
	keep func(packet []byte) bool
	// run makes the traffic, and returns when it is complete.
	run func(context.Context) ([]corpus.Client, error)
}

func recordings() []recording {
	return slices.Concat(demoRecordings(), tcpRecordings(), quicRecordings(), dtlsRecordings())
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("record: ")
	dir := flag.String("corpus", "..", "directory of the corpus")
	list := flag.Bool("list", false, "list the recordings and stop")
	describe := flag.Bool("describe", false, "hash and describe every file of the manifest again")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: record [-corpus DIR] [-list] [-describe] [RECORDING...]")
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	var err error
	switch {
	case *list:
		for _, r := range recordings() {
			fmt.Printf("%-36s %s\n", r.file, r.method)
		}
	case *describe:
		err = describeAll(ctx, *dir)
	case flag.NArg() == 0:
		flag.Usage()
		os.Exit(2)
	case os.Getenv(insideEnv) == "":
		err = enterNamespace(ctx)
	default:
		err = recordAll(ctx, *dir, flag.Args())
	}
	if err != nil {
		log.Fatal(err)
	}
}

// enterNamespace runs this program once more in a network namespace of its
// own, in which all ports are free and there is no other traffic.
func enterNamespace(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := cmd.Run(); err != nil {
		if errors.Is(err, syscall.EPERM) {
			return errors.New("cannot make a network namespace; run as root")
		}
		return fmt.Errorf("in the network namespace: %w", err)
	}
	return nil
}

// raiseLoopback gives the loopback interface the MTU of Ethernet and turns
// segmentation offload off, so that segments look like those on a network.
func raiseLoopback(ctx context.Context) error {
	return runAll(ctx,
		"ip link set lo up mtu 1500",
		"ethtool -K lo tso off gso off gro off")
}

// runAll runs command lines, whose words are separated by spaces.
func runAll(ctx context.Context, lines ...string) error {
	for _, line := range lines {
		words := strings.Fields(line)
		if out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, out)
		}
	}
	return nil
}

func recordAll(ctx context.Context, dir string, names []string) error {
	if err := raiseLoopback(ctx); err != nil {
		return err
	}
	all := recordings()
	for _, name := range names {
		i := slices.IndexFunc(all, func(r recording) bool { return r.file == name })
		if i < 0 {
			return fmt.Errorf("no recording %q; -list shows them", name)
		}
		if err := all[i].record(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		log.Print("wrote ", name)
	}
	return nil
}

func (r recording) record(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	raw, err := startCapture(ctx, r.filter)
	if err != nil {
		return err
	}
	clients, err := r.run(ctx)
	if err := errors.Join(err, raw.stop()); err != nil {
		return err
	}
	defer os.Remove(raw.file)

	entry := corpus.Entry{
		File:      "captures/" + r.file,
		Kind:      corpus.Captures,
		Origin:    "recorded",
		Clients:   clients,
		Date:      time.Now().UTC().Format(time.DateOnly),
		Method:    r.method,
		Licence:   "CC0-1.0",
		Exercises: r.exercises,
	}
	if err := r.trim(raw.file, filepath.Join(dir, filepath.FromSlash(entry.File))); err != nil {
		return err
	}
	if err := describeFile(ctx, dir, &entry); err != nil {
		return err
	}
	return manifest.Update(dir, func(entries []corpus.Entry) ([]corpus.Entry, error) {
		return manifest.Put(entries, entry), nil
	})
}

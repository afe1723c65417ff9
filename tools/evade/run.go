package main

import (
	"fmt"
	"math/rand"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A game is a script that is played to one receiver, and how it ended.
type game struct {
	name     string
	seed     int64
	tricks   []trick
	v6       bool
	view     view
	receiver *receiver

	file    string
	read    []reading
	rows    []row
	verdict verdict
	port    uint16
	tshark  []reading
}

// honest reports whether nothing in the game is a trick.
func (g *game) honest() bool {
	for _, t := range g.tricks {
		if !t.honest {
			return false
		}
	}
	return true
}

func (g *game) String() string {
	var names []string
	for _, t := range g.tricks {
		names = append(names, t.name)
	}
	version := 4
	if g.v6 {
		version = 6
	}
	return fmt.Sprintf("seed %d, IPv%d, %v, %s: %s", g.seed, version, g.view, g.receiver.name, strings.Join(names, " + "))
}

// script makes the script of a game from its seed, without tricks.
func (g *game) script() *script {
	r := rand.New(rand.NewSource(g.seed))
	s := &script{r: r, v6: g.v6, view: g.view, stamps: r.Intn(4) > 0, swapped: len(g.tricks) > 1 && r.Intn(3) == 0}
	for _, t := range g.tricks {
		s.stamps = s.stamps || strings.Contains(t.name, "timestamp")
	}
	return s
}

// play plays a game from a port.
func (g *game) play(t *tun, port uint16, o options, dir string) error {
	s := g.script()
	e := ends{client4, server4, port, g.receiver.port}
	if g.v6 {
		e.client, e.server = client6, server6
	}
	g.port = port
	c := newClient(t, s, e, uint32(s.r.Int63()))
	send := g.sendSegments
	if g.receiver.carrier != tcpCarrier {
		send = g.sendDatagrams
	}
	err := send(c, o.wait)
	if err == nil {
		g.read, err = g.receiver.result(port, c.connections)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", g, err)
	}
	g.file, err = writeCapture(dir, g.name, c.capture)
	return err
}

func (g *game) sendSegments(c *client, wait time.Duration) error {
	msg, err := clientHello(realName)
	if err != nil {
		return err
	}
	c.script.apply(msg, g.tricks)
	if err := c.run(wait); err != nil {
		return err
	}
	return c.stop()
}

func (g *game) sendDatagrams(c *client, wait time.Duration) error {
	if g.receiver.prepare != nil {
		stop, err := g.receiver.prepare(netip.AddrPortFrom(c.ends.client, c.ends.clientPort))
		if err != nil {
			return err
		}
		defer stop()
	}
	read := func() int { return g.receiver.hasRead(g.port) }
	if g.receiver.carrier == quicCarrier {
		q, err := newQUICScript(c.script, g.tricks)
		if err != nil {
			return err
		}
		return c.runDatagrams(q.packets, q.build, 3*wait, read)
	}
	msg, err := clientHello(realName)
	if err != nil {
		return err
	}
	d := newDTLSScript(c.script, msg, g.tricks)
	return c.runDatagrams(d.steps(), func(st step) []byte { return st.data }, 3*wait, read)
}

// firstPort is the first port of clients.
const firstPort = 10000

// playAll plays games, some at a time, each from a port of its own.
func playAll(t *tun, games []*game, o options, dir string) error {
	const ports = 25000
	work := make(chan int)
	errs := make(chan error, len(games))
	var wait sync.WaitGroup
	for range o.parallel {
		wait.Go(func() {
			for i := range work {
				if err := games[i].play(t, uint16(firstPort+i%ports), o, dir); err != nil {
					errs <- err
				}
			}
		})
	}
	for i := range games {
		work <- i
	}
	close(work)
	wait.Wait()
	close(errs)
	return <-errs
}

// run plays everything and prints the report.
func run(o options) error {
	dir := o.keep
	var err error
	if dir == "" {
		if dir, err = os.MkdirTemp("", "evade"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t, err := openTUN()
	if err != nil {
		return err
	}
	receivers, err := startReceivers(dir)
	if err != nil {
		return err
	}
	alone := singles(receivers, o)
	var mixed []*game
	if o.only == "" {
		mixed = combinations(receivers, o)
	}
	games := append(alone, mixed...)
	if err := playAll(t, games, o, dir); err != nil {
		return err
	}
	if err := judgeAll(games, o); err != nil {
		return err
	}
	printTable(alone, receivers)
	if o.document != "" {
		if err := askTshark(alone, dir); err != nil {
			return err
		}
		if err := writeDocument(o.document, alone, receivers); err != nil {
			return err
		}
	}
	return printTotals(games, mixed, o)
}

// judgeAll compares what the receivers read with what inspect says.
func judgeAll(games []*game, o options) error {
	var files []string
	for _, g := range games {
		files = append(files, g.file)
	}
	rows, err := inspect(o.command, files)
	if err != nil {
		return err
	}
	for _, g := range games {
		g.rows = outside(g.read, rows[g.file])
		g.verdict = judge(g.read, g.rows)
	}
	if o.keep == "" {
		return nil
	}
	list := "file\tserver\tours\tcase\n"
	for _, g := range games {
		list += fmt.Sprintf("%s\t%s\t%v\t%v\n", filepath.Base(g.file), kindOf(g.read), g.verdict, g)
	}
	return os.WriteFile(filepath.Join(o.keep, "expected.tsv"), []byte(list), 0o644)
}

// kindOf returns "flagged", "plain" or "-".
func kindOf(read []reading) string {
	kind := "-"
	for _, r := range read {
		kind, _, _ = strings.Cut(string(r), " ")
	}
	return kind
}

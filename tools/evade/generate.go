package main

import (
	"fmt"
	"hash/crc32"
	"math/rand"
	"slices"
	"strings"
)

// singles returns the games with one trick each. Tricks with records and the hello are played to
// every receiver; the other tricks of TCP concern only the kernel, and are played to one.
func singles(receivers []*receiver, o options) []*game {
	var games []*game
	for _, t := range all() {
		if o.only != "" && t.name != o.only || !t.isOf(o.kinds) {
			continue
		}
		for _, r := range receivers {
			if !t.isFor(r) || t.carrier == tcpCarrier && t.at == "" && r != receivers[0] && t.kind > inRecords {
				continue
			}
			for _, v6 := range []bool{false, true} {
				if t.only != 0 && (t.only == 6) != v6 || v6 && t.kind <= inRecords && t.name != "plain" {
					continue
				}
				g := &game{seed: seedOf(t.name), tricks: []trick{t}, v6: v6, receiver: r}
				g.name = fmt.Sprintf("single-%s-%s-%t", slug(t.name), slug(r.name), v6)
				games = append(games, g)
			}
		}
	}
	return games
}

// seedOf returns the seed of a trick that is played alone.
func seedOf(name string) int64 { return int64(crc32.ChecksumIEEE([]byte(name))) }

// isFor reports whether a trick is played to a receiver.
func (t trick) isFor(r *receiver) bool {
	return t.carrier == r.carrier && (t.at == "" && r.name != fastOpenName || t.at == r.name)
}

// isOf reports whether a trick is of one of some kinds, or all are asked for.
func (t trick) isOf(kinds string) bool {
	return kinds == "" || t.honest || slices.Contains(strings.Split(kinds, ","), kindNames[t.kind])
}

// slug returns a name as a file may have it.
func slug(name string) string {
	return strings.Trim(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToLower(name)), "-")
}

// combinations returns games with random tricks. Each depends on its seed alone.
func combinations(receivers []*receiver, o options) []*game {
	var games []*game
	for i := range o.count {
		games = append(games, combination(receivers, o.seed+int64(i), o.kinds))
	}
	return games
}

// combination returns the game of a seed: up to three tricks, and some of what honest
// traffic has.
func combination(receivers []*receiver, seed int64, kinds string) *game {
	r := rand.New(rand.NewSource(seed))
	g := &game{name: fmt.Sprintf("mixed-%d", seed), seed: seed, v6: r.Intn(2) == 0}
	g.receiver = receivers[0]
	if r.Intn(2) == 0 {
		g.receiver = receivers[r.Intn(len(receivers))]
	}
	switch r.Intn(10) {
	case 0:
		g.view.oneWay = true
	case 1:
		g.view.offloaded = true
	}
	fits := func(t trick) bool {
		return t.isOf(kinds) && t.carrier == g.receiver.carrier && (t.only == 0 || (t.only == 6) == g.v6) && (t.at == "" || t.at == g.receiver.name)
	}
	tricks := slices.DeleteFunc(all(), func(t trick) bool { return t.honest || !fits(t) })
	had := make(map[kind]bool)
	for range r.Intn(4) {
		if len(tricks) == 0 {
			break
		}
		t := tricks[r.Intn(len(tricks))]
		g.tricks = append(g.tricks, t)
		had[t.kind] = true
		tricks = slices.DeleteFunc(tricks, func(other trick) bool {
			return other.kind == t.kind && t.kind != inQUIC && t.kind != inDTLS || other.name == t.name
		})
	}
	for _, t := range all() {
		if t.honest && t.clause != "" && fits(t) && r.Intn(4) == 0 && !had[t.kind] {
			g.tricks = append(g.tricks, t)
			had[t.kind] = had[t.kind] || t.kind == inRecords || t.kind == inFragments
		}
	}
	if len(g.tricks) == 0 {
		i := slices.IndexFunc(all(), func(t trick) bool { return t.carrier == g.receiver.carrier })
		g.tricks = append(g.tricks, all()[i])
	}
	return g
}

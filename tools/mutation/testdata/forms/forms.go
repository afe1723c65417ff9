// Package forms has what is hard to change at run time.
package forms

import (
	"cmp"
	"errors"
	"iter"
	t "time"
)

const (
	a = 1 << iota
	b
	mask = a | b<<2
)

type color uint8

const (
	red color = iota + 1
	green
)

var (
	names   = [...]string{red: "red", green: "green"}
	masks   = map[color]uint32{red: 1 << 3, green: mask}
	timeout = 2 * t.Second
	errBad  = errors.New("bad")
)

type pair[T cmp.Ordered] struct{ x, y T }

func (p pair[T]) less() bool { return p.x < p.y || p.x == p.y && !(p.y <= p.x) }

type number interface{ ~uint16 | ~int }

func add[T number](x, y T) T { return x + y*2 - 1 }

func shifts(n uint, v uint8) (uint64, uint8) {
	x := uint64(1)<<n | 1<<(n&63)
	x ^= x >> 7
	x <<= 1
	v &^= 1
	return x, v >> (n % 8)
}

func control(list []int, kind any) (n int, err error) {
	defer func() { n++ }()
outer:
	for i := range 3 {
		for j := 0; j < len(list); j++ {
			switch {
			case list[j] == 0, list[j] > 9:
				continue outer
			case i == 2:
				break outer
			default:
				n += list[j]
			}
		}
	}
	switch k := kind.(type) {
	case nil:
		return 0, errBad
	case int, int8:
		_ = k
	case string:
		n -= len(k)
	}
	switch m := n % 3; m {
	case 0, 1:
		fallthrough
	case 2:
		n--
	}
	switch c := color(n); c {
	case red:
		return 1, nil
	}
	switch color(n) {
	case green:
		return int(green), nil
	default:
		return n, nil
	}
}

func mustBe(n int) int {
	if n > 0 {
		return n
	}
	panic(errBad)
}

func all(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i * i) {
				return
			}
		}
	}
}

func buffers(n int) ([]byte, [4]byte, string) {
	b := make([]byte, 16, 32)
	var array [4]byte
	array[1] = 'x'
	copy(b[2:4:4], array[:])
	s := "a" + string(rune('b'+n))
	s += "c"
	var f float64 = 1.5
	f *= 2
	if f >= 3 && n != 0 {
		b[0]++
	}
	return b, array, s
}

func channels(c chan int, done <-chan struct{}) bool {
	select {
	case c <- 1:
		return true
	case v, ok := <-c:
		return ok && v > 0
	case <-done:
	}
	go func() { c <- 2 }()
	return len(c) == 0
}

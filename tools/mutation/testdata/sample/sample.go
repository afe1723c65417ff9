// Package sample has something of everything that is changed.
package sample

import "time"

const largest = 10

type kind uint8

var table = [...]int{2: 7, 5}

func clamp(n int) int {
	if n > largest { //mutation:equivalent at largest both return it
		return largest
	}
	return n
}

func name(k kind) string {
	switch k {
	case 1, 2:
		return "low"
	case 3:
		return "high"
	}
	return ""
}

func both(a, b bool) bool { return a && b }

func sum[T ~uint8 | ~int](list []T) (total T) {
	for i := 0; i < len(list); i++ {
		total += list[i]
	}
	return total
}

func first(list []int, skip bool) (int, error) {
	for _, v := range list {
		if skip {
			continue
		}
		return v, nil
	}
	return 0, nil
}

func untested(d time.Duration) time.Duration { return 2*d<<1 + time.Second }

func lookup(i int) int { return table[i] }

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}

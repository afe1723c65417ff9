//go:build !race

package clienthello_test

const raceEnabled = false

// Package fuzz holds the fuzz targets of the module (in its tests) and what they share
// with other tests: simple reference parsers, and functions that check a parser's
// promise on one input.
package fuzz

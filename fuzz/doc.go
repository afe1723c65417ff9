// Package fuzz holds the fuzz targets of the module (in its tests) and what they share
// with other tests: obvious reference parsers, and functions that hold a parser to its
// promise on one input.
package fuzz

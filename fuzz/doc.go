// Package fuzz has the fuzz targets of the module, in its tests. Each compares a parser
// with a reference parser on one input, and checks what the parser promises.
package fuzz

// Package fuzz has, in its tests, the fuzz targets of the packages of the root module, and
// simple reference parsers to compare them with.
package fuzz

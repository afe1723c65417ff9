// Package oracle holds, in a package for each parser, a reference parser and checks of
// what the parser promises. Tests and fuzz targets share them. The reference parsers are
// written with cryptobyte and maps: slow, and easy to compare with the standards.
package oracle

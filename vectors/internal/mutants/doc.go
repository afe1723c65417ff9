// Package mutants checks that the vectors find mistakes: it puts bugs into copies of the
// parsers, one each, and wants every one caught by a vector. Its test compiles every parser
// many times and needs the build tag mutants: make vectors-mutants runs it.
package mutants

// Package readme holds the tests of README.md and vectors/README.md: what they show
// works.
//
//   - The commands of each sh block are run in the folder of the file. They must
//     succeed, and where a text block follows, they must print its lines in its
//     order; a line "..." there stands for any others.
//   - Each go block is the body of an Example function, word for word, so that it
//     compiles and what it says it prints is checked.
//   - Every package and every command has a row in its tables.
//
// Links between files, and the targets of make, are checked in all Markdown files of the
// repository.
package readme

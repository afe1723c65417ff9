// Package readme has tests of the Markdown files of the repository: what they show works.
//
//   - The commands of each sh block of README.md, vectors/README.md and docs are run. They
//     must succeed and print the text block that follows, if there is one; its line "..."
//     matches any lines.
//   - In docs/recipes.md, the bash block after an sh block prints the same rows by other
//     programs, such as tshark.
//   - Each go block of README.md is the body of an Example function, word for word, so it
//     compiles and its output is checked.
//   - Each go block of docs/operating.md is from examples/operating, which has tests.
//   - Every package and every command has a row in the tables of README.md.
//   - In all files, links lead somewhere, targets of make exist, and tables have headers.
package readme

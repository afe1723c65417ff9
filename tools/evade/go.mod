// The harness that sends tricks to real receivers; a module of its own, because nobody
// who uses the project needs it.
module github.com/tlsflags/tlsflags/tools/evade

go 1.26.0

// Command man writes the man pages of tlsflags to a folder, for releases. Their date is
// SOURCE_DATE_EPOCH, in seconds since 1970, or today.
package main

import (
	"log"
	"os"

	"github.com/spf13/cobra/doc"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/cli"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: man VERSION FOLDER")
	}
	root := cli.Root()
	root.DisableAutoGenTag = true
	header := &doc.GenManHeader{Section: "1", Source: "tlsflags " + os.Args[1], Manual: "tlsflags"}
	if err := doc.GenManTree(root, header, os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

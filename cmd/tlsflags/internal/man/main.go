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
	if err := write(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func write(version, folder string) error {
	root := cli.Root()
	root.DisableAutoGenTag = true
	return doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "tlsflags " + version, Manual: "tlsflags"}, folder)
}

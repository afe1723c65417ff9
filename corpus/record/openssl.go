//go:build linux

package main

import (
	"context"
	_ "embed"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/tlsflags/tlsflags/corpus"
)

//go:embed flagclient/flagclient.c
var flagClientSource []byte

// flagClient runs flagclient/flagclient.c, a client that is not uTLS.
type flagClient struct {
	network    string // "tls" or "dtls"
	port       int
	serverName string
	extension  uint16
	data       []byte
	second     []byte // data in the second hello; nil repeats data
	env        []string
}

func (c flagClient) run(ctx context.Context) (corpus.Client, error) {
	dir, err := os.MkdirTemp("", "flagclient")
	if err != nil {
		return corpus.Client{}, err
	}
	defer os.RemoveAll(dir)
	source, binary := filepath.Join(dir, "flagclient.c"), filepath.Join(dir, "flagclient")
	if err := os.WriteFile(source, flagClientSource, 0o644); err != nil {
		return corpus.Client{}, err
	}
	if out, err := exec.CommandContext(ctx, "cc", "-o", binary, source, "-lssl", "-lcrypto").CombinedOutput(); err != nil {
		return corpus.Client{}, fmt.Errorf("cc: %w: %s", err, out)
	}
	args := append([]string{"env"}, c.env...)
	args = append(args, binary, c.network, strconv.Itoa(c.port), c.serverName, strconv.Itoa(int(c.extension)), hex.EncodeToString(c.data))
	name := fmt.Sprintf("OpenSSL SSL_connect with extension %#x %x", c.extension, c.data)
	if c.second != nil {
		args = append(args, hex.EncodeToString(c.second))
		name += fmt.Sprintf(", then %x", c.second)
	}
	return program{name, []string{"openssl", "version"}, opensslVersion, args}.run(ctx)
}

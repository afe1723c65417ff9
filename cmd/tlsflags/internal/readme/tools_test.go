package readme

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tlsflags/tlsflags/cmd/tlsflags/internal/cli"
)

// tools are the programs of the console blocks, which the test binary runs under their
// names: the command, and as much of others as the blocks need.
var tools = map[string]func(args []string) error{
	"tlsflags": func(args []string) error {
		os.Exit(cli.Run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr))
		return nil
	},
	"tcpdump":    tcpdump,
	"curl":       curl,
	"jq":         jq,
	"ssh":        func(args []string) error { return runHere(args[1:]) },
	"kubectl":    func(args []string) error { return runHere(args[slices.Index(args, "--")+1:]) },
	"duckdb":     duckdb,
	"clickhouse": clickhouse,
}

// realTools are run themselves in the recipes, if they are installed.
var realTools = []string{"jq", "duckdb", "clickhouse"}

func TestMain(m *testing.M) {
	name := filepath.Base(os.Args[0])
	tool, ok := tools[name]
	if !ok {
		os.Exit(m.Run())
	}
	if err := tool(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// tcpdump writes a capture to standard output. The file a.pcap is there already.
func tcpdump(args []string) error {
	if strings.Contains(strings.Join(args, " "), "-w a.pcap ") {
		return nil
	}
	data, err := os.ReadFile("a.pcap")
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(data)
	return err
}

// runHere runs a command that is meant for another host.
func runHere(args []string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

var sqlFile = regexp.MustCompile(`'(\w+\.jsonl)'`)

// duckdb checks that the file of a query has lines of JSON.
func duckdb(args []string) error {
	name := sqlFile.FindStringSubmatch(strings.Join(args, " "))
	if name == nil {
		return errors.New("no file in the query")
	}
	file, err := os.Open(name[1])
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = documents(file)
	return err
}

// clickhouse checks that standard input is csv.
func clickhouse([]string) error {
	rows, err := csv.NewReader(os.Stdin).ReadAll()
	if err == nil && len(rows) < 2 {
		err = errors.New("no rows")
	}
	return err
}

// documents counts the JSON documents.
func documents(r io.Reader) (n int, err error) {
	for d := json.NewDecoder(r); ; n++ {
		var v map[string]any
		if err := d.Decode(&v); err == io.EOF && n > 0 {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

// bulk checks that standard input has an action before each document.
func bulk() error {
	n, err := documents(os.Stdin)
	if err == nil && n%2 != 0 {
		err = errors.New("an action or a document is missing")
	}
	return err
}

// curl fetches a page, without a client certificate, and writes a key log.
func curl(args []string) error {
	if slices.Contains(args, "--data-binary") {
		return bulk()
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	url := ""
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "--") {
			url = args[i]
			continue
		}
		i++
		data, err := os.ReadFile(args[i])
		if err != nil {
			return err
		}
		if args[i-1] == "--cacert" {
			config.RootCAs.AppendCertsFromPEM(data)
		}
	}
	if path := os.Getenv("SSLKEYLOGFILE"); path != "" {
		log, err := os.Create(path)
		if err != nil {
			return err
		}
		defer log.Close()
		config.KeyLogWriter = log
	}
	resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: config}}).Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}

// jq prints what a path such as .flags[].name leads to. Unlike the real one, it fails for a
// key that an object lacks.
func jq(args []string) error {
	if len(args) != 1 {
		return errors.New("one path is known")
	}
	found := 0
	for values := json.NewDecoder(os.Stdin); ; {
		var v any
		if err := values.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		list := []any{v}
		for key := range strings.SplitSeq(strings.TrimPrefix(args[0], "."), ".") {
			var next []any
			name, each := strings.CutSuffix(key, "[]")
			for _, v := range list {
				v, ok := v.(map[string]any)[name]
				if !ok {
					return fmt.Errorf("no key %q", name)
				}
				if each {
					next = append(next, v.([]any)...)
				} else {
					next = append(next, v)
				}
			}
			list = next
		}
		for _, v := range list {
			found++
			fmt.Println(v)
		}
	}
	if found == 0 {
		return errors.New("nothing was found")
	}
	return nil
}

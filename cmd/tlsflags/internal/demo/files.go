package demo

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/tlsflags/tlsflags/internal/testenv/testca"
)

// The names of the files in Config.Dir. The key of the authority lets a later start issue
// another certificate for the server, which has no file.
const (
	FileCA    = "ca.pem"
	FileCAKey = "ca.key"
	FileCert  = "client.pem"
	FileKey   = "client.key"
)

var fileNames = [...]string{FileCA, FileCAKey, FileCert, FileKey}

const (
	// lifetime is how long the certificates are valid.
	lifetime = 365 * 24 * time.Hour
	// remaining is how long they must be valid at a start, to be kept.
	remaining = 24 * time.Hour
)

// authority returns the authority whose files are in a folder. If there are none, or if they
// expire soon, it makes them.
func authority(dir string) (*testca.CA, error) {
	files := make(map[string][]byte)
	missing := ""
	for _, name := range fileNames {
		data, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case err == nil:
			files[name] = data
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		case missing == "":
			missing = name
		}
	}
	switch {
	case len(files) == 0:
		return create(dir)
	case missing != "":
		return nil, fmt.Errorf("%s: %s is missing, others of ca.pem, ca.key, client.pem and client.key are there; remove them or use another folder", dir, missing)
	}
	ca, err := load(files)
	if err != nil {
		return nil, fmt.Errorf("%s: not the certificates of one earlier start: %w; remove them or use another folder", dir, err)
	}
	if time.Until(ca.Certificate.NotAfter) < remaining {
		return create(dir)
	}
	return ca, nil
}

// load reads the authority, and checks that the client's certificate is from it.
func load(files map[string][]byte) (*testca.CA, error) {
	ca, err := testca.Load(files[FileCA], files[FileCAKey])
	if err != nil {
		return nil, err
	}
	if time.Until(ca.Certificate.NotAfter) < remaining {
		return ca, nil // which replaces the client's certificate, too
	}
	client, err := tls.X509KeyPair(files[FileCert], files[FileKey])
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", FileCert, FileKey, err)
	}
	usage := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := client.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), KeyUsages: usage}); err != nil {
		return nil, fmt.Errorf("%s: %w", FileCert, err)
	}
	return ca, nil
}

// create makes an authority with a certificate for one client, and writes the files.
func create(dir string) (*testca.CA, error) {
	ca, err := testca.New("tlsflags demo authority", lifetime)
	if err != nil {
		return nil, err
	}
	caKey, err := ca.KeyPEM()
	if err != nil {
		return nil, err
	}
	client, err := ca.Client("tlsflags demo client")
	if err != nil {
		return nil, err
	}
	cert, key, err := testca.PEM(client)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for name, data := range map[string][]byte{FileCA: ca.PEM(), FileCAKey: caKey, FileCert: cert, FileKey: key} {
		if err := replaceFile(filepath.Join(dir, name), data); err != nil {
			return nil, err
		}
	}
	return ca, nil
}

// replaceFile writes a file that only its owner can read. It replaces a file with another
// mode, and a link, but not the file that a link points to.
func replaceFile(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

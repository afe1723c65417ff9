package cli

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/net/http/httpguts"
)

// requestOptions are the options of get that say what to send, and where. They have the
// names that curl gives them.
type requestOptions struct {
	resolve addressList
	headers headerList
	method  string
	data    []string
}

func (o *requestOptions) register(f *pflag.FlagSet) {
	f.Var(&o.resolve, "resolve", "connect to ADDRESS, which may have a port, instead of HOST:PORT; may be repeated")
	f.VarP(&o.headers, "header", "H", "header to send; may be repeated")
	f.StringVarP(&o.method, "request", "X", "", "`method` of the request (default GET, with --data POST)")
	f.StringArrayVarP(&o.data, "data", "d", nil, "`text` to send as the body, or @FILE; several are joined with &")
}

// build returns the request.
func (o *requestOptions) build(ctx context.Context, url string) (*http.Request, error) {
	method := http.MethodGet
	var body io.Reader
	if len(o.data) > 0 {
		parts := make([]string, len(o.data))
		for i, part := range o.data {
			name, file := strings.CutPrefix(part, "@")
			if !file {
				parts[i] = part
				continue
			}
			data, err := readFile(ctx, name)
			if err != nil {
				return nil, err
			}
			parts[i] = string(data)
		}
		method, body = http.MethodPost, strings.NewReader(strings.Join(parts, "&"))
	}
	if o.method != "" {
		method = o.method
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, usageError("%w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range o.headers {
		if req.Header[name] = values; name == "Host" {
			req.Host = values[0]
		}
	}
	return req, nil
}

// dial returns how to connect.
func (o *requestOptions) dial(timeout time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: timeout}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if other, ok := o.resolve[strings.ToLower(address)]; ok {
			address = other
		}
		return dialer.DialContext(ctx, network, address)
	}
}

// headerList is the value of an option that adds a header.
type headerList http.Header

func (l *headerList) Type() string   { return "NAME:VALUE" }
func (l *headerList) String() string { return "" }

func (l *headerList) Set(s string) error {
	name, value, ok := strings.Cut(s, ":")
	value = strings.Trim(value, " \t")
	if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		return &unknownValue{what: "header", got: s, use: "use NAME:VALUE, such as Accept:text/html"}
	}
	if *l == nil {
		*l = make(headerList)
	}
	http.Header(*l).Add(name, value)
	return nil
}

// addressList is the value of an option that says where a host is. Its keys are HOST:PORT.
type addressList map[string]string

func (l *addressList) Type() string   { return "HOST:PORT:ADDRESS" }
func (l *addressList) String() string { return "" }

func (l *addressList) Set(s string) error {
	parts := strings.SplitN(s, ":", 3)
	var address string
	err := errors.New("not three parts")
	if len(parts) == 3 && parts[0] != "" {
		address, err = resolved(parts[2], parts[1])
	}
	if err != nil {
		return &unknownValue{what: "address", got: s, use: "use HOST:PORT:ADDRESS, such as example.com:443:192.0.2.1 or example.com:443:[2001:db8::1]:8443"}
	}
	if *l == nil {
		*l = make(addressList)
	}
	(*l)[strings.ToLower(parts[0]+":"+parts[1])] = address
	return nil
}

// resolved returns an IP address with a port, which is the given one if it has none.
func resolved(s, port string) (string, error) {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a.String(), nil
	}
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return net.JoinHostPort(ip.String(), port), err
}

package client_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"net/http"

	"github.com/tlsflags/tlsflags/reqmtls/client"
)

// A bot fetches a page, and gives its certificate if the server asks for it.
func Example() {
	cert, err := tls.LoadX509KeyPair("bot.pem", "bot.key")
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.New(client.Config{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	if err != nil {
		log.Fatal(err)
	}
	web := &http.Client{Transport: c.Transport()}
	resp, err := web.Get("https://example.com/")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	if report, ok := client.ReportOf(resp); ok {
		fmt.Println(report.Requested, report.Given, report.Acknowledged)
	}
}

// A connection for another protocol than HTTP.
func ExampleClient_Dial() {
	var c *client.Client // from client.New

	conn, err := c.Dial(context.Background(), "tcp", "example.com:853")
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	fmt.Println(conn.Report().Requested)
}

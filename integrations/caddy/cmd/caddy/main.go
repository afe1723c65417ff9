// Command caddy is Caddy with the plugin of this module.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/tlsflags/tlsflags/integrations/caddy"
)

func main() { caddycmd.Main() }

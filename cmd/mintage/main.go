// Command mintage mints digital product passport identities.
package main

import (
	"os"

	"mintage/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(cli.Main(os.Args[1:], version, os.Stdout, os.Stderr))
}

#!/bin/sh
# Sees to what the tests need beyond Go: installs it when run as root on Debian
# or a system like it, else says in one line what to install, and fails.
set -eu
cd "$(dirname "$0")/.."

missing=
have() { command -v "$1" >/dev/null 2>&1; }
installed() { for file; do [ -e "$file" ] && return; done; false; }

# The race detector needs a C compiler with its library's headers.
echo '#include <stdlib.h>' | ${CC:-$(go env CC)} -E - >/dev/null 2>&1 ||
	missing="$missing gcc libc6-dev"

# Debian keeps the server's programs out of the PATH.
[ -n "${MINTAGE_TEST_POSTGRES_URL:-}" ] || have postgres || installed /usr/lib/postgresql/*/bin/postgres ||
	missing="$missing postgresql"

# The faults: a pooler between mintage and the server, a disk that fails.
have pgbouncer || installed /usr/sbin/pgbouncer || missing="$missing pgbouncer"
have mkfs.ext4 || installed /sbin/mkfs.ext4 || missing="$missing e2fsprogs"

have sqlite3 || missing="$missing sqlite3"

# The browser tests; without a font a page has no text to look at.
have chromium || have chromium-browser || have google-chrome || missing="$missing chromium fonts-dejavu-core"

# A label's way: a QR code is made, and read as a scanner does.
have qrencode || missing="$missing qrencode"
have zbarimg || missing="$missing zbar-tools"

# npm's client brings axe-core, with which the browser tests check accessibility.
have npm || missing="$missing nodejs npm"

if [ -n "$missing" ]; then
	if [ "$(id -u)" -ne 0 ] || ! have apt-get; then
		echo "The tests need more than is installed; on Debian: apt-get install$missing" >&2
		exit 1
	fi
	echo "Installing for the tests:$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q || echo "apt-get update has failed; going on with the lists that are here"
	# shellcheck disable=SC2086 # a list of names
	apt-get install -q -y --no-install-recommends $missing </dev/null
fi

# The version and its hash are those of the lock; npm writes the second file when it
# has put everything in its place.
cd tools/axe
if [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
	echo "Installing for the tests: axe-core (npm)"
	npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error </dev/null
fi

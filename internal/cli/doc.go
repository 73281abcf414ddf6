// Package cli is the command line: it reads the configuration, opens the
// database, wires the packages together and runs them. It is the only one that
// knows which database drivers exist.
//
// Configuration comes from flags, then from MINTAGE_* environment variables, then
// from defaults. Secrets come from the environment or a file only, because other
// users of the machine can read a process's flags.
//
// A process plays one role or several: api, web, resolver, worker. On PostgreSQL
// each may have a database role of its own, by a URL of its own; the commands of the
// installation's operator take the database URL, which is then the owner's. A role
// that does not fit what it is for is refused at the start. Each address that is
// served has an edge before it (package edge), and the resolver's is never another
// plane's. One-time links are printed on standard output, never logged.
//
// A command exits with 0 when it did what it was asked, with 1 when it failed,
// and with 2 when it did not understand. Errors go to standard error and say what
// to do. With --json a command that did its work prints one JSON object to
// standard output and nothing else, and one that failed prints one to standard
// error: code, message, and the blocking reasons or faults if there are any. An
// import that refused rows has done its work; it counts and names them.
package cli

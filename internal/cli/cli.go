package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/alecthomas/kong"

	"mintage"
	"mintage/internal/edge"
)

// commands is the whole command line.
type commands struct {
	Config

	Serve   serveCmd   `cmd:"" help:"Serve the API and mint, until told to stop."`
	Worker  workerCmd  `cmd:"" help:"Mint only, without serving anything."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's schema up to date."`
	Demo    demoCmd    `cmd:"" help:"Import a sample catalogue, mint a million units, then serve."`
	Brand   struct {
		Create brandCreateCmd `cmd:"" help:"Create a brand with its resolver base."`
		Update brandUpdateCmd `cmd:"" help:"Change a brand's settings."`
	} `cmd:"" help:"Brands of this installation."`
	Key struct {
		Create keyCreateCmd `cmd:"" help:"Create an API key; it is shown once."`
		List   keyListCmd   `cmd:"" help:"List a brand's API keys, newest first."`
		Rotate keyRotateCmd `cmd:"" help:"Create a key in another's place, which goes on for a while."`
		Revoke keyRevokeCmd `cmd:"" help:"End a key at once."`
	} `cmd:"" help:"API keys."`
	Member struct {
		Invite memberInviteCmd `cmd:"" help:"Invite a person to a brand; prints a link to sign in with once."`
		List   memberListCmd   `cmd:"" help:"List a brand's members."`
		Remove memberRemoveCmd `cmd:"" help:"Take a person out of a brand."`
	} `cmd:"" help:"People and their roles."`
	Import struct {
		Products          importProductsCmd   `cmd:"" help:"Import a catalogue from a CSV file."`
		ProductionBatches importProductionCmd `cmd:"" help:"Import production batches from a CSV file."`
	} `cmd:"" help:"Import CSV files."`
	Submit submitCmd `cmd:"" help:"Submit a mint request."`
	Jobs   jobsCmd   `cmd:"" help:"List mint jobs, newest first."`
	Counts countsCmd `cmd:"" help:"Count the units of a mint batch by state."`
	Export exportCmd `cmd:"" help:"Write the units of a mint batch as CSV."`
	Revoke revokeCmd `cmd:"" help:"Revoke units, for good."`
	Recall recallCmd `cmd:"" help:"Recall a mint batch or a lot of it: revoke all its units at once, for good."`
	Verify verifyCmd `cmd:"" help:"Audit the whole database against mintage's promises."`
	Audit  auditCmds `cmd:"" help:"The audit trail's hash chains."`
	Bench  struct {
		Mint    benchMintCmd    `cmd:"" help:"Mint in a scratch database, beside what it takes at best and beside a naive table."`
		Resolve benchResolveCmd `cmd:"" help:"Scan over loopback, beside a handler that does nothing and beside the database alone."`
	} `cmd:"" help:"Measure."`
	Openapi openapiCmd `cmd:"" help:"Print the API's OpenAPI document." name:"openapi"`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// env is what a command runs in.
type env struct {
	context.Context // done when the process is told to stop
	*Config
	version string
	stdout  io.Writer
	stderr  io.Writer
	log     *slog.Logger
}

// Main runs the command line and returns the exit code.
func Main(args []string, version string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A second signal kills at once.
	context.AfterFunc(ctx, stop)
	return run(ctx, args, version, stdout, stderr)
}

// exited carries kong's wish to exit, after --help, out of its parser.
type exited int

func run(ctx context.Context, args []string, version string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(exited)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	var c commands
	parser, err := kong.New(&c,
		kong.Name("mintage"),
		kong.Description("Mints digital product passport identities."),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Vars{
			"connections": strconv.Itoa(edge.DefaultConnections),
			"per_key":     strconv.Itoa(edge.DefaultPerKey), "per_address": strconv.Itoa(edge.DefaultPerAddress),
		},
		kong.Exit(func(code int) { panic(exited(code)) }),
	)
	if err != nil {
		panic(err) // the command line itself is wrong
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "mintage: %v\n", err)
		fmt.Fprintln(stderr, "Run mintage --help for the commands and their flags.")
		return 2
	}
	e := &env{Context: ctx, Config: &c.Config, version: version, stdout: stdout, stderr: stderr}
	e.log = e.newLog()
	if err := parsed.Run(e); err != nil {
		e.explain(err)
		return 1
	}
	return 0
}

// explain tells what went wrong and what to do: to a person, or with --json to a
// program.
func (e *env) explain(err error) {
	reasons, faults := blockingReasons(err), faultsOf(err)
	message := mintage.ErrorMessage(err)
	if mintage.ErrorCode(err) == mintage.CodeInternal {
		message = err.Error() // whoever runs the command may see the cause
	}
	if e.JSON {
		e.explainJSON(mintage.ErrorCode(err), message, reasons, faults)
		return
	}
	fmt.Fprintf(e.stderr, "mintage: %s\n", message)
	for _, r := range reasons {
		fmt.Fprintf(e.stderr, "  %s %s %s\n", r.Code, r.Field, r.Message)
	}
	for _, f := range faults {
		fmt.Fprintf(e.stderr, "  %s %s\n", f.Field, f.Message)
	}
	if cause := errors.Unwrap(asError(err)); cause != nil {
		e.log.Debug("cause", "error", cause)
	}
}

func (e *env) explainJSON(code mintage.Code, message string, reasons []mintage.Reason, faults []*mintage.Error) {
	type item struct {
		Code    mintage.Code `json:"code"`
		Field   string       `json:"field,omitempty"`
		Message string       `json:"message"`
	}
	failure := struct {
		Code            mintage.Code `json:"code"`
		Message         string       `json:"message"`
		BlockingReasons []item       `json:"blocking_reasons,omitempty"`
		Errors          []item       `json:"errors,omitempty"`
	}{Code: code, Message: message}
	for _, r := range reasons {
		failure.BlockingReasons = append(failure.BlockingReasons, item{r.Code, r.Field, r.Message})
	}
	for _, f := range faults {
		failure.Errors = append(failure.Errors, item{f.Code, f.Field, f.Message})
	}
	if err := json.NewEncoder(e.stderr).Encode(failure); err != nil {
		e.log.Error("writing the error", "error", err)
	}
}

// faultsOf returns what is wrong with an input, nil if that is not the error.
func faultsOf(err error) []*mintage.Error {
	if invalid, ok := errors.AsType[*mintage.InvalidError](err); ok {
		return invalid.Faults
	}
	return nil
}

// blockingReasons returns why a request was blocked, nil if it was not.
func blockingReasons(err error) []mintage.Reason {
	if blocked, ok := errors.AsType[*mintage.BlockedError](err); ok {
		return blocked.Reasons
	}
	return nil
}

// asError returns the first error with a code in err's chain.
func asError(err error) error {
	if coded, ok := errors.AsType[*mintage.Error](err); ok {
		return coded
	}
	return err
}

// printJSON writes the command's one JSON object.
func (e *env) printJSON(v any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// printf writes to people; it is silent where a program reads.
func (e *env) printf(format string, args ...any) {
	if !e.JSON {
		fmt.Fprintf(e.stdout, format, args...)
	}
}

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	if e.JSON {
		return e.printJSON(map[string]string{"version": e.version})
	}
	e.printf("mintage %s\n", e.version)
	return nil
}

// Command licences prints docs/dependencies.md: every module whose code is in the
// binary or in the tests, with the licences in its folder. It fails where a module
// has a licence that it does not know or that asks for more than notice and
// disclaimer (copyleft), so that such a module cannot come in unseen. Exceptions
// stand below, each with its reason.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const head = `# Dependencies

Made by ` + "`make generate`" + `; ` + "`make check`" + ` fails where it is out of date, and where a module has a licence that is unknown or
copyleft. [decisions.md](decisions.md) says what the direct ones are for, and what was turned down. The linter and other
tools have a module of their own (` + "`tools/go.mod`" + `): they are run, and are no part of mintage.

| module | version | licence | in the binary |
| --- | --- | --- | --- |
`

// marks are words that a licence's text has and no other's.
var marks = []struct {
	name    string
	allowed bool
	words   *regexp.Regexp
}{
	{"MIT", true, regexp.MustCompile(`Permission is hereby granted, free of charge, to any person obtaining a copy`)},
	{"Apache-2.0", true, regexp.MustCompile(`Apache License,? Version 2\.0`)},
	{"BSD-3-Clause", true, regexp.MustCompile(`Redistribution and use in source and binary forms.*may be used to endorse or promote`)},
	{"BSD-2-Clause", true, regexp.MustCompile(`Redistribution and use in source and binary forms`)},
	{"ISC", true, regexp.MustCompile(`Permission to use, copy, modify, and(/or)? distribute this software for any purpose with or without fee is hereby granted`)},
	{"public domain", true, regexp.MustCompile(`(?i)((in|into|to) the public|Is Public) domain|disclaims copyright to this source code|CC0 1\.0 Universal`)},
	{"MPL-2.0", false, regexp.MustCompile(`Mozilla Public License`)},
	{"GPL", false, regexp.MustCompile(`(?i)GNU (AFFERO |LESSER |LIBRARY )?GENERAL PUBLIC LICENSE`)},
	{"EPL", false, regexp.MustCompile(`Eclipse Public License`)},
	{"CDDL", false, regexp.MustCompile(`(?i)COMMON DEVELOPMENT AND DISTRIBUTION LICENSE`)},
	{"BUSL", false, regexp.MustCompile(`Business Source License`)},
	{"SSPL", false, regexp.MustCompile(`Server Side Public License`)},
}

// testsMayUse are modules under MPL-2.0, whose terms bind whoever hands out changed
// files of them: they are used as they are, and are never in the binary.
var testsMayUse = []string{"pgregory.net/rapid"}

// notOfTheCode are files whose licences are not those of the code.
var notOfTheCode = []string{
	"modernc.org/memory/LICENSE-LOGO",         // of a picture in the repository
	"modernc.org/sqlite/LICENSE-3RD-PARTY.md", // also of what only its tests use; its own section 1 names what is linked, all of it permissive
}

// fileName is that of a file with a licence.
var fileName = regexp.MustCompile(`(?i)^(.+[-_.])?(licen[cs]e|copying|unlicense)([-_.].+)?$`)

type module struct {
	Path, Version, Dir string
	Main               bool
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	if err := errors.Join(write(out), out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// write is run in tools; the module to be described is the folder above.
func write(w io.Writer) error {
	all, err := modules("-test", "-tags=long", "./...")
	if err != nil {
		return err
	}
	shipped, err := modules("./cmd/mintage")
	if err != nil {
		return err
	}
	fmt.Fprint(w, head)
	var faults []error
	for _, m := range all {
		in := "tests only"
		if slices.Contains(shipped, m) {
			in = "yes"
		}
		names, err := licences(m, in != "yes" && slices.Contains(testsMayUse, m.Path))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", m.Path, m.Version, strings.Join(names, ", "), in)
	}
	return errors.Join(faults...)
}

// modules lists, in order, the modules that packages and all they import are from.
func modules(args ...string) ([]module, error) {
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, args...)...)
	cmd.Dir = ".."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.String())
	}
	var list []module
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ Module *module }
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Module != nil && !p.Module.Main && !slices.Contains(list, *p.Module) {
			list = append(list, *p.Module)
		}
	}
	slices.SortFunc(list, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

// licences names what the files in a module's folder say.
func licences(m module, weakCopyleft bool) ([]string, error) {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() || !fileName.MatchString(entry.Name()) || strings.HasSuffix(entry.Name(), ".go") ||
			slices.Contains(notOfTheCode, m.Path+"/"+entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		found, err := recognise(string(text), weakCopyleft)
		if err != nil {
			return nil, fmt.Errorf("%s: %s %w", m.Path, entry.Name(), err)
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no licence was found in %s", m.Path, m.Dir)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// recognise names the licences in a text.
func recognise(text string, weakCopyleft bool) ([]string, error) {
	// Texts are wrapped and set in comments in all sorts of ways.
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n*#>", r) }), " ")
	var names []string
	for _, mark := range marks {
		if !mark.words.MatchString(text) ||
			mark.name == "BSD-2-Clause" && slices.Contains(names, "BSD-3-Clause") ||
			mark.name == "GPL" && slices.Contains(names, "MPL-2.0") { // which speaks of it
			continue
		}
		if !mark.allowed && (mark.name != "MPL-2.0" || !weakCopyleft) {
			return nil, fmt.Errorf("is %s, which mintage does not take", mark.name)
		}
		names = append(names, mark.name)
	}
	if len(names) == 0 {
		return nil, errors.New("is not known to tools/licences")
	}
	return names, nil
}

package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// A module is one that is linked into a program.
type module struct{ path, version, sum string }

// modules are those that a program tells it is made of, in the order of their paths.
func modules(program string) (all []module, err error) {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return nil, err
	}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		all = append(all, module{dep.Path, dep.Version, dep.Sum})
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.path, b.path) })
	return all, nil
}

// bill writes the bill of materials of a program (CycloneDX 1.6). It has no time and no number of
// its own, so that it is the same whenever it is made.
func (r *release) bill(arch, program string) error {
	all, err := modules(program)
	if err != nil {
		return err
	}
	b := cyclonedx.NewBOM()
	main := "pkg:generic/muster@" + r.version
	b.Metadata = &cyclonedx.Metadata{Component: &cyclonedx.Component{BOMRef: main,
		Type: cyclonedx.ComponentTypeApplication, Name: "muster", Version: r.version,
		Properties: &[]cyclonedx.Property{{Name: "commit", Value: r.commit},
			{Name: "arch", Value: arch}, {Name: "go", Value: runtime.Version()}}}}
	components := make([]cyclonedx.Component, len(all))
	depends := make([]string, len(all))
	for i, m := range all {
		at := "pkg:golang/" + m.path + "@" + m.version
		depends[i] = at
		components[i] = cyclonedx.Component{BOMRef: at, Type: cyclonedx.ComponentTypeLibrary,
			Name: m.path, Version: m.version, PackageURL: at,
			Properties: &[]cyclonedx.Property{{Name: "go.sum", Value: m.sum}}}
	}
	b.Components = &components
	b.Dependencies = &[]cyclonedx.Dependency{{Ref: main, Dependencies: &depends}}
	var text bytes.Buffer
	err = cyclonedx.NewBOMEncoder(&text, cyclonedx.BOMFileFormatJSON).SetPretty(true).
		EncodeVersion(b, cyclonedx.SpecVersion1_6)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.to, "sbom-"+arch+".cdx.json"), text.Bytes(), 0o644)
}

// licence are the names of files that say under which terms something is given, or whom to name.
var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents|authors)([-._].*)?$`)

// notices writes the licences and notices of all modules of all programs, of what other modules
// have within them, and of Go's own library. A module without a licence is an error: it may not be
// given on.
func (r *release) notices() error {
	all := map[string][]string{} // by module: the folders in which to look
	for _, arch := range r.arches {
		if err := linkedFolders(arch, all); err != nil {
			return err
		}
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("where Go lies: %w", err)
	}
	all["Go "+runtime.Version()] = []string{strings.TrimSpace(string(goroot))}
	all["htmx, which the page loads"] = []string{staticDir}
	var text strings.Builder
	text.WriteString("Muster is given under the licence in LICENSE. What it is made of besides:\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		found := map[string]string{}
		for _, dir := range all[name] {
			if err := licences(dir, all[name][0], found); err != nil {
				return err
			}
		}
		if len(found) == 0 {
			return fmt.Errorf("%s has no licence in %s", name, all[name][0])
		}
		for _, file := range slices.Sorted(maps.Keys(found)) {
			fmt.Fprintf(&text, "\n%s\n%s: %s\n%[1]s\n\n%[4]s\n", strings.Repeat("=", 80), name,
				file, strings.TrimSpace(found[file]))
		}
	}
	return os.WriteFile(filepath.Join(r.to, "NOTICES.txt"), []byte(text.String()), 0o644)
}

// licences adds the files of a folder that say so, with their texts, by their paths from the
// module's.
func licences(dir, module string, found map[string]string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimPrefix(e.Name(), "htmx-")
		if e.IsDir() || !licence.MatchString(name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		path, err := filepath.Rel(module, filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		found[filepath.ToSlash(path)] = string(text)
	}
	return nil
}

// linkedFolders adds the folders of the packages that are linked for a machine, and all between
// them and their module's, which is the first.
func linkedFolders(arch string, all map[string][]string) error {
	c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if .Version}}{{.Path}} "+
		"{{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{end}}", "./cmd/muster")
	c.Env = environment(arch)
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("what is linked for %s: %w", arch, err)
	}
	for line := range strings.Lines(string(out)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		module, dir, _ := strings.Cut(rest, "\t")
		if len(all[name]) == 0 {
			all[name] = []string{module}
		}
		for ; len(dir) > len(module); dir = filepath.Dir(dir) {
			if !slices.Contains(all[name], dir) {
				all[name] = append(all[name], dir)
			}
		}
	}
	return nil
}

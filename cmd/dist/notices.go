package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
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

// notices writes the licences and notices of all modules of all programs, and of Go's own library.
// One without a licence is an error: it may not be given on.
func (r *release) notices(programs []string) error {
	linked := map[module]bool{}
	for _, program := range programs {
		all, err := modules(program)
		if err != nil {
			return err
		}
		for _, m := range all {
			linked[m] = true
		}
	}
	dirs, err := folders(linked)
	if err != nil {
		return err
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("where Go lies: %w", err)
	}
	dirs["Go "+runtime.Version()] = strings.TrimSpace(string(goroot))
	dirs["htmx, which the page loads"] = staticDir
	var text strings.Builder
	text.WriteString("Muster is given under the licence in LICENSE. What it is made of besides:\n")
	for _, name := range sorted(dirs) {
		found, err := licences(dirs[name])
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("%s has no licence in %s", name, dirs[name])
		}
		for _, file := range sorted(found) {
			fmt.Fprintf(&text, "\n%s\n%s: %s\n%[1]s\n\n%[4]s\n", strings.Repeat("=", 80), name,
				file, strings.TrimSpace(found[file]))
		}
	}
	return os.WriteFile(filepath.Join(r.to, "NOTICES.txt"), []byte(text.String()), 0o644)
}

func sorted(of map[string]string) (names []string) {
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// licences are the files of a module that say so, with their texts.
func licences(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, e := range entries {
		name := strings.TrimPrefix(e.Name(), "htmx-")
		if e.IsDir() || !licence.MatchString(name) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		found[e.Name()] = string(text)
	}
	return found, nil
}

// folders are where the modules lie, by their names and versions.
func folders(linked map[module]bool) (map[string]string, error) {
	args := []string{"mod", "download", "-json"}
	for m := range linked {
		args = append(args, m.path+"@"+m.version)
	}
	slices.Sort(args[3:])
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("where the modules lie: %w", err)
	}
	dirs := map[string]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var m struct{ Path, Version, Dir string }
		if err := decoder.Decode(&m); err != nil {
			return nil, err
		}
		dirs[m.Path+" "+m.Version] = m.Dir
	}
	return dirs, nil
}

// Package build tells what this program was built from, for what it says of itself, and for what it
// leaves in files.
package build

import "runtime/debug"

// What a release is stamped with: its version, and the commit that it was built from (-ldflags -X).
var version, commit string

// Version is that of a release, without a v before it, or else the module's, as the Go tool
// recorded it; 0.0.0-devel where neither is known.
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && len(info.Main.Version) > 1 &&
		info.Main.Version[0] == 'v' {
		return info.Main.Version[1:]
	}
	return "0.0.0-devel"
}

// Commit is the commit that the program was built from, "" where that is not known.
func Commit() string {
	if info, ok := debug.ReadBuildInfo(); ok && commit == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return commit
}

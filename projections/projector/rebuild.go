package projector

import (
	"context"
	"errors"
	"fmt"
	"os"

	"muster/projections"
	"muster/projections/records"
)

// A Rebuilt is one projection, as it was saved and as it was built again.
type Rebuilt struct {
	Name      string `json:"name"`
	Entries   int    `json:"entries"`
	Saved     string `json:"saved,omitzero"` // fingerprints; "" when nothing usable was saved
	Rebuilt   string `json:"rebuilt"`
	Identical bool   `json:"identical"`
}

// A Rebuilding is the outcome of Rebuild.
type Rebuilding struct {
	// AsOf is the record as of which the saved and the rebuilt picture are compared: the last one
	// that was saved.
	AsOf uint64    `json:"as_of"`
	Each []Rebuilt `json:"each"`
	// Replaced says that the saved file gave way to the rebuilt one.
	Replaced bool `json:"replaced"`
	// Discarded says why what was saved could not even be compared, "" when it could.
	Discarded string `json:"discarded,omitzero"`
}

// Identical reports whether every projection was built again to what was saved.
func (r Rebuilding) Identical() bool {
	for _, one := range r.Each {
		if !one.Identical {
			return false
		}
	}
	return true
}

// Compare compares what was saved, which may be nothing, with what was built again.
func Compare(saved, rebuilt projections.Fingerprints) Rebuilding {
	result := Rebuilding{AsOf: rebuilt.AsOf}
	for i, one := range rebuilt.Each {
		r := Rebuilt{Name: one.Name, Entries: one.Entries, Rebuilt: one.SHA256}
		if saved.Each != nil {
			r.Saved, r.Identical = saved.Each[i].SHA256, saved.Each[i] == one
		}
		result.Each = append(result.Each, r)
	}
	return result
}

// Rebuild builds all projections anew, from the first record that the source has, and compares them
// with those saved at path. Where they differ, what was rebuilt takes the place of what was saved.
// No Projector may have the file open.
func Rebuild(ctx context.Context, path string, source records.Source) (Rebuilding, error) {
	discarded := ""
	saved, err := fingerprintSaved(ctx, path, source)
	switch {
	case errors.Is(err, errUnsound):
		discarded = err.Error()
	case err != nil:
		return Rebuilding{}, err
	}
	aside := path + ".rebuilt"
	if err := discard(aside); err != nil { // left by a rebuild that was interrupted
		return Rebuilding{}, err
	}
	rebuilt, err := fingerprintRebuilt(ctx, aside, source, saved.AsOf)
	if err != nil {
		return Rebuilding{}, errors.Join(err, discard(aside))
	}
	result := Compare(saved, rebuilt)
	result.Discarded = discarded
	if result.Identical() {
		return result, discard(aside)
	}
	for _, move := range []func() error{
		func() error { return discard(path) }, // a snapshot too, which may be what is wrong
		func() error { return os.Rename(aside, path) },
		func() error { return ifThere(os.Rename(snapshotPath(aside), snapshotPath(path))) },
	} {
		if err := move(); err != nil {
			return result, fmt.Errorf("putting the rebuilt projections in place: %w", err)
		}
	}
	result.Replaced = true
	return result, nil
}

// fingerprintSaved takes the fingerprints of what is saved. There are none when there is no file
// yet.
func fingerprintSaved(ctx context.Context, path string,
	source records.Source) (projections.Fingerprints, error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return projections.Fingerprints{}, fmt.Errorf("%w: none were saved yet", errUnsound)
	}
	store, picture, _, err := openSaved(path, source)
	if err != nil {
		return projections.Fingerprints{}, err
	}
	defer store.close()
	if picture.Sequence() == 0 {
		return projections.Fingerprints{}, fmt.Errorf("%w: none were saved yet", errUnsound)
	}
	return picture.Fingerprint(ctx, 0)
}

// fingerprintRebuilt builds the projections in a new file and takes their fingerprints as of a
// record, 0 for the last.
func fingerprintRebuilt(ctx context.Context, path string, source records.Source,
	asOf uint64) (projections.Fingerprints, error) {
	p, err := Open(ctx, path, source)
	if err != nil {
		return projections.Fingerprints{}, err
	}
	f, err := p.picture.Fingerprint(ctx, asOf)
	return f, errors.Join(err, p.Close())
}

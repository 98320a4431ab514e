package package_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// compose.yaml is taken by the library of Compose: three NATS nodes, each with all that their
// configuration reads, and two servers whose flags and environment the program takes.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithEnv([]string{
		"ROUTE_PASSWORD=r-secret", "MUSTER_PASSWORD=m-secret", "ADMIN_PASSWORD=a-secret"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	comments := regexp.MustCompile(`(?m)^\s*#.*$`)
	config := comments.ReplaceAllString(read(t, "../nats-server.conf"), "")
	for _, m := range regexp.MustCompile(`\$([A-Z_]+)`).FindAllStringSubmatch(config, -1) {
		asked[m[1]] = true
	}
	delete(asked, "JS") // of subjects
	delete(asked, "SYS")
	delete(asked, "SRV")
	nodes, servers := 0, 0
	for name, s := range project.Services {
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s may write to its root, or has rights", name)
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeVolume && !slices.Contains(
				slices.Collect(maps.Keys(project.Volumes)), v.Source) {
				t.Errorf("%s: there is no volume %s", name, v.Source)
			}
			if v.Type == types.VolumeTypeBind && filepath.Ext(v.Source) == ".conf" {
				if _, err := os.Stat(v.Source); err != nil {
					t.Error(err)
				}
			}
		}
		if s.Environment["NODE"] == nil {
			servers++
			takes(t, s.Command, slices.Collect(maps.Keys(s.Environment)))
			continue
		}
		nodes++
		for variable := range asked {
			if v := s.Environment[variable]; v == nil || *v == "" {
				t.Errorf("%s has no %s, which nats-server.conf reads", name, variable)
			}
		}
		if *s.Environment["NODE"] != name {
			t.Errorf("%s calls itself %s", name, *s.Environment["NODE"])
		}
	}
	if nodes != 3 || servers != 2 || len(asked) < 8 {
		t.Errorf("%d nodes, %d servers, which ask for %d names", nodes, servers, len(asked))
	}
}

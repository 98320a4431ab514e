package package_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/validator"
)

// swaggerModule is the module that carries the API of a Kubernetes, and swaggerFile where: 1.27 is
// the oldest that has all that the chart asks for without a gate.
const swaggerModule, swaggerFile, swaggerVersion = "k8s.io/kube-openapi",
	"pkg/schemaconv/testdata/swagger.json", "v1.27.0"

// The kinds that the chart has, as kubeconform names the files of their schemas, and in the API.
var chartKinds = map[string]string{
	"statefulset-apps-v1":           "io.k8s.api.apps.v1.StatefulSet",
	"service-v1":                    "io.k8s.api.core.v1.Service",
	"networkpolicy-networking-v1":   "io.k8s.api.networking.v1.NetworkPolicy",
	"poddisruptionbudget-policy-v1": "io.k8s.api.policy.v1.PodDisruptionBudget",
}

// schemas makes JSON Schemas of Kubernetes' API: an object has no other fields than are named
// there, and what is a number or text may be either. It returns their folder.
func schemas(t *testing.T) string {
	t.Helper()
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", swaggerModule)
	list.Env = append(os.Environ(), "GOFLAGS=-mod=mod")
	module, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var api struct {
		Info        struct{ Version string }
		Definitions map[string]map[string]any
	}
	text := read(t, filepath.Join(strings.TrimSpace(string(module)), swaggerFile))
	if err := json.Unmarshal([]byte(text), &api); err != nil {
		t.Fatal(err)
	}
	if api.Info.Version != swaggerVersion {
		t.Errorf("the module %s has the API of %s, and not of %s", swaggerModule,
			api.Info.Version, swaggerVersion)
	}
	for name, d := range api.Definitions {
		if d["properties"] != nil && d["additionalProperties"] == nil {
			d["additionalProperties"] = false
		}
		if strings.HasSuffix(name, ".IntOrString") || strings.HasSuffix(name, ".Quantity") {
			d["type"] = []string{"string", "number"}
		}
	}
	dir := t.TempDir()
	for file, definition := range chartKinds {
		if api.Definitions[definition] == nil {
			t.Fatalf("the API has no %s", definition)
		}
		schema, err := json.Marshal(map[string]any{
			"$schema": "http://json-schema.org/draft-07/schema#",
			"$ref":    "#/definitions/" + definition, "definitions": api.Definitions})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file+".json"), schema, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What the chart renders is held by kubeconform against schemas of Kubernetes' API, without a
// network; and a field that is not there, a value of another type, or nothing where something is
// asked for, is found.
func TestChartConforms(t *testing.T) {
	files, err := render(t, given)
	if err != nil {
		t.Fatal(err)
	}
	all := validatorOf(t)
	objects := 0
	for name, text := range files {
		for _, r := range all.Validate(name, io.NopCloser(strings.NewReader(text))) {
			if r.Status == validator.Empty {
				continue
			}
			objects++
			if r.Status != validator.Valid {
				t.Errorf("%s: %v", name, r.Err)
			}
		}
	}
	if objects != 5 {
		t.Errorf("%d objects were looked at", objects)
	}
	set := files["muster/templates/statefulset.yaml"]
	for _, planted := range [][2]string{{"podManagementPolicy:", "podManagement:"},
		{"replicas: 2", "replicas: two"}, {"serviceName:", "# serviceName:"},
		{"containerPort: 8080", "containerPort: http"},
		{"kind: StatefulSet", "kind: StatefulSets"}} {
		wrong := strings.Replace(set, planted[0], planted[1], 1)
		if wrong == set {
			t.Fatalf("the chart has no %q", planted[0])
		}
		r := all.Validate("planted", io.NopCloser(strings.NewReader(wrong)))
		if len(r) != 1 || r[0].Status != validator.Invalid && r[0].Status != validator.Error {
			t.Errorf("with %q nothing is found: %+v", planted[1], r)
		} else {
			t.Logf("%s: %v", planted[1], r[0].Err)
		}
	}
}

func validatorOf(t *testing.T) validator.Validator {
	t.Helper()
	v, err := validator.New([]string{filepath.Join(schemas(t),
		"{{.ResourceKind}}{{.KindSuffix}}.json")}, validator.Opts{Strict: true,
		KubernetesVersion: strings.TrimPrefix(swaggerVersion, "v")})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

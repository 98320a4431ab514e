package package_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// given are the values that the chart asks for.
var given = map[string]any{"hosts": []any{"muster.example"}, "proxies": []any{"10.0.0.0/8"},
	"basePath": "/muster", "foundingSecret": "founding", "nats": map[string]any{
		"urls": "tls://nats-0.nats:4222", "caSecret": "authority", "usersSecret": "users"}}

// render renders the chart as helm does.
func render(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	chart, err := loader.Load("../helm")
	if err != nil {
		t.Fatal(err)
	}
	all, err := chartutil.ToRenderValues(chart, values, chartutil.ReleaseOptions{Name: "ledger",
		Namespace: "coalition"}, chartutil.DefaultCapabilities)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Render(chart, all)
}

// The chart is rendered by helm's library, and each object that comes of it is one of Kubernetes'
// own types, without a field that these do not have. A pod may do as little as the unit lets a
// server do, and is told nothing that the program does not take.
func TestChart(t *testing.T) {
	files, err := render(t, given)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	var set appsv1.StatefulSet
	types := map[string]any{"apps/v1 StatefulSet": &set, "v1 Service": &corev1.Service{},
		"networking.k8s.io/v1 NetworkPolicy": &networkingv1.NetworkPolicy{},
		"policy/v1 PodDisruptionBudget":      &policyv1.PodDisruptionBudget{}}
	for name, text := range files {
		for _, object := range regexp.MustCompile(`(?m)^---$`).Split(text, -1) {
			var head struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal([]byte(object), &head); err != nil {
				t.Fatalf("%s: %v\n%s", name, err, object)
			}
			into := types[head.APIVersion+" "+head.Kind]
			if into == nil {
				t.Fatalf("%s has the kind %+v", name, head)
			}
			if err := yaml.UnmarshalStrict([]byte(object), into); err != nil {
				t.Errorf("%s: %v\n%s", name, err, object)
			}
			kinds[head.Kind]++
		}
	}
	if got := fmt.Sprint(kinds); got !=
		"map[NetworkPolicy:1 PodDisruptionBudget:1 Service:2 StatefulSet:1]" {
		t.Errorf("it has %s", got)
	}
	checkPod(t, set.Spec.Template.Spec)
}

func checkPod(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	server := pod.Containers[0]
	if !*pod.SecurityContext.RunAsNonRoot || *pod.AutomountServiceAccountToken ||
		!*server.SecurityContext.ReadOnlyRootFilesystem ||
		*server.SecurityContext.AllowPrivilegeEscalation ||
		!slices.Equal(server.SecurityContext.Capabilities.Drop, []corev1.Capability{"ALL"}) {
		t.Error("a pod may do more than it needs")
	}
	var names, mounted []string
	for _, env := range server.Env {
		names = append(names, env.Name)
	}
	for _, v := range server.VolumeMounts {
		mounted = append(mounted, v.MountPath)
	}
	if !slices.Equal(mounted, []string{"/data", "/founding", "/authority"}) {
		t.Errorf("it mounts %q", mounted)
	}
	takes(t, server.Args, names)
}

// What has to be given is asked for.
func TestChartAsks(t *testing.T) {
	for _, lacks := range []string{"hosts", "foundingSecret", "nats"} {
		values := map[string]any{}
		for name, value := range given {
			if name != lacks {
				values[name] = value
			}
		}
		_, err := render(t, values)
		if err == nil || !strings.Contains(err.Error(), lacks) {
			t.Errorf("without %s: %v", lacks, err)
		}
	}
}

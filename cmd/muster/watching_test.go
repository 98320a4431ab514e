package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"muster/cmd/internal/certtest"
)

// Every metric that the dashboard and the alerts in deploy go by is told by a running server, by
// that name and with those labels, and each expression is one that Prometheus reads.
func TestDeployedMetricsAreTold(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	authority, err := certtest.New(root)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := authority.Issue("server", time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	hooks := filepath.Join(root, "hooks.json")
	if err := os.WriteFile(hooks, []byte(`{"hooks": [{"name": "desk", "url": "http://127.0.0.1:1",
		"secret": "whsec_`+strings.Repeat("A", 32)+`"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := launch(t, filepath.Join(root, "ledger"), "--admin", "127.0.0.1:0", "--tls-cert", cert,
		"--tls-key", key, "--access-log", filepath.Join(root, "access.log"), "--hooks", hooks,
		"--nats-listen", "127.0.0.1:0", "--changed", "public")
	admin := p.awaitAdmin(t)
	awaitStatus(t, admin+"/readyz", 200)
	user := newUser(t)
	user.types(t, "--data", p.dir, "coverage")
	user.types(t, "--data", p.dir, "feed", "list")
	_, text := get(t, admin+"/metrics")
	told := series(text)

	asked := 0
	for where, expression := range expressions(t) {
		parsed, err := parser.ParseExpr(expression)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
			v, ok := node.(*parser.VectorSelector)
			if !ok || v.Name == "up" { // which Prometheus tells by itself
				return nil
			}
			asked++
			if !slices.ContainsFunc(told, func(one labels.Labels) bool {
				return fits(one, v.LabelMatchers)
			}) {
				t.Errorf("%s: no server tells %s", where, v)
			}
			return nil
		})
	}
	if asked < 40 {
		t.Errorf("only %d metrics were looked for", asked)
	}
	p.stop(t)
}

// ofPrometheus are labels that a server does not tell, and whatever else a value may be.
var ofPrometheus = []string{"job", "instance"}

// fits reports whether a series is meant by matchers, as far as a test can have it: a result that
// is no success need not have come about.
func fits(one labels.Labels, matchers []*labels.Matcher) bool {
	return !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
		return !slices.Contains(ofPrometheus, m.Name) && m.Type != labels.MatchNotEqual &&
			!m.Matches(one.Get(m.Name))
	})
}

// series reads what Prometheus would.
func series(text string) (all []labels.Labels) {
	line := regexp.MustCompile(`(?m)^([a-z_]+)(?:\{(.*)\})? \S+$`)
	label := regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
	for _, found := range line.FindAllStringSubmatch(text, -1) {
		one := map[string]string{labels.MetricName: found[1]}
		for _, l := range label.FindAllStringSubmatch(found[2], -1) {
			one[l[1]] = l[2]
		}
		all = append(all, labels.FromMap(one))
	}
	return all
}

// expressions returns what deploy asks of Prometheus, by where it stands.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	alerts, err := readAlerts()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "dashboard.json"))
	if err == nil {
		err = json.Unmarshal(data, &dashboard)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, r := range alerts {
		all[r.Alert] = r.Expr
		if r.Labels["severity"] == "" || r.Annotations["summary"] == "" ||
			r.Annotations["action"] == "" {
			t.Errorf("%s does not say how bad it is, what it is or what to do", r.Alert)
		}
	}
	for _, panel := range dashboard.Panels {
		for i, target := range panel.Targets {
			where := panel.Title + " " + string(rune('A'+i))
			all[where] = strings.ReplaceAll(target.Expr, "$instance", ".*")
		}
	}
	return all
}

// Names follow the conventions of Prometheus: what only grows ends in _total, and units are base
// units in the plural.
func TestMetricsAreNamedWell(t *testing.T) {
	if testing.Short() {
		t.Skip("one thing after the other")
	}
	t.Parallel()
	p := serving(t, filepath.Join(t.TempDir(), "ledger"), "--admin", "127.0.0.1:0")
	_, text := get(t, p.awaitAdmin(t)+"/metrics")
	kinds := regexp.MustCompile(`(?m)^# TYPE (muster_\w+) (\w+)$`).FindAllStringSubmatch(text, -1)
	if len(kinds) < 20 {
		t.Fatalf("there are %d metrics", len(kinds))
	}
	for _, k := range kinds {
		name, kind := k[1], k[2]
		if (kind == "counter") != strings.HasSuffix(name, "_total") ||
			kind == "histogram" && !strings.HasSuffix(name, "_seconds") ||
			regexp.MustCompile(`milli|micro|_ms(_|$)|percent`).MatchString(name) {
			t.Errorf("a %s is named %s", kind, name)
		}
		if !strings.Contains(text, "# HELP "+name+" ") {
			t.Errorf("%s is not explained", name)
		}
	}
	p.stop(t)
}

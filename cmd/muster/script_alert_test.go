package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v4"
)

// An alert is a rule of Prometheus, as deploy/alerts.yaml has it.
type alert struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// readAlerts reads deploy/alerts.yaml.
func readAlerts() (all []alert, err error) {
	var file struct{ Groups []struct{ Rules []alert } }
	data, err := os.ReadFile(filepath.Join("..", "..", "deploy", "alerts.yaml"))
	if err == nil {
		err = yaml.Unmarshal(data, &file)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all, err
}

// alert NAME SERIES PATTERN: an alert of deploy/alerts.yaml asks for this series, and the server
// that was started last with --admin tells a value of it that matches, or does soon.
func scriptAlert(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: alert NAME SERIES PATTERN, after serve --admin")
	}
	name, series := args[0], args[1]
	metric, _, _ := strings.Cut(series, "{")
	alerts, err := readAlerts()
	ts.Check(err)
	if !slices.ContainsFunc(alerts, func(a alert) bool {
		return a.Alert == name && strings.Contains(a.Expr, metric)
	}) {
		ts.Fatalf("no alert %s asks for %s", name, metric)
	}
	want := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (?:` + args[2] + `)$`)
	text := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get(ts.Getenv("ADMIN") + "/metrics")
		ts.Check(err)
		told, err := io.ReadAll(resp.Body)
		ts.Check(errors.Join(err, resp.Body.Close()))
		if text = string(told); want.MatchString(text) {
			return
		}
	}
	ts.Fatalf("%s does not become %s: %q", series, args[2],
		regexp.MustCompile(`(?m)^`+metric+`\b.*$`).FindAllString(text, -1))
}

// Each alert is brought about by the script of watching, or its procedure says that it is not.
func TestAlertsAreBroughtAbout(t *testing.T) {
	alerts, err := readAlerts()
	if err != nil || len(alerts) < 15 {
		t.Fatalf("%d alerts, %v", len(alerts), err)
	}
	script, err := os.ReadFile("testdata/script/operating-watching.txt")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "deploy", "OPERATING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, watching, _ := strings.Cut(string(page), "\n## Watching\n")
	for _, a := range alerts {
		tried := strings.Contains(string(script), "\nalert "+a.Alert+" ")
		if told := strings.Contains(watching, "`"+a.Alert+"`"); tried == told {
			t.Errorf("%s: the script brings it about: %t; the page says that it does not: %t",
				a.Alert, tried, told)
		}
	}
}

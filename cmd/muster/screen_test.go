package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"muster/events/problem"
)

// acting is text that sets a terminal's title, clears it, begins new lines, and turns others
// around.
const acting = "\x1b]0;owned\x07\x1b[2J\r\nmuster: everything is verified\x00\u009b31m" +
	"\u202Elive\u2066\u200f\u061c"

// typedMembers are the members of answers that a client reads strictly, and refuses for acting
// text.
var typedMembers = strings.Fields("id type nation operation role unit from until on as_of rung " +
	"recorded first_recorded last_recorded opened at kind release checkpoint_key origin state " +
	"status view pledge effective priority quantity expires since to least most beginning " +
	"nations " +
	"root first what_if day today accounted length step stored units statement")

// A hostileServer stands before a real server and writes acting text into what that answers.
type hostileServer struct {
	*httptest.Server
	mode atomic.Value // a string
}

func hostileBefore(t *testing.T, real string) *hostileServer {
	to, err := url.Parse(real)
	if err != nil {
		t.Fatal(err)
	}
	h := &hostileServer{}
	h.mode.Store("")
	h.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: h.answer})
	t.Cleanup(h.Close)
	return h
}

// answer makes an answer hostile, by the mode.
func (h *hostileServer) answer(r *http.Response) error {
	mode, path := h.mode.Load().(string), r.Request.URL.Path
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	asked := strings.HasPrefix(path, "/api/v1/") && path != "/api/v1/ledger" &&
		!strings.HasPrefix(path, "/api/v1/session")
	switch {
	case mode == "rubbish":
		r.StatusCode, body = http.StatusInternalServerError, []byte(acting)
		r.Header.Set("Content-Type", acting)
	case mode == "checkpoint" && path == "/checkpoint":
		body = []byte(acting + string(body))
	case mode == "refusal" && asked:
		r.StatusCode = http.StatusUnprocessableEntity
		body, err = json.Marshal(map[string]any{"type": "urn:muster:problem:invalid",
			"title": acting, "detail": acting, "hint": acting, "code": acting,
			"errors": []any{map[string]any{"location": acting, "message": acting, "value": acting},
				map[string]any{"location": "role", "message": acting}}})
	case mode == "all strings" && asked, mode == "free strings" && asked:
		var answer any
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if d.Decode(&answer) == nil {
			body, err = json.Marshal(spoil(answer, "", mode == "all strings"))
		}
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return err
}

// spoil puts acting text into the strings of an answer.
func spoil(v any, member string, all bool) any {
	switch v := v.(type) {
	case map[string]any:
		for name, of := range v {
			v[name] = spoil(of, name, all)
		}
	case []any:
		for i := range v {
			v[i] = spoil(v[i], member, all)
		}
	case string:
		if all || v != "" && !slices.Contains(typedMembers, member) {
			return v + acting
		}
	}
	return v
}

// commandLines is a command line for each command, with PLEDGE, FILE, PLAN, DIR and KEY in the
// places of a pledge, of a file with acting text, of a plan of allocations with some, of a folder
// whose name has some, and of a key that has. Why is why there is none.
var commandLines = map[string]struct{ line, why string }{
	"allocation apply":    {line: "PLAN --dry-run"},
	"allocation make":     {line: "PLEDGE mnf-u/ground-west --quantity 1"},
	"allocation propose":  {line: "--operation mnf-u"},
	"allocation release":  {line: "PLEDGE"},
	"backup":              {line: "DIR/b --data DIR"},
	"caveat declare":      {line: "PLEDGE night --restriction no"},
	"caveat lift":         {line: "PLEDGE night"},
	"checkpoint":          {},
	"condition add":       {line: "PLEDGE vote --kind parliament"},
	"condition discharge": {line: "PLEDGE vote"},
	"condition fail":      {line: "PLEDGE vote"},
	"corrections":         {},
	"counted":             {line: "20"},
	"coverage":            {line: "--on 2026-04-01"},
	"delivery":            {},
	"mirror":              {why: "it tells the name of the ledger alone, which has a form"},
	"witness":             {why: "what it signs is held to its form: package witness"},
	"demo":                {why: "it runs until it is ended, on what it has written itself"},
	"dependence":          {line: "--on 2026-04-01"},
	"diff":                {line: "--from 20 --on 2026-04-01"},
	"digest":              {line: "--from 20 --on 2026-04-01"},
	"doctor":              {line: "--data DIR"},
	"due":                 {},
	"exit-codes":          {},
	"found":               {line: "--origin DIR"},
	"explain coverage":    {line: "mnf-u/ground-west --on 2026-04-01"},
	"explain strength":    {line: "--operation mnf-u --on 2026-04-01"},
	"export bundle":       {line: "DIR.bundle"},
	"feed list":           {},
	"feed new":            {line: "--of due"},
	"feed revoke":         {line: "DIR"},
	"gaps":                {line: "--on 2026-04-01"},
	"hanging":             {line: "--on 2026-04-01"},
	"import csv":          {line: "FILE"},
	"import guess":        {line: "FILE"},
	"import un":           {line: "FILE"},
	"import undo":         {line: "kiel-tracker --reason x"},
	"import xlsx":         {line: "FILE"},
	"sheet new":           {line: "--operation mnf-u DIR/form.xlsx"},
	"key new":             {line: "DIR/x"},
	"key show":            {line: "FILE"},
	"late":                {},
	"log":                 {},
	"man":                 {line: "DIR/man"},
	"mapping":             {},
	"meeting close":       {line: "FGC"},
	"meeting list":        {},
	"member admit":        {line: "FRA/x+1a2b3c4d+AAAA"},
	"member list":         {},
	"member retract":      {line: "FRA/demo --reason x"},
	"member revoke":       {line: "FRA/demo --reason x"},
	"member second":       {line: "FRA/demo"},
	"nation":              {line: "FRA --on 2026-04-01"},
	"nations":             {line: "--on 2026-04-01"},
	"plan apply":          {line: "FILE"},
	"plan export":         {line: "mnf-u"},
	"plan show":           {line: "mnf-u"},
	"pledge accept":       {line: "PLEDGE"},
	"pledge amend":        {line: "PLEDGE --quantity 3"},
	"pledge confirm":      {line: "PLEDGE"},
	"pledge correct":      {line: "20 --reason x --quantity 3"},
	"pledge decline":      {line: "PLEDGE --reason x"},
	"pledge deploy":       {line: "PLEDGE --quantity 1"},
	"pledge disclose":     {line: "PLEDGE --release public"},
	"pledge history":      {line: "PLEDGE"},
	"pledge indicate":     {line: "--operation mnf-u --role ground --quantity 3"},
	"pledge list":         {},
	"pledge offer":        {line: "--operation mnf-u --role ground --quantity 3"},
	"pledge answer":       {line: "PLEDGE --text x"},
	"pledge query":        {line: "PLEDGE --text x"},
	"pledge renew":        {line: "PLEDGE --expires 2027-01-01"},
	"pledge report":       {line: "PLEDGE --quantity 1"},
	"pledge return":       {line: "PLEDGE"},
	"pledge show":         {line: "PLEDGE"},
	"pledge withdraw":     {line: "PLEDGE --reason x"},
	"readiness":           {},
	"rebuild":             {line: "--data DIR"},
	"receipt":             {line: "FILE"},
	"replay":              {line: "FILE"},
	"restore":             {line: "DIR DIR2"},
	"review":              {line: "--on 2026-04-01"},
	"rotations":           {},
	"schema":              {},
	"scope declare":       {line: "ground"},
	"scope list":          {},
	"serve":               {line: "--data FILE"},
	"session end":         {},
	"sign":                {line: "FILE"},
	"status":              {},
	"strength":            {line: "--on 2026-04-01"},
	"submit":              {line: "FILE"},
	"timeline":            {line: "--operation mnf-u --from 2026-01-01 --until 2026-06-01"},
	"trust add":           {line: "KEY"},
	"trust list":          {},
	"trust remove":        {line: "KEY"},
	"verify":              {line: "URL"},
	"version":             {},
}

// quiet are the commands that repeat nothing of what they ask or read, or write it in quotes.
var quiet = []string{"exit-codes", "import guess", "import un", "key show", "man", "mapping",
	"plan apply", "plan export", "receipt", "replay", "schema", "serve", "session end", "sign",
	"submit", "trust list", "version"}

// acts returns the characters of a text that would do something to a terminal.
func acts(text string) (found []string) {
	for _, r := range text {
		if problem.Acts(r) && r != '\n' && r != '\t' {
			found = append(found, fmt.Sprintf("%U", r))
		}
	}
	return found
}

// Nothing that somebody else has written moves a cursor, sets a title or turns a line around:
// whatever a server, a proxy or a file says, in whatever command.
func TestNothingActsOnTheTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("every command, several times, one after the other")
	}
	root := t.TempDir()
	b, real, err := serveDemo(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.kill)
	before, _ := filepath.Glob("muster-*.note")
	t.Cleanup(func() { // a statement whose fate is not known is kept where the command was typed
		kept, _ := filepath.Glob("muster-*.note")
		for _, note := range kept {
			if !slices.Contains(before, note) {
				_ = os.Remove(note)
			}
		}
	})
	demo := filepath.Join(root, "demo")
	pledge := newAuthor(t, real, demo, "keys/FRA-demo.key").pledge("\u202Edenrut\u2066")
	h := hostileBefore(t, real)
	file, dir := filepath.Join(root, "file"), filepath.Join(root, "a\x1b[2J\u202Edir")
	if err := os.WriteFile(file, []byte(acting), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := filepath.Join(root, "plan.csv")
	text := strings.ReplaceAll(acting, "\x00", "") // with which it is none
	if err := os.WriteFile(plan, []byte("pledge,requirement\n\""+text+"\",ground-west\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	where := strings.NewReplacer("PLEDGE", pledge, "FILE", file, "DIR", dir, "URL", h.URL,
		"PLAN", plan,
		"KEY", acting+"+"+acting)
	for c := range leaves((&app{}).root()) {
		name := strings.TrimPrefix(c.CommandPath(), "muster ")
		of, ok := commandLines[name]
		if !ok {
			t.Errorf("muster %s: no command line of this test has it", name)
		}
		if of.why != "" {
			continue
		}
		told := false
		for _, mode := range []string{"", "all strings", "free strings", "refusal", "rubbish",
			"checkpoint"} {
			h.mode.Store(mode)
			for _, format := range []string{"table", "json", "ndjson"} {
				line := append(strings.Fields(name), strings.Fields(of.line)...)
				for i := range line {
					line[i] = where.Replace(line[i])
				}
				line = append(line, "--url", h.URL, "-o", format)
				if name != "serve" && !strings.Contains(of.line, "--data") {
					line = append(line, "--key", filepath.Join(demo, "keys/FRA-demo.key"))
				}
				t.Setenv("MUSTER_CONFIG", filepath.Join(root, "config"))
				var out, errs bytes.Buffer
				run(line, strings.NewReader(acting), &out, &errs)
				said := out.String() + errs.String()
				told = told || strings.Contains(said, "⟨U+") || strings.Contains(said, `\u202e`)
				if found := acts(said); len(found) > 0 {
					t.Errorf("muster %q, %s: %v in\n%.600q", line, mode, found, said)
				}
				for line := range strings.Lines(said) {
					if strings.HasPrefix(line, "muster: everything is verified") {
						t.Errorf("muster %q, %s: a line is the server's:\n%s", line, mode, said)
					}
				}
			}
		}
		if !told && !slices.Contains(quiet, name) {
			t.Errorf("muster %s tells nothing of what is hostile: it has not been tried", name)
		}
	}
}

// leaves goes through the commands that do something.
func leaves(c *cobra.Command) func(func(*cobra.Command) bool) {
	return func(yield func(*cobra.Command) bool) {
		for _, sub := range c.Commands() {
			if len(sub.Commands()) == 0 {
				if !yield(sub) {
					return
				}
				continue
			}
			for leaf := range leaves(sub) {
				if !yield(leaf) {
					return
				}
			}
		}
	}
}

// CSV and records as stored are what they are in a file, and on a terminal nothing of them acts.
func TestExactBytesAndTheTerminal(t *testing.T) {
	s := serving(t, filepath.Join(t.TempDir(), "ledger"), "--name", "berlin: verified\u202E")
	c := begin(t, s)
	config := t.TempDir()
	t.Setenv("MUSTER_CONFIG", config)
	key, receipt := filepath.Join(config, "paris.key"), filepath.Join(config, "a.receipt")
	if err := os.WriteFile(key, []byte(c.secret), 0o600); err != nil {
		t.Fatal(err)
	}
	muster := func(stdout io.Writer, line ...string) {
		t.Helper()
		var errs bytes.Buffer
		if code := run(append(line, "--url", s.url), nil, stdout, &errs); code != 0 {
			t.Fatalf("muster %q: exit code %d: %s", line, code, &errs)
		}
	}
	muster(io.Discard, "pledge", "offer", "--key", key, "--operation", "mnf-u", "--nation", "FRA",
		"--role", "ground", "--quantity", "3", "--note", "to \u202Eeht", "--receipt", receipt)
	for _, c := range []struct{ line, exact, shown string }{
		{"log --raw", "to \u202Eeht", "to ⟨U+202E⟩eht"},
		{"log -o csv", "to \u202Eeht", "to ⟨U+202E⟩eht"},
		{"log -o json", `to \u202eeht`, `to \u202eeht`},
		{"log", "to ⟨U+202E⟩eht", "to ⟨U+202E⟩eht"},
		{"receipt " + receipt, "by the server \"berlin: verified\\u202e\"", "to ⟨U+202E⟩eht"},
	} {
		var out bytes.Buffer
		line := strings.Fields(c.line)
		muster(&out, line...)
		if !strings.Contains(out.String(), c.exact) {
			t.Errorf("muster %s does not print %q:\n%q", c.line, c.exact, &out)
		}
		said := onTerminal(t, func(tty *os.File) { muster(tty, line...) })
		if !strings.Contains(said, c.shown) || len(acts(said)) > 0 {
			t.Errorf("muster %s does not show %q on a terminal:\n%q", c.line, c.shown, said)
		}
	}
}

// onTerminal returns what is written on a terminal, without what this itself does for a new line
// and the program for a bold head.
func onTerminal(t *testing.T, write func(tty *os.File)) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip(err)
	}
	defer master.Close()
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(master) // which ends with an error when nobody has the terminal open
		said <- all
	}()
	write(tty)
	tty.Close()
	return strings.NewReplacer("\r\n", "\n", "\x1b[1m", "", "\x1b[0m", "").Replace(string(<-said))
}

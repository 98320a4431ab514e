package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"muster/events/problem"
	"muster/ledger/intake/plan/strictyaml"
)

func open(t *testing.T, text string) (*strictyaml.File, strictyaml.Value) {
	t.Helper()
	f, top, err := strictyaml.Open("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f, top
}

func TestTextIsNeverRounded(t *testing.T) {
	_, top := open(t, "\ufeffa: 2500000.10\r\nb: 2026-03-01\r\nc: 0x10\r\nd: ' yes '\r\ne: "+
		"~\r\nf: null\r\n")
	m := top.Members("a", "b", "c", "d", "e", "f")
	for key, want := range map[string]string{"a": "2500000.10", "b": "2026-03-01", "c": "0x10",
		"d": "yes", "e": "", "f": ""} {
		if got := m[key].Text(); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if m["e"].Given() || m["f"].Given() || !m["a"].Given() {
		t.Error("null is nothing, and only null")
	}
}

func TestWhatIsNotThereIsNoFault(t *testing.T) {
	f, top := open(t, "a: 1\n")
	missing := top.Members("a", "b")["b"]
	if missing.Text() != "" || missing.Items() != nil || missing.Entries() != nil ||
		len(missing.Members("x")) != 0 || missing.Given() {
		t.Error("something came of nothing")
	}
	missing.Fault("never told")
	if err := f.Err(); err != nil {
		t.Error(err)
	}
}

func TestFaultsAreToldByLine(t *testing.T) {
	f, top := open(t, "list:\n- a: x\n- a: y\n  b: z\ntext: t\n")
	items := top.Members("list", "text")["list"].Items()
	for _, v := range items {
		strictyaml.Parsed(v.Members("a", "b")["a"], func(string) (int, error) {
			return 0, errors.New("write a number")
		})
	}
	f.FaultAt("text", "t", "too short")
	f.FaultAt("text", "t", "the second fault of a place is not told")
	f.FaultAt("list[1].c.d", "", "missing")
	f.FaultAt("elsewhere", "", "missing")
	want := `test.yaml: 5 fields are wrong: elsewhere: missing (line 1); list[0].a "x": write a number (line 2); ` +
		`list[1].a "y": write a number (line 3); list[1].c.d: missing (line 3); text "t": too short (line 5)`
	if err := f.Err(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestSyntaxIsToldWithItsLine(t *testing.T) {
	_, _, err := strictyaml.Open("test.yaml", []byte("a: 1\nb: c: d\n"))
	if !problem.Is(err, problem.Syntax) ||
		!strings.Contains(err.Error(), "test.yaml is neither YAML nor JSON: line 2: ") {
		t.Errorf("%v", err)
	}
}

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"muster/projections/web"
)

// A pledge that few may see is amended by the form and stays as it is released; then its nation
// lets more see it: the form restates it as it stands, and asks for nothing but who may see it.
func TestPageDiscloses(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	key, u := filepath.Join(dir, "keys", "GBR-demo.key"), newUser(t)
	u.content(t, "pledge", "offer", "--operation", "mnf-u", "--role", "sea", "--quantity", "3",
		"--effective", "2026-01-15", "--release", "coordinators", "--releasable-to", "FRA,NOR",
		"--key", key, "--url", url)
	id := pledgeOf(t, url, "GBR", "sea")
	u.content(t, "condition", "add", id, "vote", "--kind", "parliament", "--key", key, "--url", url)

	b := newTab(t, url)
	b.open("/pledges/" + id + "?lang=fr")
	b.says("dl.facts", "les coordinateurs, France, Norvège")
	b.says("dl.facts", "quiconque atteint le serveur peut le lire")
	b.says("dl.facts", "vote (parlement)")
	b.open("/submit?lang=en&type=pledge.amended&pledge=" + id)
	b.wait("document.querySelector('form[data-kept]')")
	b.says("#f-release", "the coordinators")
	b.says("#f-releasable_to", "FRA, NOR")
	b.fill("#f-quantity", "4")
	b.click(".fields .primary")
	b.says("#statement", `"releasable_to":["FRA","NOR"]`)
	b.says("#will-read", "the coordinators and the readers cleared as they are, United Kingdom, "+
		"France, Norway. This server restricts nobody")
	signs(b, key)
	b.says("#sign-done", "Recorded as record 58")

	b.open("/submit?type=pledge.disclosed&pledge=" + id)
	b.wait("document.querySelector('form[data-kept]')")
	b.shot("disclose")
	b.fill("#f-release", "coordinators")
	b.fill("#f-releasable_to", "fra, nor, xyz")
	b.click(".fields .primary")
	b.says("#wrong", "Nations that may see it too")
	b.wait("document.getElementById('f-releasable_to').getAttribute('aria-invalid') === 'true'")
	b.fill("#f-release", "coalition")
	b.fill("#f-releasable_to", "")
	b.click(".fields .primary")
	b.says("#statement", `"conditions":[{"condition":"vote","kind":"parliament"}]`)
	b.says("#statement", `"quantity":4`)
	b.says("#will-read", "the coalition: the liaisons of all nations")
	b.says("#will-read", "It can never be narrowed")
	b.says("#terms", "Who may see it\tthe coordinators\tthe coalition")
	b.says("#terms", "Nations that may see it too\tFRA, NOR\t–")
	b.shot("disclose-review")
	b.axe()
	signs(b, key)
	b.says("#sign-done", "Recorded as record 59")

	var now web.PledgeLife
	getJSON(t, url+"/api/v1/pledges/"+id, &now)
	if p := now.Pledge; p.Release != "coalition" || len(p.ReleasableTo) > 0 ||
		p.Quantity.String() != "4" {
		t.Errorf("the pledge is %s, %v, %s", p.Release, p.ReleasableTo, p.Quantity)
	}
	b.open("/log?lang=fr&type=pledge.disclosed")
	b.says("#r59", "diffusion élargie")
	out, _ := u.content(t, "pledge", "show", id, "--url", url)
	for _, want := range []string{"released to the coalition\n",
		"The United Kingdom opens it to the coalition as it stands: 4 ships for sea"} {
		if !strings.Contains(out, want) {
			t.Errorf("the pledge is shown without %q:\n%s", want, out)
		}
	}
}

// A disclosure restates the pledge as it stands on the day from which it holds; what somebody else
// has said since the form was opened is shown, and then restated.
func TestPageDisclosesWhatStands(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	key, u := filepath.Join(dir, "keys", "GBR-demo.key"), newUser(t)
	u.content(t, "pledge", "offer", "--operation", "mnf-u", "--role", "sea", "--quantity", "3",
		"--release", "coordinators", "--key", key, "--url", url)
	id := pledgeOf(t, url, "GBR", "sea")
	b := newTab(t, url, noScript)
	b.open("/submit?type=pledge.disclosed&pledge=" + id)
	u.content(t, "pledge", "amend", id, "--quantity", "25", "--effective", "2190-01-01",
		"--key", key, "--url", url)
	choose := func(day string) {
		t.Helper()
		b.fill("#f-release", "coalition")
		b.fill("#f-effective", day)
		b.click(".fields button:not([type=button])")
	}
	choose("2190-02-01")
	b.says("#since", "United Kingdom changes it to 25 ships")
	choose("2190-02-01")
	b.says("#statement", `"quantity":25`)
}

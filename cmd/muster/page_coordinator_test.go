package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/mod/sumdb/note"

	"muster/projections"
	"muster/projections/web"
)

// A coordinator changes the plan, says who may sign, closes a meeting and reads what has happened
// since, and a liaison declares what its nation is ready for: each on its page, signed in the
// browser.
func TestPageCoordinator(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url)
	signs := func(key string) {
		t.Helper()
		b.click("form.fields > p:last-child > button")
		b.says("#review-title", "What will be signed")
		b.chooseFile("#key-file", filepath.Join(dir, key))
		b.wait("!document.getElementById('sign-send').disabled")
		b.click("#sign-send")
		b.says("#sign-done", "Recorded as record ")
	}
	said := func(kind string) {
		t.Helper()
		b.click(`.acts a[href*="type=` + kind + `"]`)
		b.wait("document.querySelector('#s-type').value === %q", kind)
	}
	ready := func() {
		t.Helper()
		b.wait("document.querySelector('form[data-kept]')")
	}

	b.open("/plan?operation=mnf-u")
	said("requirement.revised")
	b.says("#content", "Choose the requirement that it is about.")
	b.fill("#s-line", "air-west")
	ready()
	b.says("#f-role", "air")
	b.wait("document.querySelector('#f-quantity').value === '48'")
	b.axe()
	b.fill("#f-quantity", "60")
	b.fill("#f-effective", "2026-01-20")
	signs("founder.key")
	var plan web.Plan
	getJSON(t, url+"/api/v1/operations/mnf-u?on="+aDay, &plan)
	for _, r := range plan.Requirements {
		if n, _ := r.Required.Number(); r.Line == "air-west" && (n != 60 || r.Area == "") {
			t.Errorf("the plan asks for %+v", r)
		}
	}

	// On another day it is another requirement: that is told before anything is signed.
	b.open("/submit?type=requirement.revised&operation=mnf-u&line=air-west")
	ready()
	b.wait("document.querySelector('#f-quantity').value === '60'")
	b.fill("#f-effective", "2026-01-15")
	b.click("form.fields > p:last-child > button")
	b.says("#since", "air-west stands otherwise on 2026-01-15 than the form began with")
	b.says("#since tbody", "Quantity\t48\t60")
	b.wait("!document.getElementById('statement')")
	ready()
	b.click("form.fields > p:last-child > button")
	b.says("#statement", `"quantity":60`)

	_, oslo, err := note.GenerateKey(rand.Reader, "NOR/oslo")
	if err != nil {
		t.Fatal(err)
	}
	b.open("/members")
	said("member.admitted")
	ready()
	b.fill("#f-key", oslo)
	b.fill("#f-role", "reader")
	b.click("form.fields > p:last-child > button")
	b.says("#wrong", "What a reader may read")
	b.wait("document.querySelector('#f-clearance[aria-invalid]')")
	b.fill("#f-role", "liaison")
	signs("founder.key")
	b.open("/members")
	b.says("#content", "NOR/oslo")
	said("member.revoked")
	ready()
	b.fill("#f-key", oslo)
	b.fill("#f-reason", "lost")
	b.axeBy(otherRules)
	signs("founder.key")
	var members projections.Roster
	getJSON(t, url+"/api/v1/members", &members)
	for _, m := range members.Members {
		if strings.HasPrefix(string(m.Key), "NOR/oslo+") != (m.Reason == "lost") {
			t.Errorf("of the members, %+v", m)
		}
	}

	b.open("/digest?lang=fr")
	said("meeting.closed")
	b.says(".fields h2", "Clore une réunion")
	ready()
	b.fill("#f-name", "FGC 4")
	b.click("form.fields > p:last-child > button")
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "FRA-demo.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.wait("document.querySelector('#sign-problem.problem')")
	b.chooseFile("#key-file", filepath.Join(dir, "founder.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.wait("document.querySelector('#sign-done[data-sequence]')")
	b.open("/submit?type=scope.declared&operation=mnf-u&nation=FRA")
	ready()
	b.fill("#f-roles", "ground, sea")
	signs(filepath.Join("keys", "FRA-demo.key"))

	// A liaison corrects what it has written wrong, in its record's place, and strikes a condition.
	var all projections.PledgeList
	getJSON(t, url+"/api/v1/pledges?operation=mnf-u&nation=FRA&on="+aDay, &all)
	id := all.Pledges[0].ID.String()
	var life web.PledgeLife
	getJSON(t, url+"/api/v1/pledges/"+id, &life)
	mend := func(typ string) {
		t.Helper()
		at := slices.IndexFunc(life.Life, func(e projections.LifeEvent) bool {
			return string(e.Type) == typ
		})
		b.open("/pledges/" + id + "?on=" + aDay)
		b.click(fmt.Sprintf("#r%d a[href*='type=record.corrected']", life.Life[at].Sequence))
		ready()
	}
	mend("pledge.offered")
	b.click("[data-calendar=f-until]") // the browser's own calendar opens
	b.wait("document.querySelector('#f-until ~ [type=date]')")
	eval[bool](b, `(d => { d.value = "2027-01-31"; return d.dispatchEvent(new Event("change")); })(document.querySelector("#f-until ~ [type=date]"))`)
	b.wait("document.querySelector('#f-until').value === '2027-01-31'")
	b.fill("#f-until", "")
	b.wait("[...document.querySelectorAll('#l-predecessor option')].some(o => " +
		"o.text.startsWith('Canada · intelligence · 2 cells'))")
	b.wait("document.querySelector('#f-quantity').value === '6000'")
	b.fill("#f-quantity", "5900")
	b.click("form.fields > p:last-child > button")
	b.says("#wrong", "Reason")
	b.fill("#f-reason", "a digit")
	b.axe()
	signs(filepath.Join("keys", "FRA-demo.key"))
	mend("condition.added")
	b.wait("!document.querySelector('#f-quantity')")
	b.fill("#f-struck", "true")
	b.fill("#f-reason", "there is no such condition")
	signs(filepath.Join("keys", "FRA-demo.key"))
	var then web.PledgeLife
	getJSON(t, url+"/api/v1/pledges/"+id+"?on="+aDay, &then)
	if n, _ := then.Pledge.Quantity.Number(); n != 5900 || len(then.Pledge.Conditions) != 0 ||
		then.Life[0].CorrectedBy == 0 || then.Pledge.From != all.Pledges[0].From {
		t.Errorf("corrected, it is %+v", then.Pledge)
	}
	b.open("/digest?on=" + aDay)
	b.says("h1", "Since “FGC 4”")
	planByFile(t, b, url, dir)
	newUser(t).content(t, "verify", url)
}

// planByFile has a coordinator save the plan, change it and give it back: it is shown line by line,
// signed with one key, and not once somebody else has changed the plan since it was shown. What
// that one has said stays.
func planByFile(t *testing.T, b *tab, url, dir string) {
	t.Helper()
	const check = "#desk-form button"
	u, founder := newUser(t), filepath.Join(dir, "founder.key")
	file, theirs := filepath.Join(u.dir, "mnf-u.yaml"), filepath.Join(u.dir, "theirs.yaml")
	change := func(from, to string, pairs ...string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			changed := strings.NewReplacer(pairs...).Replace(string(text))
			if changed == string(text) {
				t.Fatalf("%q changes nothing of\n%s", pairs, text)
			}
			err = os.WriteFile(to, []byte(changed), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	bring := func(path string) {
		t.Helper()
		b.chooseFile("#i-file", path)
		b.click(check)
	}
	b.open("/plan?operation=mnf-u")
	b.download("#plan-file", file)
	b.click(`.acts a[href*="/plan/file"]`)
	b.says("h1", "A plan from a file")
	b.axe()
	bring(file)
	b.says(".empty", "The ledger says what this file says: nothing is to be signed.")

	change(file, theirs, "quantity: 15000", "quantity: 15500")
	change(file, file, "quantity: 60\n", "quantity: 64\n", "requirements:\n", "requirements:\n"+
		"  - {line: sea-north, role: sea, quantity: 2, from: 2026-06-01}\n")
	bring(file)
	b.says(".sum", "mnf-u.yaml: 2 statements are to be signed. The changes hold from ")
	b.says("#desk-rows", "Quantity: 60 → 64")
	b.says("#desk-rows", "sea-north")
	b.says("#effect", "sea-north")
	b.axe()
	b.shot("plan-review")
	b.do(chromedp.EmulateViewport(390, 844))
	b.axeBy(otherRules)
	b.shot("plan-review-small")
	b.do(chromedp.EmulateViewport(1280, 900))
	b.chooseFile("#desk-key", filepath.Join(dir, "keys", "FRA-demo.key"))
	b.says("#desk-problem", "Only coordinators change the plan")
	u.content(t, "plan", "apply", theirs, "--url", url, "--key", founder)
	b.chooseFile("#desk-key", founder)
	b.wait("!document.getElementById('desk-send').disabled")
	b.click("#desk-send")
	b.says("#desk-problem", "Others have changed the plan since this was shown, and nothing was "+
		"signed.")
	b.click(check)
	b.says("#left [data-kind=kept]", "Quantity: 15000 → 15500")
	b.chooseFile("#desk-key", founder)
	b.wait("!document.getElementById('desk-send').disabled")
	b.click("#desk-send")
	b.says("#desk-done", "Recorded: 2. Refused: 0.")
	b.download("#desk-done a[download]", filepath.Join(u.dir, "receipts.zip"))
	receiptsHold(t, u, filepath.Join(u.dir, "receipts.zip"))
	b.open("/plan/file?lang=fr")
	bring(file)
	b.says(".empty", "Le registre dit ce que dit ce fichier")
	change(file, file, "quantity: 15000", "quantity: 14000")
	bring(file)
	b.says("#wrong", "était 15000 quand le fichier a été écrit, et d’autres en ont fait "+
		"15500 depuis (ligne ")
	b.wait("document.activeElement.id === 'wrong'")
	b.axeBy(otherRules)
	b.shot("plan-wrong-fr")
}

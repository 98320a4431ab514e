package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"muster/events"
	"muster/projections"
	"muster/projections/web"
)

// download clicks on what is to be saved, and moves what the browser has saved to a file.
func (b *tab) download(selector, to string) {
	b.t.Helper()
	dir := b.t.TempDir()
	_, err := chromedp.CallBrowser(b.ctx, protocol.SetDownloadBehavior,
		protocol.SetDownloadBehaviorParams{Behavior: protocol.SetDownloadBehaviorBehaviorAllow,
			BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID, DownloadPath: dir})
	if err != nil {
		b.t.Fatal(err)
	}
	b.click(selector)
	var saved []string
	b.until("a file that is saved", func() (bool, error) {
		saved, err = filepath.Glob(filepath.Join(dir, "*"))
		return len(saved) == 1 && !strings.HasSuffix(saved[0], ".crdownload"), err
	})
	if err := os.Rename(saved[0], to); err != nil {
		b.t.Fatal(err)
	}
}

// chooseFile opens a file as a person does, across what the page does meanwhile.
func (b *tab) chooseFile(selector, file string) {
	b.t.Helper()
	b.until("a place for a file at "+selector, func() (bool, error) {
		ctx, cancel := context.WithTimeout(b.ctx, pagePatience)
		defer cancel()
		err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS(selector), []string{file}))
		return err == nil, err
	})
}

// offerByForm fills in an offer of aircraft by France, and has it checked.
func offerByForm(b *tab, quantity string) {
	b.t.Helper()
	b.open("/submit")
	b.wait("document.querySelector('form[data-kept]')")
	for name, value := range map[string]string{"operation": "mnf-u", "nation": "FRA", "role": "air",
		"quantity": quantity, "unit": "aircraft", "area": "west",
		"from": "2026-03-01", "effective": "2026-01-15", "note": "by form"} {
		b.fill("#f-"+name, value)
	}
	b.click(".fields .primary")
}

// An area or a line that no requirement has is told before anybody signs, in both languages; and
// the form offers those that there are.
func TestPageWarns(t *testing.T) {
	t.Parallel()
	b := newTab(t, demoServer(t))
	for lang, odd := range map[string][]string{
		"en": {"this is odd about it", "no requirement of mnf-u is in this area",
			"the requirement asks for ground in personnel, and this is for air in aircraft"},
		"fr": {"ceci est inhabituel\u00a0:", "aucun besoin de mnf-u n’est dans cette zone",
			"le besoin demande le rôle ground en personnel, et ceci est du rôle air " +
				"en aéronefs"},
	} {
		b.open("/submit?operation=mnf-u&lang=" + lang)
		b.wait("document.querySelector('form[data-kept]')")
		b.wait("document.querySelector('#l-area option[value=west]') && " +
			"document.querySelector('#l-line option[value=ground-west]')")
		for name, value := range map[string]string{"nation": "FRA", "role": "air", "quantity": "9",
			"unit": "aircraft", "area": "wset", "line": "ground-west",
			"from": "2026-03-01", "effective": "2026-01-15"} {
			b.fill("#f-"+name, value)
		}
		b.click(".fields .primary")
		for _, says := range odd {
			b.says("#warnings", says)
		}
		b.says("#statement", `"area":"wset","from":"2026-03-01","line":"ground-west"`)
		b.axe()
	}
}

// A liaison offers: what it would change is shown, the browser signs, another's page shows it, and
// the record verifies.
func TestPageSubmit(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	other := newTab(t, url)
	other.open("/?operation=mnf-u&on=" + aDay)
	other.says(cell("mnf-u/air-west", 0), "12 of 48")

	b := newTab(t, url)
	offerByForm(b, "9")
	b.says("#effect", "12 of 48, short 36")
	b.says("#effect", "21 of 48, short 27")
	b.fill("#f-not_after", "2100-01-01T00:00:00Z")
	b.click(".fields button:not([type])")
	b.says("#statement", `"not_after":"2100-01-01T00:00:00Z"`)
	prepared := eval[string](b, "document.getElementById('statement').textContent")
	b.shot("submit-review")
	b.axe()

	b.chooseFile("#key-file", filepath.Join(dir, "keys", "GBR-demo.key"))
	b.says("#sign-problem", "This key speaks for GBR, and the statement is of FRA")
	b.chooseFile("#key-file", filepath.Join(dir, "address"))
	b.says("#sign-problem", "This is no key file")
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "FRA-demo.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record 56")
	other.says(cell("mnf-u/air-west", 0), "21 of 48")
	other.wait("document.querySelector('tr.changed')?.dataset.line === 'mnf-u/air-west'")
	b.shot("submit-done")
	b.axe()

	var page web.Records
	getJSON(t, url+"/api/v1/records?from=56", &page)
	if len(page.Records) != 1 || !strings.Contains(page.Records[0].Stored,
		prepared+"\n\n— FRA/demo ") {
		t.Fatalf("record 56 is %+v, and what was shown is %s", page.Records, prepared)
	}
	_, note, _ := strings.Cut(page.Records[0].Stored, "\n")
	signed, err := events.ParseSigned([]byte(note))
	if err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "keys", "FRA-demo.key"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := events.NewSigner(string(secret))
	if err == nil {
		err = signed.VerifiedBy(signer.Key())
	}
	if err != nil {
		t.Errorf("what the browser has signed does not verify: %v", err)
	}
	newUser(t).content(t, "verify", url)

	// The receipt, as it is saved, holds for itself.
	receipt := filepath.Join(t.TempDir(), "saved.receipt")
	b.download("#receipt", receipt)
	if out, _ := newUser(t).content(t, "receipt", receipt); !strings.Contains(out,
		"as record 56 of the ledger") {
		t.Errorf("the receipt says %s", out)
	}

	b.open("/submit")
	b.wait("document.getElementById('f-note')")
	if said := eval[string](b, "document.getElementById('f-note').value"); said != "" {
		t.Errorf("the draft of what was recorded is still there: %q", said)
	}
}

// All that is wrong is told at once, beside the fields; what the ledger refuses, too.
func TestPageSubmitWrong(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url)
	b.open("/submit")
	for name, value := range map[string]string{"operation": "mnf-u", "nation": "France",
		"role": "Ground", "quantity": "-3", "from": "tomorrow", "not_after": "tonight"} {
		b.fill("#f-"+name, value)
	}
	b.click(".fields .primary")
	b.wait("document.activeElement.id === 'wrong'")
	for _, name := range []string{"nation", "role", "quantity", "unit", "from", "not_after"} {
		if said := b.text("#w-" + name); said == "(there is none)" || said == "" {
			t.Errorf("nothing is told beside the field %s", name)
		}
		if eval[string](b, "document.getElementById('f-%s').getAttribute('aria-invalid')",
			name) != "true" {
			t.Errorf("the field %s is not marked as wrong", name)
		}
	}
	if kept := eval[string](b, "document.getElementById('f-quantity').value"); kept != "-3" {
		t.Errorf("what was typed is gone: %q", kept)
	}
	b.shot("submit-wrong")
	b.axe()

	// Canada gives intelligence only: the ledger would refuse, and the page says why, before
	// anything is signed.
	offer := func(nation string) {
		b.open("/submit")
		for name, value := range map[string]string{"operation": "mnf-u", "nation": nation,
			"role": "ground", "quantity": "500", "unit": "personnel", "from": "2026-03-01",
			"not_after": ""} { // what was wrong is in the draft
			b.fill("#f-"+name, value)
		}
		b.click(".fields .primary")
	}
	offer("CAN")
	b.says("#wrong", "Canada has declared")
	b.says("#wrong", "declare another scope first")
	if eval[bool](b, "Boolean(document.getElementById('sign-send'))") {
		t.Error("what would be refused can be signed")
	}

	// What comes to be refused between the check and the signature is told then.
	offer("GBR")
	b.wait("document.getElementById('key-file')")
	key := filepath.Join(dir, "keys", "GBR-demo.key")
	newUser(t).content(t, "scope", "declare", "air", "--operation", "mnf-u", "--effective",
		"2026-01-01", "--key", key, "--url", url)
	b.chooseFile("#key-file", key)
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-problem", "The ledger has refused it")
	b.says("#sign-problem", "The United Kingdom has declared")
	b.wait("document.getElementById('f-role').getAttribute('aria-invalid') === 'true' || " +
		"document.getElementById('sign-problem').innerText.includes('scope')")
	b.shot("submit-refused")
}

// Check asks the ledger's rules, as --dry-run does: a pledge that hangs on its parliament is not
// confirmed, with and without JavaScript.
func TestPageSubmitAsksTheRules(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	key := filepath.Join(dir, "keys", "GBR-demo.key")
	id := pledgeOf(t, url, "GBR", "air")
	u := newUser(t)
	u.content(t, "condition", "add", id, "parliament", "--kind", "parliament", "--key",
		key, "--url", url)
	u.content(t, "pledge", "accept", id, "--url", url, "--data", dir)
	code, _, dry := u.types(t, "pledge", "confirm", id, "--key", key, "--url", url, "--dry-run")
	refusal, _, _ := strings.Cut(strings.TrimPrefix(dry, "muster: error: "), "\n")
	if code != 5 || !strings.Contains(refusal, "hangs on parliament") {
		t.Fatalf("the dry run ends with %d: %s", code, dry)
	}
	for _, options := range [][]tabOption{{noScript}, nil} {
		b := newTab(t, url, options...)
		b.open("/submit?type=pledge.confirmed&pledge=" + id)
		b.click(".fields .primary")
		b.says("#wrong", refusal)
		if eval[bool](b, "Boolean(document.getElementById('statement'))") {
			t.Error("a statement that would be refused is there to sign")
		}
	}
}

// pledgeOf returns the id of the only pledge of a nation for a role in mnf-u.
func pledgeOf(t *testing.T, url, nation, role string) string {
	t.Helper()
	var all projections.PledgeList
	getJSON(t, url+"/api/v1/pledges?operation=mnf-u&nation="+nation+"&role="+role, &all)
	if len(all.Pledges) != 1 {
		t.Fatalf("%s has %d pledges for %s", nation, len(all.Pledges), role)
	}
	return all.Pledges[0].ID.String()
}

// A draft survives a reload, and goes when it is discarded.
func TestPageSubmitDraft(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	b := newTab(t, url)
	b.open("/submit")
	b.wait("document.querySelector('form[data-kept]')")
	b.fill("#f-note", "half a thought")
	b.do(chromedp.Reload())
	b.wait("document.getElementById('f-note')?.value === 'half a thought'")
	b.wait("!document.getElementById('draft-note').hidden")
	b.click("#draft-discard")
	b.wait("document.getElementById('f-note')?.value === ''")
	if n := eval[int](b, "localStorage.length"); n != 0 {
		t.Errorf("%d things are left in the browser", n)
	}
}

// Amending, confirming and withdrawing begin at the pledge, and say the rest as it is.
func TestPageSubmitAmend(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url)
	b.open("/pledges?operation=mnf-u&nation=GBR&on=" + aDay)
	b.click("tbody tr td:last-of-type a")
	b.click(`a[href*="type=pledge.amended"]`)
	b.wait("document.getElementById('f-quantity')?.value === '12'")
	b.fill("#f-effective", "2026-02-01")
	b.fill("#f-quantity", "15")
	b.click(".fields .primary")
	b.says("#effect", "15 of 48")
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "GBR-demo.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record 56")
	// whoever sends it twice has said it once
	eval[bool](b, "(document.getElementById('sign-send').disabled = false, true)")
	b.click("#sign-send")
	b.says("#sign-done", "first receipt")
	b.says("#sign-done", "Recorded as record 56")

	b.click(".sum a")
	b.says("h1", "United Kingdom")
	b.says(".facts", "15 aircraft")
	pledge := b.address()
	// Another amendment begins with what holds today, whatever day is looked at.
	b.open("/submit?type=pledge.amended&on=2026-01-20&pledge=" + pledgeOf(t, url, "GBR", "air"))
	b.wait("document.getElementById('f-quantity')?.value === '15'")
	b.open(pledge)
	b.click(".acts summary") // what ends a pledge stands apart
	// and stays open while the page shows itself anew
	newUser(t).content(t, "pledge", "amend", pledgeOf(t, url, "GBR", "air"), "--quantity", "14",
		"--effective", "2026-02-01", "--url", url,
		"--key", filepath.Join(dir, "keys", "GBR-demo.key"))
	b.says(".facts", "14 aircraft")
	b.click(`a[href*="type=pledge.withdrawn"]`)
	b.fill("#f-reason", "needed elsewhere")
	b.click(".fields .primary")
	b.chooseFile("#key-file", filepath.Join(dir, "keys", "GBR-demo.key"))
	b.wait("!document.getElementById('sign-send').disabled")
	b.click("#sign-send")
	b.says("#sign-done", "Recorded as record 58")
	b.open("/pledges?operation=mnf-u&nation=GBR")
	b.says("tbody", "withdrawn")
}

// Without JavaScript the statement is made and checked by the form, and signed by the program.
func TestPageSubmitWithoutScript(t *testing.T) {
	t.Parallel()
	url, dir := ownDemo(t)
	b := newTab(t, url, noScript)
	b.open("/submit?type=pledge.offered&operation=mnf-u&nation=FRA&role=air")
	for name, value := range map[string]string{"quantity": "3", "unit": "aircraft", "area": "west",
		"from": "2026-03-01", "effective": "2026-01-15"} {
		b.fill("#f-"+name, value)
	}
	b.click(".fields .primary")
	b.says("#effect", "15 of 48")
	file := filepath.Join(t.TempDir(), "statement.json")
	if err := os.WriteFile(file, []byte(b.text("#statement")), 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUser(t)
	note, _ := u.content(t, "sign", file, "--key", filepath.Join(dir, "keys", "FRA-demo.key"))
	if err := os.WriteFile(file, []byte(note), 0o600); err != nil {
		t.Fatal(err)
	}
	_, submit, _ := strings.Cut(b.text("pre.command"), "\nmuster ")
	u.content(t, strings.Fields(strings.Replace(submit, "statement.note", file, 1))...)
	b.open("/?operation=mnf-u&on=" + aDay)
	b.says(cell("mnf-u/air-west", 0), "15 of 48")
}

// What another site's page sends in a reader's name is refused.
func TestPageCrossSite(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	for _, path := range []string{"/submit", "/api/v1/statements"} {
		for _, head := range []map[string]string{{"Sec-Fetch-Site": "cross-site"},
			{"Origin": "https://elsewhere.example"}} {
			req, err := http.NewRequest(http.MethodPost, url+path,
				strings.NewReader("type=pledge.offered"))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range head {
				req.Header.Set(name, value)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with %v: %s", path, head, resp.Status)
			}
		}
	}
}

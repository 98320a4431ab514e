package events

import (
	"strings"
	"testing"

	"muster/events/problem"
)

func TestKeysOfTheirOwn(t *testing.T) {
	secret, public, err := NewKey("FRA/paris")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner("\n " + secret + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if signer.Key() != public || signer.Name() != "FRA/paris" {
		t.Errorf("the signer is %s, want %s", signer.Key(), public)
	}
	if public.Name() != "FRA/paris" || public.Party() != "FRA" {
		t.Errorf("%s is %q of %q", public, public.Name(), public.Party())
	}
	id, ok := public.ID()
	if !ok || !strings.HasPrefix(string(public), id.String()+"+") {
		t.Errorf("%s has the id %s", public, id)
	}
	if _, again, _ := NewKey("FRA/paris"); again == public {
		t.Error("two keys are one")
	}
	for _, bad := range []string{"", string(public), "PRIVATE+KEY+", secret[:len(secret)-4],
		strings.Replace(secret, "paris", "lyon", 1), "\n"} {
		if _, err := NewSigner(bad); err == nil {
			t.Errorf("%q was taken for a secret key", bad)
		}
	}
}

func TestKeyNames(t *testing.T) {
	for _, name := range []string{"FRA/paris", "HQ/staff", "EUE/eeas.1", "GBR/a", "GBR/a_b-c"} {
		if !ValidKeyName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", "FRA", "FRA/", "/paris", "fra/paris", "ZZZ/paris", "HQ",
		"HQ/Staff", "FRA/paris/2", "FRA/a b", "FRA/a+b", "FRA/-a", "FRA/a-", "FRА/paris",
		"FRA/" + strings.Repeat("a", 33)} {
		if ValidKeyName(name) {
			t.Errorf("%q is taken", name)
		}
		if _, _, err := NewKey(name); err == nil {
			t.Errorf("a key was made for %q", name)
		}
	}
	all := Organisations{{Code: "x-nato", Name: "NATO", Also: []string{"OTAN"}}}
	for name, want := range map[string]string{"fra/Paris": "write FRA/paris",
		"France/paris": "write FRA/paris", "hq/staff": "write HQ/staff", "FRA/a b": "a slash",
		"otan/shape": "write x-nato/shape", "Frence/paris": "France (FRA)",
		"OTAM/shape": "declared: NATO (x-nato)"} {
		if err := all.CheckKeyName(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
	for name, party := range map[Key]Nation{"FRA/paris+1+x": "FRA", "FRA": "", "": "", "+": ""} {
		if name.Party() != party {
			t.Errorf("%q speaks for %q, want %q", name, name.Party(), party)
		}
	}
}

// A key has one text, since it is by its text that a member is admitted and revoked.
func TestKeysInStatements(t *testing.T) {
	france, hq := franceSigner(t).Key(), hqSigner(t).Key()
	hash := strings.Split(string(france), "+")[1]
	_, xyz, err := NewKey("FRA/xyz")
	if err != nil {
		t.Fatal(err)
	}
	const notKey = `not a public key: write the public key as ` + "`muster key show` prints it"
	for _, test := range []struct {
		key     Key
		role    MemberRole
		message string
	}{
		{france, Liaison, ""},
		{hq, Coordinator, ""},
		{hq, Importer, ""},
		{"", Liaison, "key: missing: write the public key as `muster key show` prints it"},
		{"FRA/paris", Liaison, `key "FRA/paris": ` + notKey},
		{Key(strings.Replace(string(france), hash, strings.ToUpper(hash), 1)), Liaison,
			`key "` + strings.Replace(string(france), hash, strings.ToUpper(hash), 1) +
				`": ` + notKey},
		{Key(strings.Replace(string(xyz), "xyz", "zyx", 1)), Liaison,
			`key "` + strings.Replace(string(xyz), "xyz", "zyx", 1) + `": ` + notKey},
		{hq, Liaison, `role "liaison": does not fit the key's name "HQ/test": a liaison's key is named after its nation (FRA/paris), a coordinator's or importer's begins with HQ/`},
		{france, Coordinator,
			`role "coordinator": does not fit the key's name "FRA/test": a liaison's key is named after its nation (FRA/paris), a coordinator's or importer's begins with HQ/`},
		{france, "", "role: missing: write one of: coordinator, liaison, importer, reader"},
		{france, "king", `role "king": write one of: coordinator, liaison, importer, reader`},
	} {
		_, err := Marshal(&MemberAdmitted{goldenHead(1, "member.admitted"), test.key,
			test.role, "", ""})
		if test.message != "" {
			refused(t, err, problem.Invalid, test.message)
		} else if err != nil {
			t.Error(err)
		}
	}
	_, err = Marshal(&LedgerFounded{goldenHead(1, "ledger.founded"), " ", france, 0})
	refused(t, err, problem.Invalid,
		`2 fields are wrong: title: missing: write a few words; founder "`+string(france)+
			`": the founder is a coordinator: its key's name begins with HQ/`)
}

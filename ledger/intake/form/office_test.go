package form_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// A form that LibreOffice has saved, as a workbook or in its own form between, is merged as the one
// that was written, and still checks what is filled in. `make outside` runs it.
func TestLibreOfficeSavesForm(t *testing.T) {
	if os.Getenv("MUSTER_OUTSIDE") == "" {
		t.Skip("make outside looks at forms with other software")
	}
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Skip("there is no LibreOffice on this machine")
	}
	dir := t.TempDir()
	convert := func(form, from string) string {
		t.Helper()
		to := filepath.Join(dir, "of-"+strings.TrimPrefix(filepath.Ext(from), "."))
		c := exec.Command(office, "--headless", "-env:UserInstallation=file://"+dir+"/profile",
			"--convert-to", form, "--outdir", to, from)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		name := strings.TrimSuffix(filepath.Base(from), filepath.Ext(from))
		return filepath.Join(to, name+"."+form)
	}
	path := filepath.Join(dir, "form.xlsx")
	filled := edited(t, write(t, content()), fillIn(t))
	if err := os.WriteFile(path, filled, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{"as a workbook": convert("xlsx", path),
		"in its own form": convert("xlsx", convert("ods", path))} {
		data := must[[]byte](t)(os.ReadFile(file))
		k := known(t, content())
		equal(t, name, strings.Join(merge(t, k, data), "\n"), whatIsFilledIn)
		equal(t, name+", and again", merge(t, k, filled),
			"[unchanged unchanged unchanged unchanged unchanged]")
		f := must[*excelize.File](t)(excelize.OpenReader(bytes.NewReader(data)))
		lists, hidden := 0, 0
		for _, v := range must[[]*excelize.DataValidation](t)(f.GetDataValidations("Pledges")) {
			if v.Type == "list" {
				lists++
			}
		}
		for _, sheet := range f.GetSheetList() {
			if !must[bool](t)(f.GetSheetVisible(sheet)) {
				hidden++
			}
		}
		_ = f.Close()
		equal(t, name+": drop-downs and hidden sheets", []int{lists, hidden}, []int{6, 2})
	}
}

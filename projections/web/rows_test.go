package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/xuri/excelize/v2"
)

// isNumber are cells that a column of text should not have alone.
var isNumber = regexp.MustCompile(`^(\d+%?|\d{4}-\d\d-\d\d)$`)

// Every list is had as a workbook and as Parquet too: the same rows as in CSV, each cell with its
// type, and once, beside them, what they rest on.
func TestRowsInEveryForm(t *testing.T) {
	if testing.Short() {
		t.Skip("one question after the other")
	}
	everyList(t, func(s *testServer, question, path, query string) {
		where := question + "?" + query
		_, _, body := s.getCSV(path + csvSuffix + "?" + query)
		want, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil {
			t.Fatal(where, err)
		}
		status, header, body := s.send(http.MethodGet, s.url+Root+path+".xlsx?"+query, nil, nil)
		equal(t, where+".xlsx", status, http.StatusOK)
		equal(t, where+" is saved", header.Get("Content-Disposition"),
			`attachment; filename="`+question+`.xlsx"`)
		facts := sameWorkbook(t, where, body, want)
		status, _, body = s.send(http.MethodGet, s.url+Root+path+".parquet?"+query, nil, nil)
		equal(t, where+".parquet", status, http.StatusOK)
		sameParquet(t, where, body, want, facts)
	})
}

// sameWorkbook compares the rows of a workbook with those of CSV, and returns what they rest on.
func sameWorkbook(t *testing.T, where, body string, want [][]string) map[string]string {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(where, err)
	}
	defer f.Close()
	rows, err := f.GetRows(rowsSheet)
	if err != nil || len(rows) != len(want) {
		t.Fatalf("%s: %d rows, and %d as CSV: %v", where, len(rows), len(want), err)
	}
	head := rows[0]
	for i, row := range rows {
		for at, cell := range row {
			told := strings.TrimPrefix(want[i][at], "'")
			if head[at] == "recorded" && i > 0 { // to the second
				told = strings.Replace(told[:len(time.DateTime)], "T", " ", 1)
			}
			plain := strings.NewReplacer(",", "", "%", "").Replace(cell)
			if cell != told && plain != told {
				t.Errorf("%s: row %d, %s is %q, and %q as CSV", where, i, head[at], cell, told)
			}
		}
	}
	facts := map[string]string{}
	about, err := f.GetRows("about")
	if err != nil {
		t.Fatal(where, err)
	}
	for _, row := range about {
		facts[row[0]] = row[1]
	}
	for at, name := range want[0][len(head):] { // what each row of CSV tells
		if len(want) > 1 && facts[name] != want[1][len(head)+at] {
			t.Errorf("%s rests on %s %q, and on %q as CSV", where, name, facts[name],
				want[1][len(head)+at])
		}
	}
	return facts
}

// sameParquet does the same for Parquet, and finds columns whose type is not said.
func sameParquet(t *testing.T, where, body string, want [][]string, facts map[string]string) {
	t.Helper()
	f, err := parquet.OpenFile(strings.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(where, err)
	}
	equal(t, where+": rows of Parquet", int(f.NumRows()), len(want)-1)
	for name, value := range facts {
		if told, ok := f.Lookup(name); !ok || told != value {
			t.Errorf("%s rests on %s %q, and on %q as a workbook", where, name, told, value)
		}
	}
	got := make([]parquet.Row, f.NumRows()+1)
	n, err := parquet.NewReader(bytes.NewReader([]byte(body))).ReadRows(got)
	if n != len(want)-1 || err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(where, n, err)
	}
	for at, column := range f.Schema().Fields() {
		in := slices.Index(want[0], column.Name())
		if in < 0 || fmt.Sprint(column.Type()) != "STRING" {
			continue
		}
		numbers, others := 0, 0
		for i, row := range got[:n] {
			if told := strings.TrimPrefix(want[i+1][in], "'"); row[at].String() != told &&
				(told != "" || !row[at].IsNull()) {
				t.Errorf("%s: row %d, %s is %q, and %q as CSV", where, i+1, column.Name(), row[at],
					told)
			}
			switch {
			case isNumber.MatchString(want[i+1][in]):
				numbers++
			case want[i+1][in] != "":
				others++
			}
		}
		// Lists of records in one cell may be of one record.
		mixed := strings.HasPrefix(where, "timeline") && column.Name() == "required"
		if numbers > 0 && others == 0 && column.Name() != "records" && !mixed {
			t.Errorf("%s: the column %s has numbers or days, and is text", where, column.Name())
		}
	}
}

// A list that breaks off while a file is made of it is a problem, and leaves nothing on the disk.
func TestFilesOfRowsBreakOff(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	l := newRound(t)
	s := newServer(t, l.testLog)
	waited := 0
	records := find(s.service.questions, "records")
	records.list = func(_ context.Context, _ *Service, _ any, write writePage) error {
		long := strings.Repeat("a long text ", 2000)
		page := RecordsTable(Records{})
		for range 1000 {
			page.Add(nil, "1", "", "", "", "", "", long)
		}
		err := write(page, nil)
		left, _ := os.ReadDir(dir)
		waited += len(left)
		return errors.Join(err, errors.New("the disk is gone"))
	}
	for _, suffix := range []string{".xlsx", ".parquet"} {
		w := httptest.NewRecorder()
		s.service.Handler(http.NewServeMux()).ServeHTTP(w, httptest.NewRequest(http.MethodGet,
			Root+"/records"+suffix, nil))
		if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Disposition") != "" {
			t.Errorf("%s: %d, %v", suffix, w.Code, w.Header())
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 || waited == 0 {
		t.Errorf("%d files waited, and %d are left, %v", waited, len(left), err)
	}
}

// Long lists as files have few slots of their own: each is kept until it is made.
func TestFilesOfRowsHaveSlots(t *testing.T) {
	s := newServer(t, newTestLog(t))
	for path, want := range map[string]*Slots{"/records.csv": s.service.slots.waits,
		"/records.xlsx": s.service.slots.files, "/pledges.parquet": s.service.slots.files,
		"/coverage.xlsx": s.service.slots.short, "/diff.xlsx": s.service.slots.long} {
		r := httptest.NewRequest(http.MethodGet, Root+path, nil)
		if s.service.workOf(r).slots != want {
			t.Errorf("%s has other slots", path)
		}
	}
}

package form

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"muster/events"
	"muster/events/problem"
)

// A Pledge is one that a form is filled in with.
type Pledge struct {
	ID events.ID
	events.Place
	Terms events.PledgeTerms
	// Revision is the last record about it.
	Revision uint64
	// Ends is the day from which it has ended, as is recorded; 0 where that is not.
	Ends events.Date
}

// A Line is a requirement, and what is missing.
type Line struct {
	Line      events.Line
	Role      events.Role
	Area      events.Area
	Unit      events.Unit
	Priority  int
	Essential bool
	events.Window
	Required events.Quantity
	// Supply and Gap are absent where the requirement is not in force on the day.
	Supply, Gap events.Quantity
	Note        string
}

// A Content is what a form is filled in with.
type Content struct {
	Form
	// Title is the operation's.
	Title string
	Roles []events.RoleDefinition
	// Organisations are those of the operation, by whose names it is said whose pledges they are.
	Organisations events.Organisations
	Pledges       []Pledge
	Lines         []Line
}

// The sheets, and where the sheet of pledges has its parts.
const (
	pledgesSheet      = "Pledges"
	requirementsSheet = "Requirements"
	examplesSheet     = "Examples"

	headRow = 5
	tagsRow = 6
	// Room is how many rows there are for new pledges, with drop-downs.
	room = 500
)

// MaxPledges is how many pledges a form is filled in with at most: it could not be read again with
// many more.
const MaxPledges = 40_000

// Write writes a form. The pledges that it is filled in with become those of [Form.Filled]. Where
// there are too many, the error is a [problem.Problem].
func Write(w io.Writer, c Content) error {
	if len(c.Pledges) > MaxPledges {
		return problem.New(problem.TooLarge, "a form has %d pledges at most, and there are %d",
			MaxPledges, len(c.Pledges)).WithHint("write one for each nation, with --nation")
	}
	f := excelize.NewFile()
	b := &writer{f: f, c: &c}
	c.Filled = nil
	for _, p := range c.Pledges {
		c.Filled = append(c.Filled, p.ID)
	}
	for _, part := range []func(){b.styles, b.sheets, b.lists, b.pledges, b.requirements,
		b.examples, b.facts} {
		part()
		if b.err != nil {
			return errors.Join(b.err, f.Close())
		}
	}
	_, err := f.WriteTo(w)
	return errors.Join(err, f.Close())
}

// A writer writes a form. The first error of the library ends all.
type writer struct {
	f   *excelize.File
	c   *Content
	err error

	// Styles, by what they are for.
	title, guide, head, must, tag, body int
	forms                               map[kind]int
	gap                                 int
	ranges                              map[string]string // of the lists, by field
}

func (b *writer) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *writer) style(s excelize.Style) int {
	id, err := b.f.NewStyle(&s)
	b.do(err)
	return id
}

func fill(color string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{color}}
}

func (b *writer) styles() {
	wrapped := &excelize.Alignment{WrapText: true, Vertical: "top"}
	font := func(size float64, bold bool, color string) *excelize.Font {
		return &excelize.Font{Family: "Calibri", Size: size, Bold: bold, Color: color}
	}
	const usual, grey, white = 11, "7F7F7F", "FFFFFF"
	b.title = b.style(excelize.Style{Font: font(14, true, "")})
	b.guide = b.style(excelize.Style{Font: font(usual, false, "444444")})
	b.head = b.style(excelize.Style{Font: font(usual, true, white), Fill: fill("44546A"),
		Alignment: wrapped})
	b.must = b.style(excelize.Style{Font: font(usual, true, white), Fill: fill("1F3864"),
		Alignment: wrapped})
	b.tag = b.style(excelize.Style{Font: font(8, false, grey), Fill: fill("EDEDED")})
	b.body = b.style(excelize.Style{Alignment: wrapped})
	right := &excelize.Alignment{Horizontal: "right"}
	b.gap = b.style(excelize.Style{Font: font(usual, true, "C00000"), NumFmt: 3, Alignment: right})
	dates, asText := "yyyy-mm-dd", "@"
	plain := b.style(excelize.Style{CustomNumFmt: &asText})
	set := b.style(excelize.Style{CustomNumFmt: &asText,
		Alignment: &excelize.Alignment{Horizontal: "left", Indent: 1}})
	b.forms = map[kind]int{text: plain, choice: set, suggested: set,
		day:    b.style(excelize.Style{CustomNumFmt: &dates}),
		days:   b.style(excelize.Style{NumFmt: 1}),
		amount: b.style(excelize.Style{NumFmt: 3, Alignment: right}),
		fixed: b.style(excelize.Style{CustomNumFmt: &asText, Fill: fill("EDEDED"),
			Font: font(usual, false, grey)})}
}

func (b *writer) sheets() {
	b.do(b.f.SetSheetName("Sheet1", pledgesSheet))
	for _, name := range []string{requirementsSheet, examplesSheet, listsSheet, factsSheet} {
		_, err := b.f.NewSheet(name)
		b.do(err)
	}
	b.do(b.f.SetSheetVisible(listsSheet, false))
	b.do(b.f.SetSheetVisible(factsSheet, false))
}

// put puts a text into a cell.
func (b *writer) put(sheet string, column, row int, value string, style int) {
	cell := b.cell(column, row)
	b.do(b.f.SetCellStr(sheet, cell, value))
	if style > 0 {
		b.do(b.f.SetCellStyle(sheet, cell, cell, style))
	}
}

func (b *writer) cell(column, row int) string {
	cell, err := excelize.CoordinatesToCellName(column, row)
	b.do(err)
	return cell
}

func (b *writer) name(column int) string {
	name, err := excelize.ColumnNumberToName(column)
	b.do(err)
	return name
}

// write writes what a column has, so that a spreadsheet reads the same: money and long numbers are
// text, and days are days.
func (b *writer) write(sheet string, k kind, column, row int, value string) {
	if value == "" {
		return
	}
	cell := b.cell(column, row)
	switch k {
	case day:
		if on, err := time.Parse(time.DateOnly, value); err == nil && on.Year() > 1900 {
			b.do(b.f.SetCellValue(sheet, cell, on))
			b.do(b.f.SetCellStyle(sheet, cell, cell, b.forms[day]))
			return
		}
	case amount, days:
		const exact = 15 // digits that a spreadsheet keeps
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && len(value) <= exact {
			b.do(b.f.SetCellInt(sheet, cell, n))
			return
		}
	}
	b.do(b.f.SetCellStr(sheet, cell, value))
}

// pledges writes the sheet of pledges.
func (b *writer) pledges() {
	c := b.c
	whose, qui := "all nations", "de tous les pays"
	if c.Nation != "" {
		whose, qui = c.Organisations.Named(c.Nation), "de "+string(c.Nation)
	}
	for i, line := range []string{
		fmt.Sprintf("Pledges of %s to %s: %s", whose, c.Operation, c.Title),
		fmt.Sprintf("What holds on %s, as of record %d of %s, recorded %s. Change cells, and add "+
			"rows at the end; what has a dark head must be filled in.", c.On, c.Record, c.Ledger,
			c.Recorded.UTC().Format("2006-01-02 15:04 UTC")) +
			c.ending(" Recorded to end, and so amended no more: ", "row %d, from %s on"),
		fmt.Sprintf("Engagements %s, comme ils valent le %s. Modifiez les cellules, ajoutez des "+
			"lignes à la fin ; les colonnes à l’en-tête foncé sont obligatoires.", qui, c.On) +
			c.ending(" Leur fin est enregistrée, ils ne se modifient donc plus : ",
				"ligne %d, à partir du %s"),
		"Then / ensuite : muster import xlsx FILE --dry-run",
	} {
		style := b.guide
		if i == 0 {
			style = b.title
		}
		b.put(pledgesSheet, 1, i+1, line, style)
	}
	last := tagsRow + len(c.Pledges) + room
	for i, col := range columns {
		at := i + 1
		name := b.name(at)
		b.do(b.f.SetColWidth(pledgesSheet, name, name, col.width))
		b.do(b.f.SetCellStyle(pledgesSheet, b.cell(at, tagsRow+1), b.cell(at, last),
			b.forms[col.kind]))
		style := b.head
		if required[col.field] {
			style = b.must
		}
		b.put(pledgesSheet, at, headRow, col.en+"\n"+col.fr, style)
		b.put(pledgesSheet, at, tagsRow, col.tag, b.tag)
		for j := range c.Pledges {
			b.write(pledgesSheet, col.kind, at, tagsRow+1+j, col.cell(&c.Pledges[j]))
		}
		b.check(col, fmt.Sprintf("%s%d:%s%d", name, tagsRow+1, name, last),
			b.cell(at, tagsRow+1))
	}
	b.do(b.f.SetRowHeight(pledgesSheet, headRow, 64))
	b.do(b.f.SetPanes(pledgesSheet, &excelize.Panes{Freeze: true, YSplit: tagsRow, XSplit: 2,
		TopLeftCell: b.cell(3, tagsRow+1), ActivePane: "bottomRight"}))
	b.paper(pledgesSheet, headRow)
}

// ending tells the first rows of pledges that are recorded to end, each in the form of one, behind
// what is said of them; "" where there are none.
func (c *Content) ending(said, one string) string {
	const most = 5
	var all []string
	for i, p := range c.Pledges {
		if p.Ends != 0 && len(all) == most {
			all = append(all, "…")
			break
		}
		if p.Ends != 0 {
			all = append(all, fmt.Sprintf(one, tagsRow+1+i, p.Ends))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return said + strings.Join(all, "; ")
}

// paper prints a sheet across, one page wide, with its head on each page.
func (b *writer) paper(sheet string, head int) {
	across, wide, tall, fits := "landscape", 1, 0, true
	b.do(b.f.SetPageLayout(sheet, &excelize.PageLayoutOptions{Orientation: &across,
		FitToWidth: &wide, FitToHeight: &tall}))
	b.do(b.f.SetSheetProps(sheet, &excelize.SheetPropsOptions{FitToPage: &fits}))
	b.do(b.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", Scope: sheet,
		RefersTo: fmt.Sprintf("'%s'!$%d:$%d", sheet, head, head)}))
}

// facts writes the hidden sheet by which the form is known again.
func (b *writer) facts() {
	for i, fact := range b.c.facts() {
		b.put(factsSheet, 1, i+1, fact[0], 0)
		b.put(factsSheet, 2, i+1, fact[1], 0)
	}
}

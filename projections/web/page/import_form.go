package page

import (
	"encoding/base64"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"muster/events/problem"
)

// An importForm is what was sent: the fields, and the files by the names of their fields.
type importForm struct {
	url.Values
	files map[string][]sentFile
}

type sentFile struct {
	name string
	data []byte
}

// parts reads the form part by part, so that what is wrong with a file can be told by its name.
func (i *importPage) parts(r *http.Request) (f importForm, err error) {
	f = importForm{url.Values{}, map[string][]sentFile{}}
	all, err := r.MultipartReader()
	if err != nil {
		return f, i.unread(err)
	}
	for {
		part, err := all.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, i.unread(err)
		}
		name, file := part.FormName(), part.FileName()
		if name == "file" {
			i.File.Name = printable(file)
		}
		data, err := io.ReadAll(part)
		switch {
		case err != nil:
			return f, i.unread(err)
		case isFile(part):
			f.files[name] = append(f.files[name], sentFile{printable(file), data})
		default:
			f.Add(name, string(data))
		}
	}
}

// isFile reports whether a part is a file, be it one of no name, which is none.
func isFile(part *multipart.Part) bool {
	return part.FileName() != "" || part.Header.Get("Content-Type") != ""
}

// unread says why the form cannot be read.
func (i *importPage) unread(err error) error {
	var large *http.MaxBytesError
	var head textproto.ProtocolError
	switch {
	case errors.As(err, &large):
		return i.tooLarge()
	case errors.As(err, &head): // of a part, where nothing but the name of the file is anybody's
		return i.refusal(problem.Usage, "problem.import.name")
	}
	return i.refusal(problem.Usage, "problem.form.unread", err.Error())
}

// read reads the form.
func (i *importPage) read(r *http.Request) error {
	form, err := i.parts(r)
	if err != nil {
		return err
	}
	if i.hasGone(form.Get(whoField)) {
		return errEnded
	}
	if err := i.unknown(form); err != nil {
		return err
	}
	i.File.Changed, i.File.Gone = form.Get("changed"), form.Get("gone")
	if form.Get("new") != "" {
		i.File.Changed = strings.TrimPrefix(i.File.Changed+",new", "ask,")
	}
	i.File.Good = form.Get("good") != ""
	i.File.Reason = strings.TrimSpace(form.Get("reason"))
	i.File.Seen = seenIn(form.Values)
	if i.File.Name, i.File.Data, err = form.sent("file"); err != nil {
		return err
	}
	if _, i.File.Mapping, err = form.sent("mapping"); err != nil {
		return err
	}
	switch {
	case len(i.File.Data) == 0:
		return i.refusal(problem.Usage, "problem.import.no-file")
	case len(i.File.Data)+len(i.File.Mapping) > maxImport:
		return i.tooLarge()
	}
	return nil
}

func (i *importPage) tooLarge() error {
	return i.refusal(problem.TooLarge, "problem.import.large", maxImport>>10)
}

// unknown refuses fields that the form does not have, and those that are given twice.
func (i *importPage) unknown(form importForm) error {
	// Where no file is chosen, a browser sends its field as text, without any.
	takes := words("file mapping changed new gone good reason seen_size seen_root kept-file " +
		"kept-file-name kept-mapping kept-mapping-name " + whoField)
	var found []problem.Field
	add := func(name string, n int, known bool) {
		switch {
		case len(found) == maxUnknown:
		case !known:
			found = append(found, problem.Field{Location: problem.Shorten(printable(name)),
				Message: i.T("problem.unknown.field")})
		case n > 1:
			found = append(found, problem.Field{Location: name, Message: i.T("problem.twice", n)})
		}
	}
	for name, all := range form.Values {
		add(name, len(all), slices.Contains(takes, name))
	}
	for name, all := range form.files {
		add(name, len(all), name == "file" || name == "mapping")
	}
	return i.ofFields(problem.Usage, found)
}

// sent returns a file that was sent, or else the one that stood in the page.
func (f importForm) sent(name string) (called string, data []byte, err error) {
	if all := f.files[name]; len(all) > 0 && len(all[0].data) > 0 {
		return all[0].name, all[0].data, nil
	}
	data, err = base64.StdEncoding.DecodeString(f.Get("kept-" + name))
	if err != nil {
		err = problem.New(problem.Usage, "the file that the page kept is not whole").
			WithHint("choose it again")
	}
	return printable(f.Get("kept-" + name + "-name")), data, err
}

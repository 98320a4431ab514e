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

	"muster/events/problem"
)

// fileFields are what the form of a page takes: its files, of which the first is the one that
// becomes statements, and its other fields.
type fileFields struct{ files, values []string }

// A fileForm is what was sent: the fields, and the files by the names of their fields.
type fileForm struct {
	url.Values
	files map[string][]sentFile
}

type sentFile struct {
	name string
	data []byte
}

// parts reads the form part by part, so that what is wrong with a file can be told by its name.
func (p *filePage) parts(r *http.Request) (f fileForm, err error) {
	f = fileForm{url.Values{}, map[string][]sentFile{}}
	all, err := r.MultipartReader()
	if err != nil {
		return f, p.unread(err)
	}
	for {
		part, err := all.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, p.unread(err)
		}
		name, file := part.FormName(), part.FileName()
		if name == "file" {
			p.Sent.Name = printable(file)
		}
		data, err := io.ReadAll(part)
		switch {
		case err != nil:
			return f, p.unread(err)
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
func (p *filePage) unread(err error) error {
	var large *http.MaxBytesError
	var head textproto.ProtocolError
	switch {
	case errors.As(err, &large):
		return p.tooLarge()
	case errors.As(err, &head): // of a part, where nothing but the name of the file is anybody's
		return p.refusal(problem.Usage, "problem."+p.Kind.Name+".name")
	}
	return p.refusal(problem.Usage, "problem.form.unread", err.Error())
}

// read reads the form.
func (p *filePage) read(r *http.Request) (err error) {
	if p.form, err = p.parts(r); err != nil {
		return err
	}
	if p.hasGone(p.form.Get(whoField)) {
		return errEnded
	}
	if err := p.unknown(); err != nil {
		return err
	}
	p.Sent.Seen = seenIn(p.form.Values)
	size := 0
	for i, name := range p.takes.files {
		called, data, err := p.form.sent(name)
		if i == 0 {
			p.Sent.Name, p.Sent.Data = called, data
		}
		if err != nil {
			return err
		}
		size += len(data)
	}
	switch {
	case len(p.Sent.Data) == 0:
		return p.refusal(problem.Usage, "problem.file.none")
	case size > maxFile:
		return p.tooLarge()
	}
	return nil
}

func (p *filePage) tooLarge() error {
	return p.refusal(problem.TooLarge, "problem."+p.Kind.Name+".large", maxFile>>10)
}

// unknown refuses fields that the form does not have, and those that are given twice.
func (p *filePage) unknown() error {
	takes := slices.Concat(words("seen_size seen_root "+whoField), p.takes.values, p.takes.files)
	for _, name := range p.takes.files { // a browser sends the field as text where none is chosen
		takes = append(takes, "kept-"+name, "kept-"+name+"-name")
	}
	var found []problem.Field
	add := func(name string, n int, known bool) {
		switch {
		case len(found) == maxUnknown:
		case !known:
			found = append(found, p.field(problem.Shorten(printable(name)), "",
				"problem.unknown.field"))
		case n > 1:
			found = append(found, p.field(name, "", "problem.twice", n))
		}
	}
	for name, all := range p.form.Values {
		add(name, len(all), slices.Contains(takes, name))
	}
	for name, all := range p.form.files {
		add(name, len(all), slices.Contains(p.takes.files, name))
	}
	return p.ofFields(problem.Usage, found)
}

// sent returns a file that was sent, or else the one that stood in the page.
func (f fileForm) sent(name string) (called string, data []byte, err error) {
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

package page

import (
	"fmt"
	"html/template"
	"reflect"
	"slices"
	"text/template/parse"

	"muster/events/problem"
)

// Whatever a template prints is shown as [problem.Text] does it, so that nothing that somebody has
// written turns the text around it: [showAll] sees to that, and no template needs to. What a form
// sends back is text itself, and its template says so: {{exactly .Value}}.
var printing = template.FuncMap{
	"shown":   shown,
	"exactly": func(text string) string { return text },
}

// showAll has all that templates print shown. They must not have been executed.
func showAll(t *template.Template) {
	for _, one := range t.Templates() {
		if one.Tree != nil && one.Tree.Root != nil {
			showIn(one.Tree.Root)
		}
	}
}

func showIn(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, in := range n.Nodes {
			showIn(in)
		}
	case *parse.IfNode:
		showIn(n.List)
		showIn(n.ElseList)
	case *parse.RangeNode:
		showIn(n.List)
		showIn(n.ElseList)
	case *parse.WithNode:
		showIn(n.List)
		showIn(n.ElseList)
	case *parse.ActionNode:
		if !decided(n.Pipe) {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand,
				Pos: n.Pos, Args: []parse.Node{parse.NewIdentifier("shown").SetPos(n.Pos)}})
		}
	}
}

// decided reports whether a pipeline prints nothing, is shown already (templates that pages share
// may be), or says that what it prints is not to be.
func decided(p *parse.PipeNode) bool {
	last := p.Cmds[len(p.Cmds)-1].Args[0].String()
	return len(p.Decl) > 0 || slices.Contains([]string{"shown", "exactly"}, last)
}

// shown shows a value as what it is, and leaves alone what has nothing that acts.
func shown(v any) any {
	text := printed(v)
	if is := problem.Text(text); is != text {
		return is
	}
	return v
}

// printed returns what a template prints for a value; "" for a number and for nothing.
func printed(v any) string {
	of := reflect.ValueOf(v)
	switch v.(type) {
	case fmt.Stringer, error:
		return fmt.Sprint(v)
	}
	for of.Kind() == reflect.Pointer && !of.IsNil() {
		return printed(of.Elem().Interface())
	}
	switch of.Kind() {
	case reflect.String:
		return of.String()
	case reflect.Struct, reflect.Slice, reflect.Map, reflect.Array, reflect.Interface:
		return fmt.Sprint(v)
	}
	return ""
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"

	"muster/events/problem"
	"muster/events/problem/wire"
)

// A Base is the path below which a server answers, such as /muster, where a proxy leads the rest of
// a host elsewhere; "" for a server that has a host of its own. What is registered and decided by
// paths knows nothing of it: it is taken away before, and put before each address that is told.
type Base string

// basePath is what a base may be: parts that no browser, proxy or cookie reads in two ways.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// maxBase is the longest base, in bytes: it is a part of every address.
const maxBase = 100

// ParseBase reads a base. The text "/" is that of a server with a host of its own, as "" is, and a
// slash at the end says nothing.
func ParseBase(text string) (Base, error) {
	plain := strings.TrimSuffix(text, "/")
	if plain != "" && (len(plain) > maxBase || !basePath.MatchString(plain)) {
		return "", problem.New(problem.Usage, "--base-path %s: that is no path to answer below",
			problem.Name(text)).
			WithHint("write a slash and letters, digits, - . _ or ~, such as /muster")
	}
	return Base(plain), nil
}

type baseKey struct{}

// BaseOf returns the base below which a request came.
func BaseOf(ctx context.Context) Base {
	b, _ := ctx.Value(baseKey{}).(Base)
	return b
}

// Holds reports whether a path is one below the base, whichever way a browser reads it.
func (b Base) Holds(p string) bool {
	return b == "" || strings.HasPrefix(path.Clean(p)+"/", string(b)+"/")
}

// Handler answers below the base with next, which sees the paths without it, and elsewhere with
// outside. The base itself, without a slash, leads to what is below it; and a path that can be
// written shorter leads there, before somebody does that who knows of no base.
func (b Base) Handler(next, outside http.Handler) http.Handler {
	if b == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		clean := path.Clean("/" + r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/") && clean != "/" || clean == string(b) {
			clean += "/"
		}
		if !b.Holds(clean) {
			outside.ServeHTTP(w, r)
			return
		}
		if clean != r.URL.Path {
			to := url.URL{Path: clean, RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, to.String(), http.StatusTemporaryRedirect)
			return
		}
		r = r.Clone(context.WithValue(r.Context(), baseKey{}, b))
		r.URL.Path = strings.TrimPrefix(r.URL.Path, string(b))
		r.URL.RawPath = b.rawBelow(r.URL.RawPath)
		next.ServeHTTP(w, r)
	})
}

// rawBelow takes the base away from a path as it was written, "" where the base or the slash behind
// it is not written as it is: such a path would be read as another one, which leads out of it.
func (b Base) rawBelow(raw string) string {
	if strings.HasPrefix(raw, string(b)+"/") {
		return strings.TrimPrefix(raw, string(b))
	}
	return ""
}

// Elsewhere says where the server answers, to whoever has asked it outside of its base.
func (b Base) Elsewhere(w http.ResponseWriter, _ *http.Request) {
	protect(w.Header())
	wire.HTTP(w, problem.New(problem.NotFound, "this server answers below %s alone", b).
		WithHint("ask it at %s/, and give %s at the end of the server's address to the commands "+
			"and to what stands before it", b, b))
}

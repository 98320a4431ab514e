package web

import (
	"slices"
	"strings"
)

// The kinds of requests that are no question of the table.
const (
	kindLive    = "live"    // what is told as it happens
	kindSession = "session" // to sign in and out
	kindFeed    = "feed"    // an address with a token of its own, and where it is made
	kindTree    = "tree"    // checkpoints, hashes and records, for who verifies
	kindPage    = "page"
	kindOther   = "other" // what is not there
)

// KindOf names what the path of a request asks for, for who counts what is asked: a question by its
// name, as rows too, or another of a few kinds; "" for what asks nothing: statements, files, and
// whether the server works. There are so many kinds and no more, whatever clients ask.
func (s *Service) KindOf(path string) string {
	asked, isAPI := strings.CutPrefix(path, Root+"/")
	switch {
	case !isAPI:
		return kindBeside(path)
	case strings.HasPrefix(asked, "statements"):
		return ""
	case strings.HasPrefix(asked, "session"):
		return kindSession
	case asked == "feeds", strings.HasPrefix(asked, "feeds/"):
		return kindFeed
	case strings.HasSuffix(asked, "/events"):
		return kindLive
	}
	asked, _ = withoutSuffix(asked)
	steps := strings.Split("/"+asked, "/")
	for _, q := range s.questions {
		if leadsTo(strings.Split(q.path, "/"), steps) {
			return q.name
		}
	}
	return kindOther
}

// KindOverNATS names what an endpoint of the micro service is asked for, as KindOf does.
func (s *Service) KindOverNATS(endpoint string) string {
	switch {
	case find(s.questions, endpoint) != nil:
		return endpoint
	case strings.HasPrefix(endpoint, kindSession):
		return kindSession
	case slices.Contains([]string{"checkpoint", "tile"}, endpoint):
		return kindTree
	}
	return ""
}

// leadsTo reports whether the steps of a path are those of a pattern, in which {name} stands for
// any.
func leadsTo(pattern, steps []string) bool {
	return slices.EqualFunc(pattern, steps, func(p, s string) bool {
		return p == s || strings.HasPrefix(p, "{") && s != ""
	})
}

// kindBeside is the kind of a path beside the API.
func kindBeside(path string) string {
	if strings.HasPrefix(path, FeedsRoot) {
		return kindFeed
	}
	switch first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/"); first {
	case "checkpoint", "tile":
		return kindTree
	case "static", "healthz", "readyz", "livez", "docs", "docs.css", "schemas", "asyncapi.json",
		"openapi.json", "openapi.yaml", "openapi-3.0.json", "openapi-3.0.yaml":
		return ""
	}
	return kindPage
}

package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/events"
	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/access/feeds"
)

// Where feeds are made, and where they are read.
const (
	feedsPath = Root + "/feeds"
	// FeedsRoot begins the addresses of feeds; behind it are the token and the name of a file.
	FeedsRoot = "/feeds/"
)

// A feedKind is something that can be read at an address of its own.
type feedKind struct {
	of   string // the name by which it is asked for
	file string // at the end of its address
	// rows is the address of the question that is asked there, with the form of the answer.
	rows string
}

// feedKinds is the table of them.
var feedKinds = []feedKind{{"due", "due.ics", Root + "/due.ics"},
	{atomRecords, "records.atom", Root + "/records.atom"},
	{atomCoverage, "coverage.atom", Root + "/coverage.atom"}}

// feedKindOf returns a row of the table, nil where there is none.
func feedKindOf(of string) *feedKind {
	i := slices.IndexFunc(feedKinds, func(k feedKind) bool { return k.of == of })
	if i < 0 {
		return nil
	}
	return &feedKinds[i]
}

// FeedKinds are what a feed may be of.
func FeedKinds() (all []string) {
	for _, k := range feedKinds {
		all = append(all, k.of)
	}
	return all
}

// A Feed is an address of its own, as its owner sees it.
type Feed struct {
	ID        string           `json:"id" doc:"Its name, to revoke it; it opens nothing"`
	Of        string           `json:"of"`
	View      events.View      `json:"view" doc:"The one that is read there, and no other"`
	Operation events.Operation `json:"operation,omitempty" doc:"Only what is of this operation"`
	Nation    events.Nation    `json:"nation,omitempty" doc:"Only what is of this nation"`
	Role      events.Role      `json:"role,omitempty" doc:"Only what is of this role"`
	Within    string           `json:"within,omitempty" doc:"Days ahead"`
	Lang      string           `json:"lang,omitempty" doc:"The language that it is told in; without it, English"`
	Made      time.Time        `json:"made"`
	// Path is told once.
	Path string `json:"path,omitempty" doc:"The path of its address, with its token, which is told only when it is made"`
}

// Feeds are those of one key at one server.
type Feeds struct {
	Feeds []Feed `json:"feeds"`
}

func feedOf(f feeds.Feed, token string) Feed {
	shown := Feed{ID: f.ID, Of: f.Of, View: f.View,
		Operation: events.Operation(f.Asked["operation"]),
		Nation:    events.Nation(f.Asked["nation"]), Role: events.Role(f.Asked["role"]),
		Within: f.Asked["within"], Lang: f.Asked[languageParameter], Made: f.Made}
	if k := feedKindOf(f.Of); k != nil && token != "" {
		shown.Path = FeedsRoot + token + "/" + k.file
	}
	return shown
}

// FeedQuery asks for an address of its own.
type FeedQuery struct {
	Of   string
	View events.View // "" for the owner's

	nation events.Nation
}

func (q *FeedQuery) read(p *parameters) {
	all := FeedKinds()
	q.Of = p.oneOf("of", "What is to be read there.", all)
	p.must("of", "write one of: "+strings.Join(all, ", "))
	q.nation = p.filter().Nation
	p.daysAhead("How many days ahead is looked, 0 for today; 30 without it.")
	p.readLanguage()
	view := p.view()
	if p.given["view"] != "" {
		q.View = view
	}
}

// MakeFeed makes an address at which what is asked for can be read without a key, in one view of
// whoever asks in the context, who has signed in. The answer alone has the address.
func (s *Service) MakeFeed(ctx context.Context, given url.Values) (Feed, error) {
	return s.makeFeed(ctx, requestFrom("", given, nil))
}

func (s *Service) makeFeed(ctx context.Context, r request) (Feed, error) {
	who, err := s.feedOwner(ctx)
	if err != nil {
		return Feed{}, err
	}
	as, err := s.choose(ctx, r) // by whose records names are found
	if err != nil {
		return Feed{}, err
	}
	var q FeedQuery
	p := as.parameters(r)
	q.read(&p)
	if err := p.problem(); err != nil {
		return Feed{}, err
	}
	view := q.View
	switch {
	case view == "": // the key's own, also where everybody reads all
		view = who.View
	case !view.Within(who.View):
		_, err := access.ReadReleased.Choose(who, view)
		return Feed{}, err
	}
	asked := map[string]string{}
	for name, value := range r.given {
		if value != "" && name != "of" && name != "view" {
			asked[name] = value
		}
	}
	if q.nation != "" {
		asked["nation"] = string(q.nation)
	}
	f := feeds.Feed{Of: q.Of, Asked: asked, View: view, Key: who.Key}
	if err := s.tryFeed(ctx, &f); err != nil {
		return Feed{}, err
	}
	f, token, err := s.Feeds.Make(f)
	if err != nil {
		return Feed{}, err
	}
	return feedOf(f, token), nil
}

// tryFeed asks once what a feed will ask, so that nobody is given the address of a refusal.
func (s *Service) tryFeed(ctx context.Context, f *feeds.Feed) error {
	as, err := s.For(ctx, string(f.View))
	if err != nil {
		return err
	}
	question, _ := withoutSuffix(strings.TrimPrefix(feedKindOf(f.Of).rows, Root+"/"))
	q := find(s.questions, question)
	asked := maps.Clone(f.Asked)
	delete(asked, languageParameter)
	query, err := q.parse(as, request{given: asked})
	if err == nil {
		_, err = q.answer(ctx, as, query)
	}
	return err
}

// OwnFeeds returns the feeds of whoever asks in the context, who has signed in.
func (s *Service) OwnFeeds(ctx context.Context) (all Feeds, err error) {
	who, err := s.feedOwner(ctx)
	all.Feeds = []Feed{}
	if err != nil {
		return all, err
	}
	for _, f := range s.Feeds.Of(who.Key) {
		all.Feeds = append(all.Feeds, feedOf(f, ""))
	}
	return all, nil
}

// RevokeFeed ends a feed of whoever asks in the context, who has signed in.
func (s *Service) RevokeFeed(ctx context.Context, id string) (Feed, error) {
	who, err := s.feedOwner(ctx)
	if err != nil {
		return Feed{}, err
	}
	f, err := s.Feeds.Revoke(who.Key, id)
	return feedOf(f, ""), err
}

// feedOwner returns who asks, who must have signed in, also where everybody reads all: a feed is
// somebody's.
func (s *Service) feedOwner(ctx context.Context) (access.Reader, error) {
	who := access.ReaderOf(ctx)
	if !who.SignedIn() {
		return who, problem.New(problem.SignedOut,
			"a feed is somebody's, and nobody has signed in").
			WithHint("sign in: with --key FILE on the command line, and in the browser on the " +
				"page Sign in")
	}
	return who, nil
}

type feedRequest struct {
	RawBody []byte `contentType:"application/json"`
}

type feedNamed struct {
	ID string `path:"id" doc:"The feed's id"`
}

type feedAnswer[A any] struct {
	CacheControl string `header:"Cache-Control"`
	Body         A
}

func feedAnswered[A any](a A, err error) (*feedAnswer[A], error) {
	if err != nil {
		return nil, problem.From(err)
	}
	return &feedAnswer[A]{noStore, a}, nil
}

// registerFeeds adds the operations with which feeds are made, listed and revoked.
func (s *Service) registerFeeds(api huma.API) {
	op := func(id, method, path, summary string, errors ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary,
			Tags: []string{"feeds"}, Errors: append(errors, 400, 401, 414, 421, 429, 503)}
	}
	begin := op("feed-make", http.MethodPost, feedsPath, "Make an address of its own, with a "+
		"token, at which programs read without a key", 403, 404, 409, 413, 422)
	begin.Description = "The body is a JSON object of the parameters, each as text. The answer " +
		"has the path of the address, once: whoever has it reads what the key may read of the " +
		"view, until the feed or the key is revoked."
	begin.DefaultStatus = http.StatusCreated
	begin.SkipValidateBody, begin.BodyReadTimeout = true, MaxBodyTime
	begin.MaxBodyBytes = shortBody
	huma.Register(api, begin,
		func(ctx context.Context, in *feedRequest) (*feedAnswer[Feed], error) {
			r, err := requestOf(in.RawBody)
			if err != nil {
				return nil, problem.From(err)
			}
			return feedAnswered(s.makeFeed(ctx, r))
		})
	var takes parameters
	takes.languages = s.languages()
	new(FeedQuery).read(&takes)
	body := api.OpenAPI().Paths[feedsPath].Post.RequestBody
	body.Content["application/json"].Schema = postedSchema(takes.takes)
	huma.Register(api, op("feeds", http.MethodGet, feedsPath, "One's feeds at this server"),
		func(ctx context.Context, _ *struct{}) (*feedAnswer[Feeds], error) {
			return feedAnswered(s.OwnFeeds(ctx))
		})
	huma.Register(api, op("feed-revoke", http.MethodDelete, feedsPath+"/{id}",
		"Revoke a feed: its address ends at once", 404),
		func(ctx context.Context, in *feedNamed) (*feedAnswer[Feed], error) {
			return feedAnswered(s.RevokeFeed(ctx, in.ID))
		})
}

// IsFeed reports whether the path of an address is that of a feed, which has a token in it.
func IsFeed(at string) bool {
	return strings.HasPrefix(at, FeedsRoot) || strings.HasPrefix(path.Clean(at), FeedsRoot)
}

var feedsInPath = regexp.MustCompile("(?i)" + FeedsRoot)

// ShownPath returns the path of an address for who logs it: without the token of a feed, also where
// something stands before it that is no part of its address, or it is written in capitals.
func ShownPath(at string) string {
	clean := path.Clean(at)
	found := feedsInPath.FindStringIndex(clean)
	if found == nil || found[1] == len(clean) {
		return at
	}
	before, name := clean[:found[1]], path.Base(clean[found[1]:])
	if slices.ContainsFunc(feedKinds, func(k feedKind) bool { return k.file == name }) {
		return before + "…/" + name
	}
	return before + "…"
}

// serveFeed answers at the address of a feed: with what is asked there in the name of its owner,
// whoever comes, and with nothing else.
func (s *Service) serveFeed(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	token, file, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, FeedsRoot), "/")
	f, who, err := s.whoseFeed(s.clientOf(r), token, file)
	if err == nil && r.Method != http.MethodGet && r.Method != http.MethodHead {
		err = feeds.Ended()
	}
	if err != nil {
		h.Set("Cache-Control", "private, no-store")
		s.refuse(w, r, err)
		return
	}
	asked := url.Values{"view": {string(f.View)}}
	for name, value := range f.Asked {
		asked.Set(name, value)
	}
	inside := r.Clone(access.WithReader(r.Context(), who))
	inside.URL = &url.URL{Path: feedKindOf(f.Of).rows, RawQuery: asked.Encode()}
	s.routes.ServeHTTP(w, inside)
}

// whoseFeed returns the feed of a token, and who reads there. Who tries out tokens is told to wait.
func (s *Service) whoseFeed(client, token, file string) (f feeds.Feed, who access.Reader,
	err error) {
	err = feeds.Ended()
	if s.Feeds != nil {
		f, who, err = s.Feeds.Who(token)
	}
	if k := feedKindOf(f.Of); err == nil && (k == nil || k.file != file) {
		err = feeds.Ended()
	}
	if err == nil {
		return f, who, nil
	}
	if wait := s.feedGuesses.Check(client, s.Now()); wait != nil {
		return f, who, wait
	}
	s.feedGuesses.Wrong(client, s.Now())
	return f, who, err
}

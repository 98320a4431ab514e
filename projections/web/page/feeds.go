package page

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"muster/events/problem"
	"muster/projections/access"
	"muster/projections/web"
)

// A feedsPage lists the addresses that one has made for programs which cannot sign in, and lets one
// make and revoke them. It works without scripts.
type feedsPage struct {
	*frame
	Feeds []web.Feed
	// Made is one that was made just now, whose address is shown this once; and Revoked one that
	// has ended just now.
	Made, Revoked *web.Feed
}

// feeds answers the page.
func (p *Pages) feeds(f *frame) (any, error) { return p.feedsOf(f, &feedsPage{frame: f}) }

func (p *Pages) feedsOf(f *frame, page *feedsPage) (*feedsPage, error) {
	if p.Service.Feeds == nil {
		return nil, f.refusal(problem.NotFound, "problem.no-feeds")
	}
	all, err := p.Service.OwnFeeds(f.ctx)
	page.Feeds = all.Feeds
	return page, err
}

// serveFeeds makes a feed, or revokes one.
func (p *Pages) serveFeeds(w http.ResponseWriter, r *http.Request) {
	p.servePosted(w, r, "feeds", func(f *frame, form url.Values) (any, *problem.Problem, error) {
		page := &feedsPage{frame: f}
		if _, err := p.feedsOf(f, page); err != nil {
			return nil, nil, err
		}
		if err := page.do(form); err != nil {
			return nil, nil, err
		}
		_, err := p.feedsOf(f, page)
		return page, nil, err
	})
}

// do does what the form says. A form that was sent twice makes two feeds; both are listed.
func (page *feedsPage) do(form url.Values) error {
	s := page.pages.Service
	if id := form.Get("revoke"); id != "" {
		ended, err := s.RevokeFeed(page.ctx, id)
		page.Revoked = &ended
		return err
	}
	asked := maps.Clone(form)
	asked["view"] = asked["for"] // the page's own view is in its address
	delete(asked, "for")
	if form.Get("of") != "due" {
		delete(asked, "within") // which is filled in, and says nothing of the others
	}
	maps.DeleteFunc(asked, func(_ string, said []string) bool {
		return len(said) == 0 || slices.Equal(said, []string{""})
	})
	made, err := s.MakeFeed(page.ctx, asked)
	page.Made = &made
	return err
}

// CanFeed reports whether one can make feeds here.
func (f *frame) CanFeed() bool { return f.pages.Service.Feeds != nil && f.Who().SignedIn() }

// FeedViews are those that a feed may be of: one's own, which is first and named by nothing, and
// narrower ones.
func (page *feedsPage) FeedViews() (all []viewChoice) {
	own := page.Who().View
	for _, v := range access.Narrower(own) {
		all = append(all, viewChoice{string(v), page.ViewName(v), v == own})
	}
	return all
}

// Kinds are what a feed may be of.
func (page *feedsPage) Kinds() []string { return web.FeedKinds() }

// Address is the whole address of a feed that was made just now.
func (page *feedsPage) Address() string { return page.Server() + page.Made.Path }

// Package page is what coordinators, liaisons and auditors open in a browser: the same answers as
// the API gives, to be looked at rather than read.
//
// The address of a page is its whole state (location.go): where it looks from on both clocks, from
// which rung, in which world, and what is open. Whatever is clicked is a link or a form that leads
// to another address, so that every page can be shared, comes back the same, and works without
// JavaScript; htmx only saves the reader the flicker of a new page, and muster.js adds what an
// address cannot do: it marks what changes while one looks, moves in a matrix with the arrow keys,
// plays the recorded clock, and signs.
//
// Each page is of one view (views.go): all that it shows comes from the service of that view, which
// web.Service.For has chosen for whoever looks, and a banner, and paper, say for whom it is
// counted. Who that is stands on top; session.go is where one signs in, with a key that stays in
// the browser, and where a page leads whose reader may see nothing of it.
//
// One file makes one page: coverage.go the matrix of requirements and what is behind each cell, and
// so on; each has a template of its name under templates. frame.go is what is around all of them.
// Words (words.go) are in one catalogue, in English and French, under words; a test holds that no
// word is missing, and none left over. Sentences that other packages say are told in the words of
// their patterns (tell.go), which a test finds in the source. What the records themselves say is
// quoted as it was recorded.
//
// Everything is embedded and comes from the server itself; the policy that browsers are given
// allows nothing else, and no inline script or style. Vendored files stand in static with their
// licence, and a test holds their checksums.
package page

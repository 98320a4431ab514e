package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"muster/cmd/internal/reach"
	"muster/cmd/internal/server"
	"muster/ledger/intake"
	"muster/projections/web"
)

// asking asks the server at an address over HTTP.
func (a *app) asking(url string) (web.Client, error) {
	client, err := a.httpTo(url)
	return web.Client{URL: url, HTTP: client}, err
}

// telling tells the server at an address over HTTP, and reads its tree.
func (a *app) telling(url string) (intake.HTTPClient, error) {
	client, err := a.httpTo(url)
	return intake.HTTPClient{URL: url, HTTP: client}, err
}

// httpTo makes the client, once for each server, for everything that is asked of it over HTTP. The
// server on the data folder is known by the certificate that it has left there: only the folder's
// owner writes there, and could as well take the server's keys.
func (a *app) httpTo(url string) (*http.Client, error) {
	if client := a.clients[url]; client != nil {
		return client, nil
	}
	trust := reach.Trust{Authorities: a.ca}
	if a.isOwn(url) {
		trust.Own = filepath.Join(a.data, server.AddressCertificateFile)
	}
	client, err := reach.HTTP(url, trust, a.limits)
	if err != nil {
		return nil, err
	}
	if a.clients == nil {
		a.clients, a.visitors = map[string]*http.Client{}, map[string]*visitor{}
	}
	v, err := a.visitorOver(url, client)
	if err != nil {
		return nil, err
	}
	client.Transport = asVisitor{client.Transport, v}
	a.clients[url], a.visitors[url] = client, v
	return client, nil
}

// isOwn reports whether an address is that of the server which runs on the data folder.
func (a *app) isOwn(url string) bool {
	if a.data == "" {
		return false
	}
	text, err := os.ReadFile(filepath.Join(a.data, server.AddressFile))
	return err == nil && strings.TrimSpace(string(text)) == url
}

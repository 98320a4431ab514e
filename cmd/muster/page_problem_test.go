package main

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// What is wrong with an address is told once, and in the language of the page, whoever tells it.
func TestPageProblems(t *testing.T) {
	t.Parallel()
	url := demoServer(t)
	for address, told := range map[string]struct{ en, fr string }{
		"/nope": {"there is no page at /nope",
			"il n’y a pas de page à l’adresse /nope"},
		"/?zz=1": {"unknown: this page takes ",
			"inconnu\u00a0: cette page accepte "},
		"/?step=day&step=week": {"is given 2 times: write it once",
			"est donné 2 fois\u00a0: écrivez-le une seule fois"},
		"/?show=cells": {"write one of: lines, nations",
			"écrivez l’un de\u00a0: lines, nations"},
		"/verify?record=99999": {"there is no such record: write a number",
			"cet enregistrement n’existe pas\u00a0: écrivez"},
		"/?on=soon": {"not a date",
			"pas une date\u00a0: écrivez année-mois-jour"},
		"/?operation=mnf-z": {"there is no operation mnf-z",
			"il n’y a pas d’opération mnf-z"},
		"/pledges/01ARZ3NDEKTSV4RRFFQ69G5FAV": {"there is no pledge 01ARZ",
			"il n’y a pas d’engagement 01ARZ"},
	} {
		for lang, want := range map[string]string{"en": told.en, "fr": told.fr} {
			body := problemOf(t, url+address, lang)
			if n := len(regexp.MustCompile(want).FindAllString(body, -1)); n != 1 {
				t.Errorf("%s in %s tells %q %d times: %s", address, lang, want, n, body)
			}
			if strings.Contains(body, "anglais") || strings.Contains(body, `lang="en"`) {
				t.Errorf("%s: a page in %s tells in English: %s", address, lang, body)
			}
		}
	}
}

// problemOf returns what a page says is wrong with its address.
func problemOf(t *testing.T, address, lang string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Language", lang)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, from, found := strings.Cut(string(page), `<div class="problem" role="alert">`)
	body, _, _ := strings.Cut(from, "</div>")
	if !found || resp.StatusCode < 400 {
		t.Errorf("%s answers %d without a problem", address, resp.StatusCode)
	}
	return body
}

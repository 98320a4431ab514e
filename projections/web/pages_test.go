package web_test

import (
	"net/http"

	"muster/projections/web"
	"muster/projections/web/page"
)

func init() {
	web.ServePages = func(s *web.Service, ledger any) http.Handler {
		pages, err := page.New(page.Config{Service: s, Ledger: ledger.(page.Ledger)})
		if err != nil {
			panic(err)
		}
		mux := http.NewServeMux()
		pages.Handle(mux)
		return mux
	}
}

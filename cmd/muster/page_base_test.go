package main

import (
	"strings"
	"sync"
	"testing"
)

// Below a path of its host, a server's pages do what they do elsewhere: one is asked to sign in,
// signs in, comes to the page then, looks at it live, and checks the ledger. The browser asks for
// nothing that is not below that path.
func TestPageBelowABase(t *testing.T) {
	notShort(t)
	t.Parallel()
	c := newRestricted(t, "members", "--base-path", "/muster")
	b := newTab(t, c.url)
	var mu sync.Mutex
	var asked []string
	b.listen(func(address string) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, address)
	})
	b.open("/pledges?lang=en")
	b.says("#said", "for members of the ledger")
	b.signsIn(c.key("GBR"))
	b.wait("location.pathname === '/muster/pledges'")
	b.says("main", "700,700,700 ships")
	b.open("/verify?lang=en")
	b.holds("is signed with the key")
	if at := b.text("[data-here]"); at != c.url {
		t.Errorf("a command on the page names the server %s", at)
	}
	b.open("/plan?lang=en")
	if at := eval[string](b, "document.querySelector('#plan-file').pathname"); at !=
		"/muster/plan.yaml" {
		t.Errorf("the plan is saved from %s", at)
	}
	b.open("/log?lang=en")
	b.click("[data-sign-out] button")
	b.says("#said", "signed out")
	mu.Lock()
	defer mu.Unlock()
	live := false
	for _, address := range asked {
		live = live || strings.Contains(address, "/events")
		if !strings.HasPrefix(address, c.url+"/") && !strings.HasPrefix(address, "data:") {
			t.Errorf("the browser asks for %s", address)
		}
	}
	if !live {
		t.Error("nothing was told live")
	}
}

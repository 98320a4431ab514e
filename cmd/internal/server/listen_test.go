package server

import "testing"

const onAllAddresses = " and all other addresses of this machine"

// Who listens on all addresses says so, and gives the one by which clients on the machine come.
func TestPlace(t *testing.T) {
	for at, want := range map[Place]struct {
		url        string
		everywhere bool
	}{
		"":                            {"", false},
		"http://127.0.0.1:8080":       {"http://127.0.0.1:8080", false},
		"https://[2001:db8::1]:443/m": {"https://[2001:db8::1]:443/m", false},
		"http://[fe80::1%eth0]:8080":  {"http://[fe80::1%eth0]:8080", false},
		"https://[::]:8443/muster":    {"https://127.0.0.1:8443/muster", true},
		"nats://0.0.0.0:4222":         {"nats://127.0.0.1:4222", true},
		"http://0.0.0.0:9464/metrics": {"http://127.0.0.1:9464/metrics", true},
	} {
		told := want.url
		if want.everywhere {
			told += onAllAddresses
		}
		if got := at.URL(); got != want.url {
			t.Errorf("%q: the URL is %q, not %q", string(at), got, want.url)
		}
		if got := at.String(); got != told {
			t.Errorf("%q: it is told as %q, not %q", string(at), got, told)
		}
	}
}

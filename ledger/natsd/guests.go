package natsd

import (
	"crypto/subtle"
	"encoding/base64"
	"net"
	"slices"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// InboxOf is the prefix of the inboxes of a guest that has a name: where its answers go, and where
// nobody else may listen.
func InboxOf(guest string) string { return "_INBOX.guest." + guest }

// IsGuest reports whether a guest can come as this: it is the public nkey of a user.
func IsGuest(key string) bool { return nkeys.IsValidPublicUserKey(key) }

// A door lets clients in, each with the rights of its user.
//
// A guest that proves to have an nkey, made for this one time or kept, has the inboxes below
// InboxOf(public key), and no others: an answer is heard by nobody but the one who has asked.
// Guests without one have all other inboxes together, such as those that clients take by
// themselves, and could hear each other's answers; so they are let in only where nobody but this
// machine can ask. Of what goes to an inbox below InboxOf they hear nothing, whatever they
// subscribe to: the server refuses the subscription, or leaves that out of it.
type door struct {
	srv      *server.Server
	users    []*server.User
	more     map[string][]string // what guests with certain nkeys may listen to besides
	nameless bool                // guests without an nkey are let in
	guests   *room
}

// Check implements server.Authentication.
func (d *door) Check(c server.ClientAuthentication) bool {
	given := c.GetOpts()
	var user *server.User
	switch {
	case given.Nkey != "":
		if proves(given, c.GetNonce()) {
			user = d.named(given.Nkey)
		}
	case given.Username == "" && given.Token == "" && given.JWT == "":
		user = d.user("guest")
	default:
		user = d.user(given.Username)
		if user != nil && subtle.ConstantTimeCompare([]byte(user.Password),
			[]byte(given.Password)) == 0 {
			user = nil
		}
	}
	if user == nil || user.Username == "guest" && !d.nameless {
		return false
	}
	// Muster's own connections are within this process, and have no address.
	if isGuest := user.Username == "guest" || given.Nkey != ""; isGuest &&
		!d.guests.takes(c.RemoteAddress()) {
		return false
	}
	account, err := d.srv.LookupAccount(accountName)
	if err != nil {
		return false
	}
	with := *user
	with.Account = account
	c.RegisterUser(&with)
	return true
}

func (d *door) user(name string) *server.User {
	for _, u := range d.users {
		if u.Username == name {
			return u
		}
	}
	return nil
}

// named is the guest that has an nkey: it has the rights of all guests, inboxes of its own, and
// what else was opened to it.
func (d *door) named(key string) *server.User {
	guest := d.user("guest")
	rights := *guest.Permissions
	heard := slices.DeleteFunc(slices.Clone(rights.Subscribe.Allow), isInbox)
	heard = append(append(heard, InboxOf(key)+".>"), d.more[key]...)
	rights.Subscribe = &server.SubjectPermission{Allow: heard}
	return &server.User{Username: key, Permissions: &rights}
}

func isInbox(subject string) bool { return strings.HasPrefix(subject, "_INBOX.") }

// proves reports whether a client has the nkey that it names: it has signed the server's nonce.
func proves(given *server.ClientOpts, nonce []byte) bool {
	if !nkeys.IsValidPublicUserKey(given.Nkey) || len(nonce) == 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(given.Sig)
	if err != nil {
		return false
	}
	key, err := nkeys.FromPublicKey(given.Nkey)
	return err == nil && key.Verify(nonce, signature) == nil
}

// isLoopback reports whether nobody but this machine reaches an address.
func isLoopback(listen string) bool {
	addr, err := net.ResolveTCPAddr("tcp", listen)
	return err == nil && addr.IP.IsLoopback()
}

// Package feeds keeps addresses at which one reader's view of one question can be read without a
// key, by programs that cannot sign in: a calendar, a feed reader.
//
// Such an address has a token in it, and whoever has the token reads what the address is of, in the
// view that it was made for, and nothing else. It belongs to the key that has made it:
//
//	token → its hash → feed: of due, view FRA, key FRA/paris
//	                   is the key a member's still? may it read the view?
//
// Both is looked at each time, so that a feed ends with the record that revokes the key.
// The tokens are not kept; their hashes are, in a file of the server's folder that is in no record
// and in no backup, since an old backup would bring back what was revoked since. A feed is of the
// server that has made it: other servers of the same ledger do not know it.
package feeds

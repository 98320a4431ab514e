package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"muster/cmd/internal/files"
	"muster/events"
)

// A keptSession is a token in a file of its own, that later commands take. The file's name says
// neither which server it is for nor whose it is.
type keptSession struct {
	Server string     `json:"server"`
	Key    events.Key `json:"key"`
	Token  string     `json:"token"`
	Until  time.Time  `json:"until"`
}

// aboutToEnd is how long before its end a session is not begun anything with.
const aboutToEnd = time.Minute

func (a *app) keptFile(server string, key events.Key) (string, error) {
	dir, err := a.configFolder()
	hash := sha256.Sum256([]byte(server + "\n" + string(key)))
	return filepath.Join(dir, "sessions", hex.EncodeToString(hash[:16])+".json"), err
}

// keptToken returns the token of an earlier command, "" when there is none that still holds.
func (a *app) keptToken(server string, key events.Key) string {
	file, err := a.keptFile(server, key)
	if err != nil {
		return ""
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	var s keptSession
	if err := json.Unmarshal(data, &s); err != nil || s.Server != server || s.Key != key ||
		time.Until(s.Until) < aboutToEnd {
		a.forgetToken(server, key)
		return ""
	}
	a.warnExposed(file)
	return s.Token
}

// keepToken keeps a token for later commands. Where nothing can be kept, each of them signs in.
func (a *app) keepToken(s keptSession) {
	file, err := a.keptFile(s.Server, s.Key)
	if err != nil {
		return
	}
	data, err := json.Marshal(s)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(file), 0o700)
	}
	if err == nil {
		_ = files.Replace(file, 0o600, append(data, '\n'))
	}
}

// forgetToken throws a kept token away.
func (a *app) forgetToken(server string, key events.Key) {
	if file, err := a.keptFile(server, key); err == nil {
		_ = os.Remove(file) // it may not be there
	}
}

package rules_test

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"pgregory.net/rapid"

	"muster/events"
)

// Who is a member, as the model has it: all that was ever proposed is gone through each time.

// A ruleProposal is an admission or a revocation that does not count yet, and who has seconded it.
type ruleProposal struct {
	ruleCommand
	seconded []events.Key
}

// A ruleRoll is who was ever admitted, as what, and who was revoked.
type ruleRoll struct {
	asked    int
	admitted map[events.Key]events.MemberRole
	revoked  map[events.Key]bool
	open     []ruleProposal
}

func (h ruleHistory) roll() ruleRoll {
	r := ruleRoll{admitted: map[events.Key]events.MemberRole{}, revoked: map[events.Key]bool{}}
	for _, c := range h {
		switch st := c.st.(type) {
		case *events.LedgerFounded:
			r.asked, r.admitted[st.Founder] = st.Seconds, events.Coordinator
		case *events.MemberAdmitted, *events.MemberRevoked:
			r.open = append(r.open, ruleProposal{ruleCommand: c})
			r.settle(len(r.open) - 1)
		case *events.MemberRetracted:
			r.open = slices.DeleteFunc(r.open, func(p ruleProposal) bool {
				return p.st.Head().ID == st.Statement
			})
		case *events.MemberSeconded:
			for i := range r.open {
				if r.open[i].st.Head().ID == st.Statement {
					r.open[i].seconded = append(slices.Clip(r.open[i].seconded), c.key)
					r.settle(i)
					break
				}
			}
		}
	}
	return r
}

// may returns the keys that may sign now, in one role, of one party.
func (r *ruleRoll) may(role events.MemberRole, party events.Nation) (all []events.Key) {
	for key, as := range r.admitted {
		if as == role && key.Party() == party && !r.revoked[key] {
			all = append(all, key)
		}
	}
	return all
}

// settle takes in what a proposal says, if it counts by now.
func (r *ruleRoll) settle(i int) {
	p := r.open[i]
	key := ruleGet[events.Key](p.st, "Key")
	_, revokes := p.st.(*events.MemberRevoked)
	coordinators, nation := r.may(events.Coordinator, events.HQ), key.Party()
	words := 0
	for _, by := range p.seconded {
		if slices.Contains(coordinators, by) {
			words++
		}
	}
	ofNation := slices.ContainsFunc(p.seconded, func(by events.Key) bool {
		return by.Party() == nation && !r.revoked[by]
	})
	voiced := false
	for k, as := range r.admitted {
		voiced = voiced || as == events.Liaison && k.Party() == nation
	}
	need := min(r.asked, len(coordinators)-1)
	switch {
	case r.asked == 0 || revokes && p.key == key:
		need = 0
	case revokes || nation == events.HQ || !voiced || ofNation:
	case len(r.may(events.Liaison, nation)) > 0:
		return
	default:
		need = max(1, need)
	}
	if words < need {
		return
	}
	if revokes {
		r.revoked[key] = true
	} else {
		r.admitted[key] = ruleGet[events.MemberRole](p.st, "Role")
	}
	r.open = slices.DeleteFunc(r.open, func(other ruleProposal) bool {
		return other.st.Head().Type == p.st.Head().Type &&
			ruleGet[events.Key](other.st, "Key") == key
	})
}

// admittedAs returns the role in which a key was ever admitted, and roleOf the one that it has now;
// "" for none.
func (h ruleHistory) admittedAs(key events.Key) events.MemberRole { return h.roll().admitted[key] }

func (h ruleHistory) roleOf(key events.Key) events.MemberRole { return h.roll().role(key) }

func (r ruleRoll) role(key events.Key) events.MemberRole {
	if r.revoked[key] {
		return ""
	}
	return r.admitted[key]
}

// waiting returns what can be seconded still: that whose signer may sign.
func (h ruleHistory) waiting() []ruleProposal {
	r := h.roll()
	return slices.DeleteFunc(r.open, func(p ruleProposal) bool { return r.role(p.key) == "" })
}

// isProposed reports whether a key waits for its admission to count.
func (h ruleHistory) isProposed(key events.Key) bool {
	return slices.ContainsFunc(h.waiting(), func(p ruleProposal) bool {
		return p.st.Head().Type == "member.admitted" && ruleGet[events.Key](p.st, "Key") == key
	})
}

func ruleLeaf(c ruleCommand) string {
	leaf := sha256.Sum256(append([]byte{0}, c.String()...))
	return base64.StdEncoding.EncodeToString(leaf[:])
}

// secondsWrongly is rule 47.
func (h ruleHistory) secondsWrongly(c ruleCommand) bool {
	st, ok := c.st.(*events.MemberSeconded)
	if !ok {
		return false
	}
	for _, p := range h.waiting() {
		if p.st.Head().ID != st.Statement {
			continue
		}
		key := ruleGet[events.Key](p.st, "Key")
		liaison := h.roleOf(c.key) == events.Liaison
		return st.Key != key || st.Leaf != ruleLeaf(p.ruleCommand) || p.key == c.key ||
			slices.Contains(p.seconded, c.key) || liaison &&
			(p.st.Head().Type == "member.revoked" || key.Party() != c.key.Party())
	}
	return true
}

// retractsWrongly is rule 55.
func (h ruleHistory) retractsWrongly(c ruleCommand) bool {
	st, ok := c.st.(*events.MemberRetracted)
	return ok && !slices.ContainsFunc(h.waiting(), func(p ruleProposal) bool {
		return p.st.Head().ID == st.Statement && p.key == c.key &&
			ruleGet[events.Key](p.st, "Key") == st.Key
	})
}

// drawRetraction draws a retraction of what waits, which is right as a rule.
func (h ruleHistory) drawRetraction(t *rapid.T, st *events.MemberRetracted) {
	open := h.roll().open
	if len(open) == 0 {
		return
	}
	p := rulePick(t, "retracted", open)
	st.Statement = p.st.Head().ID
	if ruleDie(t, "another key", 12) < 11 {
		st.Key = ruleGet[events.Key](p.st, "Key")
	}
}

// drawSecond draws a second of what waits, which is right as a rule.
func (h ruleHistory) drawSecond(t *rapid.T, st *events.MemberSeconded) {
	open := h.roll().open
	if len(open) == 0 {
		return
	}
	p := rulePick(t, "seconded", open)
	st.Statement = p.st.Head().ID
	if ruleDie(t, "another leaf", 12) < 11 {
		st.Leaf = ruleLeaf(p.ruleCommand)
	}
	if ruleDie(t, "another key", 12) < 11 {
		st.Key = ruleGet[events.Key](p.st, "Key")
	}
}

// asking makes the founding ask for seconds.
func (h ruleHistory) asking(seconds int) ruleHistory {
	if len(h) > 0 {
		h[0].st.(*events.LedgerFounded).Seconds = seconds
	}
	return h
}

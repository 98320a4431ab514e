package proof

import (
	"fmt"

	"muster/events/english"
)

// Those who may not read all of a ledger still verify it. Of what is withheld they have the leaf
// hash, so that the tree is theirs as everybody's; and of the rules they ask what [rules.Part] can.

// passOver takes in that there is a record that may not be read.
func (v *verifier) passOver(sequence uint64) *Fault {
	if sequence == 1 {
		return &Fault{Sequence: 1, Check: "records",
			What: "it is withheld, and the founding of a ledger is for everybody to read"}
	}
	if err := v.state.Withhold(sequence); err != nil {
		return &Fault{Sequence: sequence, Check: "records", What: whatOf(sequence, err)}
	}
	return nil
}

// reportWithheld says what was not looked at, since it may not be read.
func (v *verifier) reportWithheld(r *Report) {
	if r.Withheld == 0 {
		return
	}
	r.Add("withheld", NotChecked,
		"%s: each has its place in the tree by its leaf hash alone, and neither "+
			"what it says, nor who signed it, nor whether it was allowed was looked at",
		withheldText(r))
	if n := v.inPart; n > 0 {
		r.Add("in-part", NotChecked,
			"%s on what may be withheld: whether it was allowed was verified "+
				"of each only as far as it does not", restingText(n))
	}
	r.CannotShow = append(r.CannotShow, "that nothing is withheld but what its label closes: "+
		"whoever may read all compares the views with: muster verify URL --views")
}

func withheldText(r *Report) string {
	text := english.Several(r.Withheld, "record") + " of " + fmt.Sprint(r.Records)
	if r.View == "" {
		return text + " could not be read"
	}
	return fmt.Sprintf("%s could not be read in the view %s", text, r.View)
}

func restingText(n uint64) string {
	if n == 1 {
		return "1 statement rests"
	}
	return fmt.Sprintf("%d statements rest", n)
}

package proof

import (
	"bytes"
	"strings"
	"testing"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func TestVerifyReceipt(t *testing.T) {
	h := newHistory(t).offers(20)
	path, err := tlog.ProveRecord(h.tree.size, 9, &h.tree)
	if err != nil {
		t.Fatal(err)
	}
	receipt := Receipt{Key: h.vkey, Signer: h.paris.Key(), Record: h.records[9].Stored,
		Proof: torchwood.FormatProof(9, path, h.checkpoint())}
	r := VerifyReceipt("the receipt", receipt.Text(), h.trusted())
	if o := outcomes(r); !r.OK || o["proofs"] != Verified || o["checkpoint"] != Verified ||
		o["signatures"] != Verified || o["roster"] != NotChecked || len(r.Said) != 1 {
		t.Fatal(describe(r))
	}
	if claimed := VerifyReceipt("the receipt", receipt.Text(), Options{}); !claimed.OK ||
		!strings.Contains(describe(claimed),
			"- that the checkpoint key is the ledger's: only the receipt itself says so") {
		t.Error(describe(claimed))
	}
	changed := bytes.Replace(receipt.Text(), []byte(`"quantity":7`), []byte(`"quantity":8`), 1)
	if r := VerifyReceipt("the receipt", changed, h.trusted()); r.OK || r.Fault == nil ||
		r.Fault.Check != "proofs" {
		t.Error(describe(r))
	}
	if r := VerifyReceipt("the receipt", receipt.Text()[:99], h.trusted()); r.OK ||
		r.Fault.Check != "file" {
		t.Error(describe(r))
	}
}

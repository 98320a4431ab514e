package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"muster/cmd/internal/files"
	"muster/cmd/internal/reach"
	"muster/events/english"
	"muster/events/problem"
	"muster/ledger/proof"
	"muster/ledger/proof/policy"
	"muster/ledger/witness"
	"muster/ledger/witness/feed"
)

// A server that was begun from an old copy of its folder would give the sequences of acknowledged
// records to others, and sign for them with the key that has signed for the first ones. It cannot
// know. Its witnesses do: so the server asks them, before it takes statements, and they sign its
// tree only where it has all that they have seen.
//
//	one has signed what is not here    it does not start, and one that runs takes no statements
//	enough have signed since the start it takes statements, from then on whoever is away
//	too few have answered              it answers questions, and takes no statements until then
//
// How many are enough the policy says; with "quorum none" it waits for nobody.

const (
	// WitnessedFile is the last checkpoint that was cosigned, to begin with after a start.
	WitnessedFile = "witnessed.checkpoint"
	// peersLag is how long a server may lack what another one on the stream has had witnessed.
	peersLag = 5 * time.Second
	// saveWitnessed is how often it is kept, at most.
	saveWitnessed = 10 * time.Second
)

// openWitnesses begins to feed the witnesses of the policy, and returns when each has answered, or
// had the time to.
func (s *Server) openWitnesses(ctx context.Context) (err error) {
	p := s.cfg.Policy
	if p == nil || s.cfg.Inside {
		return nil
	}
	if !p.Knows(s.signer.Key()) {
		return problem.New(problem.Usage, "the policy names checkpoint keys of the ledger, and "+
			"not this server's, %s", s.signer.Key()).
			WithHint("add the line: log %s", s.signer.Key())
	}
	if err := s.reachable(); err != nil {
		return err
	}
	lag := time.Duration(0)
	if s.peers != nil {
		lag = peersLag
	}
	s.standing.Lock() // stands needs it
	s.witnesses, err = feed.Start(feed.Config{Policy: p, Key: s.signer.Key(), Tree: s.Journal,
		Lag: lag, Log: s.cfg.Log, Standing: s.stands, HTTP: func(url string) (*http.Client, error) {
			return reach.HTTP(url, reach.Trust{Authorities: s.cfg.Authorities}, reach.Limits{})
		}})
	s.standing.Unlock()
	if err != nil {
		return err
	}
	s.onClose(func() error { return errors.Join(s.witnesses.Close(), s.saveWitnessed()) })
	s.restoreWitnessed()
	s.Journal.CosignedBy(s.witnesses.Checkpoint)
	s.witnesses.Heard(ctx)
	now := s.witnesses.Standing()
	if len(now.Parted) > 0 {
		return s.partedFrom(now.Parted[0])
	}
	s.standing.Lock()
	s.asked = true
	s.standing.Unlock()
	s.stands(now)
	return nil
}

// reachable makes sure that the witnesses with an address can be enough: the server would wait for
// ever else.
func (s *Server) reachable() error {
	var names []string
	for _, w := range s.cfg.Policy.Witnesses {
		if w.URL != "" {
			names = append(names, w.Name)
		}
	}
	if s.cfg.Policy.Enough(names...) {
		return nil
	}
	return problem.New(problem.Usage, "the policy asks for more witnesses than it says the "+
		"addresses of, %d", len(names)).
		WithHint("write where each witness is asked: witness NAME KEY URL")
}

// Witnesses is what a server knows of the witnesses of its policy.
type Witnesses struct {
	// Witnessed and By are of the largest tree that as many have signed as the policy asks for; of
	// the largest that any has signed where there is none.
	Witnessed int64            `json:"witnessed" doc:"How many of the records are witnessed; 0 for none"`
	By        policy.Witnessed `json:"by" doc:"Which witnesses have signed for these"`
	Each      []feed.State     `json:"each" doc:"How it goes with each witness that the server asks"`
}

func (s *Server) witnessed() *Witnesses {
	if s.witnesses == nil {
		return nil
	}
	best, ok := s.witnesses.Best(1)
	if !ok { // nobody has signed anything
		best.By = policy.Witnessed{By: []policy.Cosignature{}, Of: len(s.cfg.Policy.Witnesses),
			Needs: s.cfg.Policy.Needs(), Enough: s.cfg.Policy.Enough()}
	}
	return &Witnesses{best.N, best.By, s.witnesses.States()}
}

func (s *Server) witnessStates() []feed.State {
	if s.witnesses == nil {
		return nil
	}
	return s.witnesses.States()
}

// stands has the ledger take statements, or not, as the witnesses say.
func (s *Server) stands(now feed.Standing) {
	s.standing.Lock()
	defer s.standing.Unlock()
	s.sureOfAll = s.sureOfAll || now.Enough
	if !s.asked {
		return
	}
	switch {
	case len(now.Parted) > 0:
		s.Ledger.Hold(s.partedFrom(now.Parted[0]))
	case !s.sureOfAll:
		s.Ledger.Hold(s.unheard(now))
	default:
		s.Ledger.Release()
	}
	if time.Since(s.savedAt) > saveWitnessed {
		if err := s.saveWitnessed(); err != nil {
			s.cfg.Log.Warn("what the witnesses have signed cannot be kept", "error", err)
		}
		s.savedAt = time.Now()
	}
}

// unheard says that too few witnesses have answered to know whether records are missing here.
func (s *Server) unheard(now feed.Standing) *problem.Problem {
	return problem.New(problem.Unavailable, "of the %s of the policy %d have signed since this "+
		"server started, and that is too few to know that it has lost nothing: it takes no "+
		"statements yet", english.Several(len(s.cfg.Policy.Witnesses), "witness"), now.Heard).
		WithHint("it takes them when enough have signed; whoever runs the server: see that the " +
			"witnesses run, that this machine reaches them, and that they know this server's " +
			"checkpoint key; its log says of each why it has not signed")
}

// partedFrom keeps the proof that a witness has signed what is not here, and says what to do.
func (s *Server) partedFrom(p *feed.Parted) *problem.Problem {
	kept, err := s.keepParted(p)
	if err != nil {
		s.cfg.Log.Error("the two checkpoints cannot be kept", "error", err, "here",
			string(p.Ours.Signed), "witness", string(p.Theirs))
		kept = "the log"
	}
	its := "what the witness says, and does not prove, is kept in " + kept
	if p.Theirs != nil {
		its = "both signed checkpoints are kept in " + kept
	}
	here := english.Several(p.Ours.N, "record")
	var ahead *witness.AheadError
	if errors.As(p, &ahead) {
		return problem.New(problem.Unavailable, "the witness %s has signed %s of this ledger, and "+
			"this server has %d: it takes no statements, so that none is put in the place of "+
			"another", p.Witness.Name, english.Several(p.Size, "record"), p.Ours.N).
			WithHint("%s. The folder is an old copy, or another server runs with a copy of it: "+
				"stop that one, and start this one on the newer data folder, the newest backup, "+
				"or the stream that has the records. %s", its, lostToWitness)
	}
	return problem.New(problem.Unavailable, "the witness %s has signed another history of this "+
		"ledger than the %s of this server, which takes no statements", p.Witness.Name, here).
		WithHint("%s. Another server has signed other records with a copy of this one's "+
			"checkpoint.key: stop both, keep both data folders, and find out which of them the "+
			"members have receipts of: that one goes on, and what is in the other alone is "+
			"submitted to it again. %s", its, lostToWitness)
}

// lostToWitness is what is left to do where nothing has what a witness has signed.
const lostToWitness = "Only where nothing has those records any more are they lost: tell all " +
	"members then, and leave the witness out of the policy, for it will never sign anything else"

// keepParted keeps both checkpoints in the data folder, in a file for each pair.
func (s *Server) keepParted(p *feed.Parted) (file string, err error) {
	id := p.Witness.KeyID()
	hash := id[strings.LastIndexByte(id, '+')+1:]
	file = filepath.Join(s.cfg.Dir, fmt.Sprintf("witness-%s-%d-%d.checkpoints", hash, p.Ours.N,
		p.Size))
	theirs := p.Theirs
	if theirs == nil {
		theirs = fmt.Appendf(nil, "The witness %s at %s shows no checkpoint, and says: %v\n",
			p.Witness.Key, p.Witness.URL, p)
	}
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	text := fmt.Appendf(nil, "%s\n%s", p.Ours.Signed, theirs)
	return file, files.Replace(file, 0o600, text)
}

// saveWitnessed keeps the best cosigned checkpoint.
func (s *Server) saveWitnessed() error {
	best, ok := s.witnesses.Best(1)
	if !ok {
		return nil
	}
	return files.Replace(filepath.Join(s.cfg.Dir, WitnessedFile), 0o600, best.Signed)
}

// restoreWitnessed takes in what was kept, if it is of this tree. Nothing rests on it.
func (s *Server) restoreWitnessed() {
	signed, err := os.ReadFile(filepath.Join(s.cfg.Dir, WitnessedFile))
	if err != nil {
		return
	}
	c, err := proof.OpenCheckpoint(signed, s.signer.Key())
	if err == nil && c.N > s.Journal.Tree().N {
		err = fmt.Errorf("it is of %d records", c.N)
	}
	if err == nil {
		root, wrong := s.Journal.RootAt(c.N)
		if err = wrong; err == nil && root != c.Hash {
			err = errors.New("it is of another tree")
		}
	}
	if err == nil {
		err = s.witnesses.Restore(signed)
	}
	if err != nil {
		s.cfg.Log.Warn("what witnesses had signed before the start is passed over", "file",
			WitnessedFile, "why", err)
	}
}

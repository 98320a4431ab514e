package stream

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"muster/events"
)

// wanted is how a stream is made where there is none.
func (s *Stream) wanted() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        s.cfg.Name,
		Description: "Muster ledger: sequence n is record n",
		Subjects:    []string{events.SubjectPrefix + ">"},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Storage:     jetstream.FileStorage,
		Replicas:    s.cfg.Replicas,
		DenyDelete:  true,
		DenyPurge:   true,
		AllowDirect: true,
		// The least: the ledger itself keeps a statement from being there twice.
		Duplicates: 100 * time.Millisecond,

		AllowAtomicPublish: true, // which matters where it has replicas
	}
}

// largestMessage is how many bytes a message may need: a statement has events.MaxBytes at most, and
// as many again are left for the record's first line, in which is the server's name, and for NATS's
// headers, which count as well.
const largestMessage = 2 * events.MaxBytes

// ErrUnfit says that a stream is configured so that it must not be used.
var ErrUnfit = errors.New("this stream could lose records, or not take them")

// checkKeeps refuses a stream that by its configuration could lose messages, keep them otherwise
// than they were sent, or not take them. An administrator can set these options when the stream is
// created or later, some only the one or only the other. Of some it is not plain what they do (NATS
// server 2.15):
//
//   - no_ack: messages are kept, and no append is answered.
//   - sealed, max_msg_size, allow_msg_counter: appends are refused; a stream of counters takes only
//     numbers to add.
//   - first_seq: a stream that is there already stays as it is until the NATS server is started
//     anew. Then it throws away all messages if the first of them is before that, in spite of
//     deny_purge.
//   - subject_transform: messages are kept under other subjects, and so are no records to whoever
//     reads them.
//   - persist_mode async: what was acknowledged and not yet written is lost when the NATS server is
//     killed, and not only in a power cut.
//
// What delete markers and schedules need shows in deny_purge and allow_rollup_hdrs. The others are
// harmless here: republish copies what is kept already; allow_batched is for messages that ask for
// it, and without allow_atomic a replicated stream is slower; a longer duplicate_window takes
// memory; and there are no consumers to be limited.
func checkKeeps(c jetstream.StreamConfig) error {
	const forGood = " (JetStream does not change this any more: begin the stream anew from the " +
		"journal)"
	var faults []string
	fault := func(is bool, text string) {
		if is {
			faults = append(faults, text)
		}
	}
	fault(!slices.Equal(c.Subjects, []string{events.SubjectPrefix + ">"}),
		"subjects must be "+events.SubjectPrefix+">")
	fault(c.Retention != jetstream.LimitsPolicy, "retention must be limits")
	fault(c.MaxMsgs > 0 || c.MaxBytes > 0 || c.MaxAge > 0 || c.MaxMsgsPerSubject > 0,
		"there must be no limits and no expiry")
	fault(!c.DenyDelete, "deny_delete must be on")
	fault(!c.DenyPurge, "deny_purge must be on")
	fault(c.AllowRollup, "allow_rollup_hdrs must be off")
	fault(c.AllowMsgTTL, "allow_msg_ttl must be off"+forGood)
	fault(!c.AllowDirect, "allow_direct must be on")
	fault(c.Storage != jetstream.FileStorage, "storage must be file"+forGood)
	fault(c.MaxMsgSize > 0 && c.MaxMsgSize < largestMessage,
		fmt.Sprintf("max_msg_size must be -1, or %d at least", largestMessage))
	fault(c.NoAck, "no_ack must be off")
	fault(c.Sealed, "sealed must be off"+forGood)
	fault(c.FirstSeq > 1, "first_seq must be 1, or not set")
	fault(c.SubjectTransform != nil, "there must be no subject_transform")
	fault(c.AllowMsgCounter, "allow_msg_counter must be off"+forGood)
	fault(c.PersistMode != jetstream.DefaultPersistMode, "persist_mode must be default"+forGood)
	fault(c.Mirror != nil || len(c.Sources) > 0, "it must not mirror another stream")
	if faults != nil {
		return fmt.Errorf("%w: %s", ErrUnfit, strings.Join(faults, "; "))
	}
	return nil
}

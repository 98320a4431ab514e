// Package rules says whether a statement may be made: it is the rules of the ledger, and what they
// need to know of the records so far. It imports package [muster/events] alone, reads no journal
// and asks no clock, so that an auditor judges with it what a server has recorded, and links no
// database.
//
// A [State] is what the rules need to know of the records so far. [Decide] is all the rules: a pure
// function of a State, a signer's key and a statement, which allows it or refuses it with a
// [muster/events/problem.Problem] that carries the code of the rule. [DecideNew] is asked of what
// somebody is about to say: it tells nothing that the signer may not read. [State.Apply] takes in
// what was allowed. To replay a ledger is to do both for each record in its order, after its
// signature was verified:
//
//	s := rules.NewState()
//	for each record rec, signed with key {
//		err := rules.Decide(s, key, rec.Statement)
//		if err == nil {
//			err = rules.InTime(rec.Statement, rec.Recorded)
//		}
//		if err != nil {
//			// the record breaks a rule, and err says which
//		}
//		if _, err := s.Apply(rec); err != nil {
//			// the record does not follow the one before it
//		}
//	}
//
// [DecideUnsigned] tells somebody who is about to sign what Decide would say. [State.Save] and
// [LoadState] are the form in which a state is kept, so that a start need not read every record. It
// is in the form of [muster/events/compact], with all words in front, so that what was said of a
// pledge is read when somebody speaks of it again.
//
// # The rules
//
// Each rule is given with the codes of its refusals, and with the test that proves it. The list of
// codes is append-only. No rule asks for the requirement that a pledge names as the one that it is
// meant for, nor for its area: an offer may come before the plan, and what is in the plan then
// changes. What is not there is a warning, which readers give.
//
//  1. A ledger has one beginning: its first record is its founding, signed with the founder's key
//     that it names, and there is no other. (not-founded, already-founded, bad-signature;
//     TestRule01OneBeginning)
//
//  2. Each statement is for this ledger, by its origin. (other-ledger; TestRule02ForThisLedger)
//
//  3. An id is used once: the same statement again, signed with the same key, is answered with the
//     first receipt, also when its signature is another one that is right; another statement with
//     the id, or another signer, is refused. [Decide] leaves this rule to the
//     [muster/ledger.Ledger], which can look into its journal. Where the record with the id is is
//     told to those who may read it, and to others who submit a statement, not to those who only
//     ask, that there is one. (id-taken; TestRule03IDOnce)
//
//  4. Only a member signs, with the very key that was admitted, from the record of its admission
//     to that of its revocation. (not-admitted, revoked, bad-signature; TestRule04OnlyMembersSign)
//
//  5. Coordinators admit and revoke members, plan operations and requirements, and take up or
//     decline offers; liaisons say what their nation is ready to do, offers and has under way;
//     importers open operations and record published figures; what is in place, coordinators may
//     say as well. (wrong-party; TestRule05WhoMaySayWhat)
//
//  6. A liaison speaks for its own nation and for no other. (speaks-for-itself;
//     TestRule06NationSpeaksForItself)
//
//  7. While a nation has never had a liaison of its own, a coordinator may say on its behalf what
//     a liaison could, and the record shows who signed; from the admission of its first liaison on
//     nobody else may, not even after that one was revoked. (speaks-for-itself;
//     TestRule07OnBehalfUntilFirstLiaison)
//
//  8. A coordinator revokes any member's key, and every holder its own. (key-unknown, revoked,
//     wrong-party; TestRule08HolderRevokesOwnKey)
//
//  9. A key is admitted once: not twice, not again after its revocation, and not when a key is
//     known that signatures could not tell from it. (key-known; TestRule09KeyAdmittedOnce)
//
//  10. The last coordinator cannot be revoked. (last-coordinator; TestRule10LastCoordinatorStays)
//
//  11. An operation is opened once, and before anything else is said about it. (operation-known,
//     operation-unknown; TestRule11OperationOpenedOnce)
//
//  12. A requirement, a pledge and a scope name roles of the operation's catalogue, and the first
//     two count in one of the role's units. (role-unknown, unit-not-of-role;
//     TestRule12CatalogueOfRolesAndUnits)
//
//  13. A role and unit that were ever used stay in the catalogue: what was cancelled or has ended
//     still counts for the days before. (role-in-use; TestRule13RoleInUseStays)
//
//  14. A requirement's line is issued once, keeps its role, and is not revised, cancelled or
//     issued again after it was cancelled. (line-known, line-unknown, line-cancelled, role-fixed;
//     TestRule14RequirementLines)
//
//  15. What a nation indicates or offers is within the scope that it has declared for the
//     operation to hold on the day from which the offer is effective, if it has declared one by
//     then; of those recorded so far, the latest effective counts. Pledges that were there before
//     may still be amended and move along. (outside-scope; TestRule15Scope)
//
//  16. Nothing about a pledge, a requirement or an operation is effective before it began.
//     (before-beginning; TestRule16NothingBeforeItBegan)
//
//  17. A statement about a pledge names one that is there, with its nation and its operation.
//     (pledge-unknown, pledge-elsewhere; TestRule17PledgeIsWhereItIs)
//
//  18. After an exit (returned, withdrawn, declined) nothing moves, from the record of the exit
//     on, whatever its effective date, but for two things: what was there before the return may
//     still be reported, and what is wrong may be corrected. (pledge-ended;
//     TestRule18NothingMovesAfterExit)
//
//  19. A pledge climbs one rung at a time (indicated, offered, accepted, confirmed, deployed,
//     returned), beginning at indicated, offered or, when it was observed, deployed; it is
//     declined before it was accepted, and withdrawn before it was deployed. (wrong-rung;
//     TestRule19OneRungAtATime)
//
//  20. A pledge keeps its role and its unit, whatever else is amended. (role-fixed, unit-fixed;
//     TestRule20RoleAndUnitFixed)
//
//  21. A pledge is confirmed only when its national conditions (parliament, funding, other) are
//     discharged; the others (a cease-fire, a mandate) are not the nation's, and do not stand in
//     the way. A condition that is added later does not take the confirmation back: readers see
//     both. (condition-open; TestRule21NationalConditionsFirst)
//
//  22. A condition's name is used once in its pledge, and what became of it is said once.
//     (condition-known, condition-unknown; TestRule22ConditionSettledOnce)
//
//  23. Strength is reported only of what is deployed. (wrong-rung;
//     TestRule23ReportsOfWhatIsDeployed)
//
//  24. A nation's role in an operation is observed once, until the forces that were seen have
//     returned. (already-observed; TestRule24NotObservedTwice)
//
//  25. An importer touches only what was observed, never what was offered, nor corrects what was
//     said of that. (wrong-party; TestRule25ImportersTouchWhatWasObserved)
//
//  26. What was observed was never promised: it has no terms to amend or renew, no conditions and
//     no caveats, and is not allocated. (nothing-pledged; TestRule26ObservedIsNotPromised)
//
//  27. What a statement says that its signer has seen, so many records with such a root, is this
//     ledger's tree as it was at that size. [Decide] leaves this rule to the
//     [muster/ledger.Ledger], whose journal has the tree. (other-history;
//     TestRule27SeenIsThisHistory)
//
//  28. A pledge that expires stands through that day, and has lapsed on the next, unless by then
//     it was renewed, amended to expire later, or deployed. No clock is asked: nothing is
//     effective after the lapse, and what holds before it may be recorded however late. Nor is a
//     pledge made to lapse before what was said of it already. (pledge-ended, expires-early;
//     TestRule28Lapse)
//
//  29. A pledge reaches no rung, and takes no exit, on a day before it reached the rung below; and
//     no strength is reported of a day before the forces were there. (before-rung;
//     TestRule29DatesClimbWithTheRungs)
//
//  30. A caveat's name is used once in its pledge, and it is lifted once. (caveat-known,
//     caveat-unknown; TestRule30Caveats)
//
//  31. What is allocated is offered and not in reserve; the requirement is in force and for the
//     same role, in the same unit and a compatible area (the same, or either left open); and the
//     days of the allocation meet the pledge's window. The terms of the pledge are those of the
//     first day of the allocation. (wrong-rung, line-unknown, line-cancelled, allocation-mismatch;
//     TestRule31AllocationFits)
//
//  32. On no day are more allocated of a pledge than are pledged on that day, as far as is
//     recorded. When a pledge is lowered afterwards, what was allocated stays, and readers see
//     what it lacks. (over-allocated; TestRule32NeverMoreThanPledged)
//
//  33. An allocation is released once, and not before it holds. (allocation-unknown,
//     allocation-released, before-beginning; TestRule33AllocationReleasedOnce)
//
//  34. The pledges that are named as relieved, or as relieving, are others that are there, in the
//     same operation and for the same role. (rotation-mismatch; TestRule34Rotation)
//
//  35. A statement about a pledge is corrected by the party that signed it, or by a coordinator,
//     also where a nation speaks for itself: the record shows who did. A correction is not itself
//     corrected: the statement that it mends is corrected again. (wrong-party, speaks-for-itself,
//     correction-unknown; TestRule35WhoCorrects)
//
//  36. What is corrected is something that the statement says. (correction-mismatch;
//     TestRule36CorrectionFits)
//
//  37. After a correction, all that was said of the pledge since still follows, one after the
//     other. Only what is allocated may be more than is pledged then, as after an amendment.
//     (correction-breaks; TestRule37WhatFollowsStillHolds)
//
//  38. A statement about a pledge that says which record about it its signer has seen last builds
//     on that state: when more was said of the pledge since, it is refused with what has changed.
//     What says nothing of it is asked nothing. (changed-since, after-unknown;
//     TestRule38BuildsOnWhatIs)
//
//  39. Terms that are said anew say the release that the pledge has: it changes by a disclosure
//     alone. [Decide] leaves this rule to [DecideNew], since ledgers from before it hold terms
//     that say another, which changed nothing. (release-fixed; TestRule39ReleaseStays)
//
//  40. Nothing is wider than what it rests on: what is in an operation has at most the operation's
//     label, without a word; but a pledge is not allocated to a requirement that some who may read
//     the pledge may not read, nor disclosed to some who may not read its operation, or what it is
//     allocated to. (release-too-wide; TestRule40NothingWiderThanItsGround)
//
//  41. What its signer may not read is not there for a statement: it is refused as in a ledger in
//     which that was never said. [Decide] leaves this rule to [DecideNew]. (operation-unknown,
//     pledge-unknown, rotation-mismatch; TestRule41WhatIsNotReadIsNotThere)
//
//  42. A disclosure opens a pledge to more, and to all of those still who may read it; it is not
//     effective before anything that was said of the pledge, and restates the pledge as it stands
//     then, as far as the rules know it: quantity, window, area, presence, expiry, rung, and what
//     hangs on it. (release-not-wider, disclosure-mismatch; TestRule42DisclosureRestates)
//
//  43. What was said of a pledge before a disclosure is not corrected after it, but for the whole
//     pledge (rule 48), since some who read the pledge do not know of it; nor is a disclosure
//     struck, nor anything effective before it that is said after it. The terms that it tells may
//     be corrected. (disclosed;
//     TestRule43WhatWasDisclosedStays)
//
//  44. A statement that says until when it may be recorded has no later record. The time is that of
//     the record, and no clock's, so that all come to the same; so [Decide] leaves this rule to its
//     callers: see [InTime]. What was recorded in time is answered with its receipt ever after.
//     (too-late; TestRule44RecordedInTime)
//
//  45. Where the founding asks for seconds, an admission or a revocation counts once so many
//     coordinators beside its signer have seconded it, or all others where there are fewer. Until
//     then an admitted key is no member, and a revoked one still is. Its holder revokes a key at
//     once. (not-seconded; TestRule45SecondsOfCoordinators)
//
//  46. There, a further key of a nation that has had a liaison of its own counts only when one of
//     its liaisons has seconded it, too; where none of them may sign any more, one other
//     coordinator must have. It is so only where the founding asks for seconds: in other ledgers
//     coordinators have admitted such keys alone, and what these have signed stays. (not-seconded;
//     TestRule46SecondOfTheNation)
//
//  47. What is seconded is an admission or a revocation that waits, named by its id, its leaf hash
//     and its key, and whose signer may sign still: by a coordinator who has not signed it, or, of
//     a key of its own nation, by a liaison; by each once. (proposal-unknown, proposal-mismatch,
//     seconded-already, wrong-party, speaks-for-itself; TestRule47WhoSeconds)
//
//  48. A correction that strikes the statement with which a pledge began strikes all that was said
//     of it: from its record on the pledge was never made, and nothing more is said of it, nor is
//     it newly named as relieved or relieving; terms that are said anew may still name it where
//     those of their pledge did before, as they may what has ended. What of it is allocated is
//     released before, unless it has ended, or has lapsed by the date of the correction. So may a
//     pledge be struck that was disclosed, too: that tells nothing of what was said before.
//     (still-allocated, pledge-struck, rotation-mismatch; TestRule48StruckAtItsBeginning)
//
//  49. A unit in three capitals that a catalogue takes up is a currency of ISO 4217, and one in
//     lower-case letters is not the code of one. [Decide] leaves this rule to [DecideNew], since
//     ledgers from before it count in others, which stay. (no-currency;
//     TestRule49CurrenciesOfISO4217)
//
//  50. A meeting is closed once: its name stands for what was recorded by then, and is not used
//     again. (meeting-known; TestRule50MeetingClosedOnce)
//
//  51. The coordinators ask the nation whose pledge it is, and that nation asks the coordinators;
//     who is asked answers, once, and not before it was asked. Like all that is said of a pledge,
//     a question and its answer have the pledge's label, and neither is made when the pledge has
//     ended. (query-mismatch, query-unknown, query-answered; TestRule51QueriesAreAnswered)
//
//  52. An organisation is one that an operation declares. What is said in an operation with the
//     code of one that it does not declare is refused, whether that is whose pledge or scope it is
//     or who may read a pledge; and a key is named after one that some operation declares. One
//     that was named so in an operation stays declared there. (organisation-unknown,
//     organisation-in-use; TestRule52OrganisationsAreDeclared)
//
//  53. What is newly declared as an organisation has no name under which a nation is known, or
//     another organisation of any operation, nor one that looks like theirs or is read as a
//     party's; it is in letters of one script, and every character of it is seen. [Decide] leaves
//     this rule to [DecideNew], since more names may come to be known. (organisation-ambiguous;
//     TestRule53OrganisationsHaveNamesOfTheirOwn)
//
//  54. An organisation's code never passes to another body. One after which a key is named that may
//     sign, or is about to be admitted, stays declared in some operation; one that is declared
//     anew, or otherwise than before, has among its names those by which other operations go; and
//     one that has such a key, or was ever named in an operation, keeps all its names where it is
//     declared: others are added, and any of them may be the first. [Decide] leaves this rule to
//     [DecideNew], since ledgers from before it have renamed others. (organisation-in-use,
//     organisation-ambiguous; TestRule54CodesStayWithTheirBodies)
//
//  55. What is retracted is an admission or a revocation that waits for a second, named by its id
//     and its key, and by nobody but whose key signed it. From then on it cannot be seconded; the
//     same may be proposed anew. (proposal-unknown, proposal-mismatch, proposal-of-another;
//     TestRule55ProposalsAreRetracted)
package rules

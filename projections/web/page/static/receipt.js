// A receipt, checked before anybody is told that a statement is recorded. The server is not believed: the record is put together here from
// what was signed, and the proof must lead from it to the root of a checkpoint that the ledger's key has signed (ledger/proof/FORMAT.md).

import { base64Of, bytesOf, verified } from "./key.js";
import { Unavailable, Unverified, checkGrown, checkSigned, leafHash, readCheckpoint, remember, remembered, rootOf, same } from "./tree.js";

const demand = (holds, code) => { if (!holds) throw new Unverified(code); };

// strictly reads base 64 that is written as it must be: one receipt has one form.
const strictly = (text) => { const bytes = bytesOf(text); demand(base64Of(bytes) === text, "no-receipt"); return bytes; };

// noteOf returns the note that the server says it has recorded: the one that was sent, or the same statement signed again by the same key.
const noteOf = async (r, sent, who) => {
  if (r.note === undefined || r.note === sent) return sent;
  const text = sent.slice(0, sent.indexOf("\n\n— ") + 1);
  demand(typeof r.note === "string" && r.note.startsWith(`${text}\n— `) && await verified(r.note, who), "other-statement");
  return r.note;
};

// checkEnvelope returns when the record's first line is one, and says what the receipt says. The server writes it in one way.
const checkEnvelope = (r, statement) => {
  const { v, recorded, by } = JSON.parse(r.envelope);
  demand(v === 1 && typeof by === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(recorded) && !Number.isNaN(Date.parse(recorded)), "bad-envelope");
  demand(r.envelope === `{"v":1,"recorded":"${recorded}","by":${JSON.stringify(by)}}`, "bad-envelope");
  demand(r.recorded === recorded && r.by === by, "bad-envelope");
  demand(!statement.not_after || recorded <= statement.not_after.replace("Z", ".000000Z"), "bad-envelope");
  demand(r.id === statement.id && r.type === statement.type, "other-record");
};

// readProof takes a C2SP tlog-proof apart. It takes no form but the one in which the server writes it.
const readProof = (text) => {
  const end = text.indexOf("\n\n"), [head, index, ...hashes] = text.slice(0, end).split("\n"), signed = text.slice(end + 2);
  demand(end > 0 && head === "c2sp.org/tlog-proof@v1" && /^index (0|[1-9][0-9]{0,14})$/.test(index ?? "") && hashes.length < 64, "no-receipt");
  const path = hashes.map(strictly), checkpoint = readCheckpoint(signed);
  demand(path.every((h) => h.length === 32), "no-receipt");
  demand(checkpoint.signatures.length > 0 && checkpoint.signatures.every((s) => s.data.length > 4), "not-signed");
  for (const line of signed.slice(signed.indexOf("\n\n") + 2).trimEnd().split("\n")) strictly(line.slice(line.lastIndexOf(" ") + 1));
  return { index: Number(index.slice(6)), path, checkpoint };
};

// checkShown holds a checkpoint against the last one that this browser has verified: one of the two has grown from the other.
const checkShown = async (memory, checkpoint) => {
  if (!memory.checkpoint) return true;
  const before = readCheckpoint(memory.checkpoint), newer = checkpoint.size >= before.size;
  await (newer ? checkGrown(before, checkpoint) : checkGrown(checkpoint, before));
  return newer;
};

const check = async (r, sent, who, origin, told) => {
  demand(r && Number.isSafeInteger(r.sequence) && r.sequence > 0 && r.leaf_index === r.sequence - 1, "no-receipt");
  demand([r.envelope, r.proof, r.recorded].every((text) => typeof text === "string"), "no-receipt");
  const note = await noteOf(r, sent, who), statement = JSON.parse(note.slice(0, note.indexOf("\n")));
  checkEnvelope(r, statement);
  const { index, path, checkpoint } = readProof(r.proof);
  demand(index === r.leaf_index, "other-record");
  const memory = remembered(origin), key = memory.known || memory.key || told;
  demand(checkpoint.origin === origin && statement.ledger === origin, "other-ledger");
  await checkSigned(checkpoint, key);
  const root = await rootOf(await leafHash(new TextEncoder().encode(`${r.envelope}\n${note}`)), index, checkpoint.size, path);
  demand(root && same(root, checkpoint.root), "not-included");
  if (await checkShown(memory, checkpoint)) remember(origin, { key, checkpoint: checkpoint.text, at: new Date().toISOString() });
  return `muster receipt v1\nkey ${key.trim()}\nsigner ${who.public}\n\n${r.envelope}\n${note}\n${r.proof}`;
};

// checkReceipt shows that a note that was sent is recorded in the ledger of an origin, and returns the receipt as "muster receipt" reads it. The
// checkpoint must be signed with the key that is known, or else the one of the last time, or else the one that the server tells. It throws
// Unverified where something does not hold, and Unavailable where the server does not answer what the check needs.
export const checkReceipt = async (r, sent, who, origin, told) => {
  try {
    return await check(r, sent, who, origin, told);
  } catch (e) {
    if (e instanceof Unverified || e instanceof Unavailable) throw e;
    throw new Unverified("no-receipt"); // what is no JSON, no base 64, or not of its type
  }
};

// The page on which a proposal is seconded. What waits is proved here before it can be signed: that its record is in the tree of the ledger's
// checkpoint, and that the statement to be signed names just that record and its key. What is told of it is read from the record's own bytes.

import { shown } from "./key.js";
import { Unavailable, Unverified, base64Of, bytesOf, current, inclusion, recordSigned, seen } from "./tree.js";

const box = () => document.getElementById("second");

const demand = (holds, code) => { if (!holds) throw new Unverified(code); };

// proved returns the proposal, as its record has it, once all of it holds.
const proved = async ({ origin, key, sequence, exact, signer }, statement) => {
  const stored = bytesOf(exact), { checkpoint } = await current(origin, key);
  const { leaf, path } = await inclusion(Number(sequence), checkpoint, { stored });
  const [envelope, text] = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(stored).split("\n");
  const { v, recorded } = JSON.parse(envelope), proposal = JSON.parse(text);
  demand(v === 1 && typeof recorded === "string", "bad-envelope");
  demand(proposal.ledger === origin && statement.ledger === origin, "other-ledger");
  demand(["member.admitted", "member.revoked"].includes(proposal.type), "other-proposal");
  demand(statement.type === "member.seconded" && statement.statement === proposal.id && statement.key === proposal.key
    && statement.leaf === base64Of(leaf), "other-proposal");
  demand(await recordSigned(stored, signer), "not-signed");
  return { ...proposal, recorded, signer, path, size: checkpoint.size };
};

const wordsOf = (words, e) => {
  if (e.name === "NotSupportedError") return words.unsupported; // no WebCrypto here, or none that knows Ed25519
  if (e instanceof Unavailable) return `${words.eUnavailable} ${e.message}`;
  return words["e" + (e.code ?? "").replace(/(^|-)(\w)/g, (_, __, c) => c.toUpperCase())] ?? words.eOtherProposal;
};

const tell = (p, words) => {
  const facts = { what: p.type === "member.revoked" ? words.revokes : words["as" + p.role[0].toUpperCase() + p.role.slice(1)] ?? p.role,
    key: p.key, clearance: p.clearance, text: p.note ?? p.reason, signer: p.signer, recorded: p.recorded };
  for (const [name, said] of Object.entries(facts)) {
    const at = document.querySelector(`[data-fact=${name}]`);
    if (at) at.textContent = shown(said ?? "–");
  }
};

// prove offers what waits for signing once it is proved, or says what does not hold, and takes it away.
const prove = async () => {
  if (!document.getElementById("statement") || !box() || box().dataset.state) return;
  const words = box().dataset, sign = document.getElementById("sign"), told = document.getElementById("proved");
  words.state = "proving";
  try {
    const text = document.getElementById("statement"), said = JSON.parse(text.textContent), p = await proved(words, said);
    const { type, id, ledger, ...rest } = said;
    text.textContent = JSON.stringify({ type, id, ledger, seen: seen(words.origin), ...rest }); // the checkpoint that was verified for it
    tell(p, words);
    told.textContent = words.proved.replace("PATH", p.path.length).replace("SIZE", p.size);
    told.className = "answer s-met";
    sign.hidden = false;
    words.state = "proved";
  } catch (e) {
    for (const gone of [sign, document.getElementById("statement"), document.getElementById("proposal")]) gone.remove();
    told.setAttribute("role", "alert");
    told.className = "problem";
    told.textContent = `${words.refused} ${wordsOf(words, e)}`;
    words.state = "refused";
  }
};

window.addEventListener("muster:shown", prove);
prove();

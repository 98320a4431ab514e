// The page Log: the browser looks for each record in the tree of the checkpoint that the ledger's key has signed, before it shows it; what the
// row says must be what is stored; and a key must have signed it that a record before it has admitted, or founded the ledger with, which is
// looked for in the tree, too. Whether that key was revoked meanwhile, and whether something is left out, it does not know.

import { shown } from "./key.js";
import { sentenceOf } from "./sentence.js";
import { Older, Unverified, bytesOf, current, inclusion, recordSigned, supported, treeOf } from "./tree.js";

const box = () => document.getElementById("log-check");
const rows = () => [...document.querySelectorAll("table.log tbody tr")];

// partsOf takes a record apart, by the names that the row has for its parts.
const partsOf = (bytes) => {
  const stored = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), [envelope, statement] = stored.split("\n", 2);
  const { recorded, by } = JSON.parse(envelope), { type, operation } = JSON.parse(statement);
  const [, signer] = /\n— (\S+) \S+\n$/.exec(stored) ?? [];
  return { stored, statement, by, type, operation, signer, time: recorded.replace("T", " ").replace(/\.\d+Z$/, " UTC") };
};

// keysIn returns the keys of those who have signed what is shown, each from the record that has it.
const keysIn = async (checkpoint, tree) => {
  const all = [];
  for (const { dataset } of document.querySelectorAll("#log-keys [data-record]")) {
    const since = Number(dataset.record), stored = bytesOf(dataset.exact);
    try {
      await inclusion(since, checkpoint, { stored }, tree);
    } catch (e) {
      if (!(e instanceof Unverified)) throw e;
      continue; // and what it has signed is not shown
    }
    const { type, key, founder } = JSON.parse(partsOf(stored).statement);
    all.push({ since, key: type === "ledger.founded" ? founder : type === "member.admitted" ? key : "" });
  }
  return all;
};

// checkRow returns when a row shows a record of the tree that one of the keys has signed, or the hash of one that is withheld.
const checkRow = async (row, keys, checkpoint, tree) => {
  const { exact, leaf } = row.dataset, sequence = Number(row.id.slice(1));
  if (leaf) return inclusion(sequence, checkpoint, { leaf: bytesOf(leaf) }, tree);
  const stored = bytesOf(exact);
  await inclusion(sequence, checkpoint, { stored }, tree);
  const parts = partsOf(stored);
  for (const e of row.querySelectorAll("[data-of]")) if (e.textContent !== shown(parts[e.dataset.of])) throw new Unverified("other-bytes");
  if (row.querySelector("th").textContent !== String(sequence)) throw new Unverified("other-bytes");
  for (const { since, key } of keys) if (since <= sequence && await recordSigned(stored, key)) return;
  throw new Unverified("not-signed");
};

// tell puts the sentence that a row's statement says in front of it, once both are known to be what is stored: so the sentence is of the record
// and the words of the page alone. The statement opens below.
const tell = (row, words) => {
  const line = row.querySelector('summary [data-of="statement"]');
  if (!line) return;
  const statement = JSON.parse(partsOf(bytesOf(row.dataset.exact)).statement), says = document.querySelector(`#log-says [data-type="${CSS.escape(statement.type)}"]`)?.dataset.says;
  const text = sentenceOf(statement, says, words, document.documentElement.lang);
  if (!text) return;
  const summary = line.parentElement;
  const sentence = Object.assign(document.createElement("span"), { className: "says" });
  sentence.append(...text.split(/(\d{4}-\d\d-\d\d)/).map((part, i) => i % 2 ? Object.assign(document.createElement("time"), { textContent: part }) : part));
  summary.replaceChildren(sentence);
  summary.after(line);
};

// unitsOf returns the page's words for units.
const unitsOf = () => new Map([...document.querySelectorAll("#log-says [data-unit]")].map(({ dataset }) => [dataset.unit, dataset]));

// refuse takes away what a row shows.
const refuse = (row, text) => {
  while (row.cells.length > 1) row.lastElementChild.remove();
  row.append(Object.assign(document.createElement("td"), { colSpan: 5, className: "s-none", textContent: text }));
};

const say = (state, text) => {
  const at = document.getElementById("log-verdict"), told = document.createElement("p");
  at.setAttribute("role", state === "none" ? "alert" : "status");
  told.className = state === "none" ? "problem" : "note";
  told.textContent = text;
  at.replaceChildren(told);
  box().dataset.state = state;
};

let run = 0; // the newest check

const check = async () => {
  const table = document.querySelector("table.log");
  if (!box() || !table || table.dataset.state !== "open") return;
  const mine = ++run, words = box().dataset, wrong = [], right = [];
  if (!supported()) {
    table.dataset.state = "unchecked";
    return say("none", words.unsupported);
  }
  try {
    const { checkpoint } = await current(words.origin, words.key), tree = treeOf(checkpoint);
    const keys = await keysIn(checkpoint, tree);
    for (const row of rows()) {
      try {
        await checkRow(row, keys, checkpoint, tree);
        right.push(row);
      } catch (e) {
        if (!(e instanceof Unverified) && !(e instanceof SyntaxError)) throw e;
        wrong.push([row, e.code === "not-signed" ? words.unsigned : words.other]);
      }
    }
    if (mine !== run) return;
    for (const [row, text] of wrong) refuse(row, text);
    for (const row of right) tell(row, { unknown: document.getElementById("log-says").dataset.unknown, units: unitsOf() });
    table.dataset.state = "checked";
    if (wrong.length) say("none", words.wrong);
    else say("met", words.held.replace("SIZE", checkpoint.size));
  } catch (e) { // nothing is shown of which nothing is known
    if (mine === run) say("none", e instanceof Unverified ? words.failed : e instanceof Older ? words.older : `${words.open} ${e.message}`);
  }
};

window.addEventListener("muster:shown", check);
check();

// Many statements, signed one by one with one key that stays in this browser (key.js), and sent in batches, one after the other. A row says that
// it is recorded when its receipt has proved it (receipt.js). What is not known stops the rest.

import { forgetNote, keepNote, saving, showKept } from "./kept.js";
import { readKey, shown, signedOnce } from "./key.js";
import { checkReceipt } from "./receipt.js";
import { Unavailable, seen } from "./tree.js";
import { zipOf } from "./zip.js";

let opened; // the key
const receipts = []; // each with the name of its file

const box = () => document.getElementById("desk-sign");
const at = (id) => document.getElementById(id);
const rows = () => [...document.querySelectorAll("tr[data-say]")];

const element = (tag, text, attributes = {}) => {
  const e = document.createElement(tag);
  e.textContent = shown(text);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  return e;
};

const complain = (...lines) => {
  at("desk-problem").replaceChildren(...lines.filter(Boolean).map((line) => element("p", line)));
  at("desk-problem").classList.toggle("problem", lines.some(Boolean));
};

// ofFile says why the holder of a key is not to sign what a file comes to, where it comes from one: it was compared with less than they may
// read, so that what is recorded already would be said again; or one of the statements, which comes after others, is the coordinators' to make.
const ofFile = (name, nation) => {
  const words = box().dataset;
  if (words.sees && words.reader !== name && ![nation, "coordinators", ""].includes(words.view)) return words.sees.replaceAll("NAME", name);
  if (words.coordinators && nation !== "HQ") return words.coordinators;
  return words.accepts && nation !== "HQ" && rows().some((r) => JSON.parse(textOf(r)).type === "pledge.accepted") ? words.accepts : "";
};

let chosen = 0;
const openKey = async (file) => {
  const words = box().dataset, mine = ++chosen;
  opened = undefined; at("desk-send").disabled = true; at("desk-key-name").textContent = ""; complain();
  if (!file) return;
  let key, unsupported = false;
  try {
    key = file.size < 1000 ? await readKey(await file.text()) : undefined;
  } catch (e) {
    unsupported = true;
  }
  if (mine !== chosen || !at("desk-send")) return; // another was chosen meanwhile, or there is nothing to sign any more
  if (!key) return complain(unsupported ? words.unsupported : words.nokey);
  at("desk-key-name").textContent = shown(key.name);
  const nation = key.name.split("/")[0], other = rows().map((r) => JSON.parse(textOf(r)).nation).find((of) => of !== nation && nation !== "HQ");
  if (other) return complain(words.other.replaceAll("NATION", nation).replaceAll("OTHER", other));
  const why = ofFile(key.name, nation);
  if (why) return complain(why);
  opened = key;
  at("desk-send").disabled = false;
};

// What is laid out is what the form said when it was shown. Once the form says anything else, nothing of it is to be signed: what was not sent is
// taken away, until it is shown again. A browser may also give back to a form what was in it before.
const form = at("desk-form");
const differs = () => [...form.elements].some((e) => e.matches("select")
  ? [...e.options].some((o) => o.selected !== (o.defaultSelected || ![...e.options].some((p) => p.defaultSelected) && o.index === 0))
  : e.matches("input:not([type=hidden])") && e.value !== e.defaultValue);
const drop = () => {
  if (!box()) return;
  opened = undefined;
  at("form-differs").textContent = box().dataset.differs;
  for (const row of rows()) if (!row.dataset.became) row.remove();
  const review = document.querySelector(".review"), kept = rows().length > 0;
  for (const e of [...review.children]) if (e.id !== "review-title" && !e.querySelector("#desk-rows")) e.remove();
  if (!kept) review.remove();
  showKept();
  for (const e of document.querySelectorAll("#filled, #left, .sum")) e.remove();
};

const textOf = (row) => row.querySelector("pre").textContent;
const became = (row, state, ...what) => {
  row.dataset.became = state;
  row.querySelector("[data-became]").replaceChildren(...what);
};

// A batch has no more statements than a server takes at once, and texts no longer than it reads of any request without waiting for others.
const mostStatements = 64, mostText = 48 << 10;

// nextBatch takes from the front of what waits the rows of which none rests on another: what one of them names by an id, no other names. Those
// of a plan name each other in words: they go one by one.
const nextBatch = (waiting) => {
  const named = new Set();
  let taken = 0, length = 0;
  for (const row of waiting) {
    const text = textOf(row), ids = text.match(/\b[0-9A-HJKMNP-TV-Z]{26}\b/g) ?? [];
    length += text.length;
    if (taken > 0 && (box().dataset.plan || taken === mostStatements || length > mostText || ids.some((id) => named.has(id)))) break;
    for (const id of ids) named.add(id);
    taken++;
  }
  return waiting.splice(0, taken);
};

// post sends notes, one by itself and several as a batch, and returns the status and the body with which the server answers each.
const post = async (notes) => {
  const [path, type, sent] = notes.length === 1 ? ["statements", "text/plain", notes[0]] : ["statements/batch", "application/json", JSON.stringify({ statements: notes })];
  const answer = await fetch(new URL(`../api/v1/${path}`, import.meta.url), { method: "POST", headers: { "Content-Type": type, "Muster-Language": document.documentElement.lang }, body: sent });
  const body = await answer.json().catch(() => undefined), outcomes = notes.length > 1 && answer.ok && body?.outcomes;
  if (outcomes?.length !== notes.length) return notes.map(() => ({ status: answer.status, body }));
  return outcomes.map((one) => one.problem ? { status: one.problem.status, body: one.problem } : { status: answer.status, body: one.answer });
};

// settle says of a row what became of its statement, as the server has answered or why it has not. It returns whether that is known.
const settle = async (row, note, key, { status, body, failed }) => {
  const words = box().dataset;
  try {
    if (failed) throw failed;
    if (status >= 400 && status < 500 && String(body?.type).startsWith("urn:muster:problem:")) {
      forgetNote(note);
      became(row, "refused", element("span", body.detail, { class: "wrong" }));
      return true;
    }
    if (status < 200 || status > 299) throw new Error(words.unknown.replaceAll("STATUS", status));
    const receipt = await checkReceipt(body, note, key, words.origin, words.key);
    forgetNote(note);
    receipts.push([`muster-${body.id}.receipt`, receipt]);
    const log = new URL(words.log, location);
    log.searchParams.set("from", body.sequence);
    became(row, "recorded", element("a", String(body.sequence), { href: `${log.pathname}${log.search}#r${body.sequence}` }), " ", saving(receipt, words.receipt, `muster-${body.id}.receipt`));
    return true;
  } catch (e) {
    const code = "e" + (e.code ?? "").replace(/(^|-)(\w)/g, (_, __, c) => c.toUpperCase());
    const why = e instanceof Unavailable ? `${words.eUnavailable} ${e.message}` : words[code] ?? (e instanceof TypeError ? words.unsent : e.message);
    if (note) keepNote(note);
    became(row, "unknown", element("span", why, { class: "wrong" }), " ", ...(note ? [saving(note, words.keep, "muster-statement.note")] : []));
    complain(why, words.unprovedThen);
    return false;
  }
};

// sendBatch signs and sends the statements of some rows. It returns whether it is known what became of each.
const sendBatch = async (batch, key) => {
  const notes = [];
  let answers, failed, known = true;
  try {
    for (const row of batch) notes.push(await signedOnce(textOf(row), key));
    answers = await post(notes);
  } catch (e) {
    failed = e;
  }
  for (const [i, row] of batch.entries()) known = await settle(row, notes[i], key, answers?.[i] ?? { failed }) && known;
  return known;
};

// meanwhile says why nothing is to be signed of a plan that others have changed since it was shown, as the server tells; "" where they have not.
const meanwhile = async () => {
  const words = box().dataset;
  if (!words.plan) return "";
  for (const on of [words.effective, "2199-12-31"]) { // what holds then, and what is to hold ever
    const answer = await fetch(new URL(`../api/v1/operations/${words.plan}?on=${on}`, import.meta.url)).catch(() => undefined);
    if (answer?.status === 404) continue; // it is to be opened
    if (!answer?.ok) return words.unsent;
    const { catalogue, requirements } = await answer.json();
    if ([catalogue, ...requirements ?? []].some((said) => said.sequence > Number(words.asOf))) return words.meanwhile;
  }
  return "";
};

// offerReceipts has all receipts of this page saved in one file, where the page says so.
const offerReceipts = () => {
  if (!box().dataset.zip || receipts.length < 2) return;
  at("desk-done").append(" ", element("a", box().dataset.zip, { href: URL.createObjectURL(zipOf(receipts)), download: "muster-receipts.zip", class: "button" }));
};

const send = async () => {
  if (!opened || differs()) return;
  const words = box().dataset, all = rows(), key = opened;
  const sending = (is) => { for (const e of [...form.elements, at("desk-key"), at("desk-send")]) e.disabled = is; };
  const count = (state) => all.filter((r) => r.dataset.became === state).length;
  const say = (text) => { at("desk-done").textContent = text.replace("DONE", count("recorded")).replace("REFUSED", count("refused")).replace("ALL", all.length); };
  sending(true); complain();
  const why = count("recorded") === 0 && await meanwhile();
  if (why) { complain(why); return sending(false); }
  const waiting = all.filter((r) => !["recorded", "refused"].includes(r.dataset.became));
  while (waiting.length > 0) {
    say(words.progress);
    const batch = nextBatch(waiting);
    if (!await sendBatch(batch, key)) {
      say(words.stopped);
      offerReceipts();
      sending(false);
      return;
    }
    if (words.whole && batch.some((r) => r.dataset.became === "refused")) { // what comes after it may rest on it
      complain(words.whole);
      break;
    }
  }
  say(words.allDone);
  offerReceipts();
  for (const e of form.elements) e.disabled = false; // the key stays closed
  at("desk-done").dataset.done = "yes";
};

for (const kind of ["input", "change"]) document.addEventListener(kind, (e) => { if (form && e.target.form === form) drop(); });
document.addEventListener("change", (e) => { if (e.target.id === "desk-key") openKey(e.target.files[0]); });
document.addEventListener("click", (e) => { if (e.target.id === "desk-send") send(); });

// The statements say which checkpoint this browser has checked last.
const checked = form && seen(form.dataset.origin);
if (checked) { form.elements.seen_size.value = checked.size; form.elements.seen_root.value = checked.root; }
if (form && differs()) drop();
showKept();
(at("wrong") ?? at("review-title"))?.focus();
if (at("desk-key")?.files[0]) openKey(at("desk-key").files[0]); // which was chosen while this was loading

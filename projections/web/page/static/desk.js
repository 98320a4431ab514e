// Many statements, signed one by one with one key that stays in this browser (key.js), and sent in turn. A row says that it is recorded when its
// receipt has proved it (receipt.js). What is not known stops the rest.

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

// sendOne signs and sends the statement of a row. It returns whether it is known what became of it.
const sendOne = async (row, key) => {
  const words = box().dataset;
  let note;
  try {
    note = await signedOnce(textOf(row), key);
    const answer = await fetch(new URL("../api/v1/statements", import.meta.url), { method: "POST", headers: { "Content-Type": "text/plain", "Muster-Language": document.documentElement.lang }, body: note });
    const body = await answer.json().catch(() => undefined);
    if (answer.status >= 400 && answer.status < 500 && String(body?.type).startsWith("urn:muster:problem:")) {
      forgetNote(note);
      became(row, "refused", element("span", body.detail, { lang: "en", class: "wrong" }));
      return true;
    }
    if (!answer.ok) throw new Error(words.unknown.replaceAll("STATUS", answer.status));
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
  for (const row of all) {
    if (["recorded", "refused"].includes(row.dataset.became)) continue;
    say(words.progress);
    if (!await sendOne(row, key)) {
      say(words.stopped);
      offerReceipts();
      sending(false);
      return;
    }
    if (words.whole && row.dataset.became === "refused") { // what comes after it may rest on it
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

// Signing a statement in the browser, with a key that stays in it (key.js).

import { forgetNote, keepNote, saving, showKept } from "./kept.js";
import { readKey, shown, signedOnce } from "./key.js";
import { checkReceipt } from "./receipt.js";
import { storedAs } from "./store.js";
import { Unavailable, seen } from "./tree.js";

const post = (path, note) => fetch(path, { method: "POST", headers: { "Content-Type": "text/plain", "Muster-Language": document.documentElement.lang }, body: note });

const element = (tag, text, attributes = {}) => {
  const e = document.createElement(tag);
  e.textContent = shown(text);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  return e;
};

let opened, note; // the key, and the note that was signed last

const box = () => document.getElementById("sign");
const statement = () => document.getElementById("statement").textContent;

const complain = (...lines) => {
  const at = document.getElementById("sign-problem");
  at.replaceChildren(...lines.filter(Boolean).map((line) => element("p", line)));
  at.classList.toggle("problem", lines.some(Boolean));
};

const openKey = async (file) => {
  const words = box().dataset, button = document.getElementById("sign-send"), name = document.getElementById("key-name");
  opened = undefined; button.disabled = true; name.textContent = ""; complain();
  if (!file) return;
  try {
    opened = file.size < 1000 ? await readKey(await file.text()) : undefined;
  } catch (e) {
    return complain(words.unsupported);
  }
  if (!opened) return complain(words.nokey);
  name.textContent = shown(opened.name);
  const nation = opened.name.split("/")[0], of = JSON.parse(statement()).nation;
  if (of && nation !== of && nation !== "HQ") return complain(words.other.replaceAll("NATION", nation).replaceAll("OTHER", of));
  button.disabled = false;
};

const refusal = (p) => {
  const listed = (p.errors ?? []).filter((f, _, all) => all.length > 1 || !p.detail.includes(f.message));
  complain(box().dataset.refused, p.detail, ...listed.map((f) => `${f.location}: ${f.message}`), p.code === "changed-since" ? box().dataset.changed : p.hint);
  for (const f of p.errors ?? []) {
    const input = document.getElementById("f-" + f.location.replace(/^body\./, ""));
    if (!input) continue;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", "sign-problem");
    input.closest("p").classList.add("bad");
  }
};

const saved = (text, words, name, id) => {
  const save = element("p", "");
  save.append(saving(text, words, name, { id }));
  return save;
};

// unknown says why it is not known whether a statement is recorded, what to do, and keeps what was signed.
const unknown = (...why) => {
  const words = box().dataset;
  complain(...why, words.unprovedThen);
  document.getElementById("sign-problem").append(saved(note, words.keep, `muster-${JSON.parse(statement()).id}.note`, "signed-note"));
  keepNote(note);
};

// unproved says what does not hold of a receipt.
const unproved = (e) => {
  const words = box().dataset, code = "e" + (e.code ?? "").replace(/(^|-)(\w)/g, (_, __, c) => c.toUpperCase());
  unknown(words.unproved, e instanceof Unavailable ? `${words.eUnavailable} ${e.message}` : words[code] ?? String(e));
};

// refuses reports whether an answer is the ledger's refusal, after which nothing is recorded. A fault (5xx), or what somebody on the way says,
// may come after the statement was recorded.
const refuses = (answer, body) => answer.status >= 400 && answer.status < 500 && String(body?.type).startsWith("urn:muster:problem:");

// done says that a statement is recorded, which its receipt has proved.
const done = (r, receipt) => {
  const words = box().dataset, at = document.getElementById("sign-done");
  const told = element("p", words.recorded + " ");
  const log = new URL(words.log, location);
  log.searchParams.set("from", r.sequence);
  told.append(element("a", String(r.sequence), { href: `${log.pathname}${log.search}#r${r.sequence}` }), `, ${r.recorded}.`);
  at.replaceChildren(told);
  if (r.again) at.append(element("p", words.again));
  at.append(saved(receipt, words.receipt, `muster-${r.id}.receipt`, "receipt"), element("pre", r.proof));
  at.dataset.sequence = r.sequence;
  forget();
  forgetNote(note);
  document.getElementById("sign-send").disabled = true;
};

const send = async () => {
  const words = box().dataset, button = document.getElementById("sign-send");
  button.disabled = true; complain();
  document.getElementById("sign-done").textContent = words.checking;
  try {
    note = undefined;
    note = await signedOnce(statement(), opened);
    const answer = await post(new URL("../api/v1/statements", import.meta.url), note);
    const body = await answer.json().catch(() => undefined);
    document.getElementById("sign-done").textContent = "";
    if (refuses(answer, body)) { forgetNote(note); refusal(body); }
    else if (!answer.ok) unknown(words.unknown.replaceAll("STATUS", answer.status), body?.detail);
    else await checkReceipt(body, note, opened, words.origin, words.key).then((receipt) => done(body, receipt), unproved);
    if (document.getElementById("receipt")) return;
  } catch (e) {
    document.getElementById("sign-done").textContent = "";
    if (note) unknown(words.unsent);
    else complain(words.unsupported);
  }
  button.disabled = false;
};

// --- The draft: what was written stays in this browser until it is recorded, or its writer signs out.

const draftForm = () => document.querySelector("form[data-draft]");
const draftKey = () => storedAs("draft " + draftForm()?.dataset.draft);
const keptFields = (form) => [...form.elements].filter((e) => e.name && e.type !== "hidden" && e.tagName !== "BUTTON");
const forget = () => { localStorage.removeItem(draftKey()); };

const keep = () => {
  const form = draftForm();
  localStorage.setItem(draftKey(), JSON.stringify({ id: form.elements.id.value, after: form.elements.after?.value, on: form.elements.terms_on?.value, fields: Object.fromEntries(keptFields(form).map((e) => [e.name, e.value])) }));
};

const restore = () => {
  const form = draftForm(), kept = localStorage.getItem(draftKey());
  if (!form || form.getAttribute("id") !== "draft" || !kept || document.getElementById("wrong") || document.getElementById("since")) return;
  const { id, after, on, fields } = JSON.parse(kept);
  if (id) form.elements.id.value = id;
  if (after && form.elements.after) form.elements.after.value = after; // the fields are of a pledge as it was then
  if (on && form.elements.terms_on) form.elements.terms_on.value = on; // and on that day
  for (const e of keptFields(form)) if (e.name in fields) e.value = fields[e.name];
  document.getElementById("draft-note").hidden = false;
};

document.addEventListener("input", (e) => { if (e.target.closest("form[data-draft]")) keep(); });
document.addEventListener("change", (e) => { if (e.target.id === "key-file") openKey(e.target.files[0]); });
document.addEventListener("click", (e) => {
  if (e.target.id === "sign-send") send();
  if (e.target.id === "draft-discard") { forget(); location.assign(location.pathname + location.search); }
});
// showSeen lets the statement say which checkpoint this browser has checked last.
const showSeen = () => {
  const form = draftForm(), at = seen(form.dataset.origin);
  if (at) { form.elements.seen_size.value = at.size; form.elements.seen_root.value = at.root; }
};

// catchUp puts into the form what somebody else has changed meanwhile: what was typed would stay in a field that the page shows again.
const catchUp = () => {
  const stale = draftForm().querySelectorAll("[data-stands]");
  for (const e of stale) { e.value = e.dataset.stands; e.removeAttribute("data-stands"); }
  if (stale.length > 0 || document.getElementById("since")) keep(); // and of which record it is now
};

const arrive = () => { showKept(); if (!draftForm()) return; restore(); catchUp(); showSeen(); draftForm().dataset.kept = "yes"; (document.getElementById("wrong") ?? document.getElementById("since") ?? document.getElementById("review-title"))?.focus(); };
window.addEventListener("muster:shown", arrive);
arrive();

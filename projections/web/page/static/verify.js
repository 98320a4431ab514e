// The page Verify: the browser checks the checkpoint, that the ledger has only grown, and one record, and says what it has found.

import { shown } from "./key.js";
import { Older, Unavailable, Unverified, base64Of, bytesOf, current, fetchCheckpoint, forget, inclusion, remember, remembered, same, supported, witnessed, witnessesIn } from "./tree.js";

const box = () => document.getElementById("check");
const filled = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

const element = (tag, text, className = "") => {
  const e = document.createElement(tag);
  e.textContent = shown(text);
  e.className = className;
  return e;
};

// line is one thing that was found, with a sign: met, partly (it holds, and proves little), or none.
const line = (state, text) => {
  const li = element("li", "", `s-${state}`), sign = element("span", "", "sym");
  sign.setAttribute("aria-hidden", "true");
  li.append(sign, ` ${shown(text)}`);
  return li;
};

const when = (iso) => iso.replace("T", " ").replace(/\.\d+Z$/, " UTC");

// shownRecord returns the bytes of the record that the page shows: what is shown of them is not what is hashed, where they have characters that act.
const shownRecord = () => {
  const at = document.getElementById("stored"), exact = bytesOf(at.dataset.exact);
  if (shown(new TextDecoder("utf-8", { ignoreBOM: true }).decode(exact)) !== at.textContent) throw new Unverified("other-bytes");
  return exact;
};

const findings = async (data) => {
  if (!supported()) throw new DOMException("", "NotSupportedError");
  const { checkpoint, before, at, key, from } = await current(data.origin, data.key);
  const values = { size: checkpoint.size, origin: checkpoint.origin, before: before?.size, at: at && when(at), record: data.record };
  const lines = [line("met", filled(data.signed, values)), line(from === "known" ? "met" : "partly", data[from])];
  if (!before) lines.push(line("partly", data.first));
  else lines.push(line("met", filled(before.size === checkpoint.size ? data.same : data.grown, values)));
  const witnesses = await witnessesIn(remembered(data.origin).witnesses ?? "");
  if (witnesses.length) {
    const { size, by } = await witnessed(checkpoint, witnesses, key);
    const said = { ...values, records: by.length ? size : 0, by: by.length, of: witnesses.length, names: by.map((w) => w.name).join(", ") };
    lines.push(line(by.length ? "met" : "partly", filled(by.length ? data.witnessed : data.unwitnessed, said)));
  }
  let proof;
  if (data.record) {
    const leaf = document.getElementById("leaf"), stored = !leaf && shownRecord();
    const given = leaf ? { leaf: bytesOf(leaf.textContent) } : "counted" in data ? { stored } : {};
    proof = await inclusion(Number(data.record), checkpoint, given);
    if (!leaf && !same(stored, proof.stored)) throw new Unverified("other-bytes");
    lines.push(line(leaf ? "partly" : "met", filled(leaf ? data.unread : data.included, { ...values, path: proof.path.length })));
  }
  return { lines, checkpoint, proof };
};

const wordsOf = (data, e) => {
  if (e.name === "NotSupportedError") return data.eUnsupported; // no WebCrypto here, or none that knows Ed25519
  if (e instanceof Unavailable) return `${data.eUnavailable} ${e.message}`;
  const words = data["e" + (e.code ?? "").replace(/(^|-)(\w)/g, (_, __, c) => c.toUpperCase())];
  return words ? filled(words, { ...e.values, at: e.values?.at && when(e.values.at) }) : String(e);
};

const evidence = (...parts) => {
  const at = document.getElementById("check-evidence");
  while (at.children.length > 1) at.lastChild.remove();
  for (const [title, text] of parts) if (text) at.append(element("h3", title), element("pre", text));
  at.hidden = at.children.length < 2;
};

let run = 0; // the newest check: what an older one finds is not shown any more

const check = async () => {
  if (!box()) return;
  const mine = ++run, data = box().dataset, memory = remembered(data.origin);
  const verdict = document.getElementById("check-verdict"), list = document.getElementById("check-list");
  for (const [id, text] of [["known-key", memory.known], ["known-witnesses", memory.witnesses]]) {
    const field = document.getElementById(id);
    if (document.activeElement !== field) field.value = text ?? "";
  }
  for (const e of document.querySelectorAll("[data-here]")) e.textContent = new URL("..", import.meta.url).href.replace(/\/$/, "");
  if (!verdict.textContent) verdict.replaceChildren(element("p", data.working));
  const show = (state, words, lines) => {
    verdict.setAttribute("role", state === "none" ? "alert" : "status");
    verdict.replaceChildren(element("p", words, state === "none" ? "problem" : `answer s-${state}`));
    list.replaceChildren(...lines);
    box().dataset.state = state;
  };
  try {
    const { lines, checkpoint, proof } = await findings(data);
    if (mine !== run) return;
    show("met", data.held, lines);
    evidence([data.then, memory.checkpoint], [data.now, checkpoint.text], [data.path, proof && [proof.leaf, ...proof.path].map(base64Of).join("\n")]);
  } catch (e) {
    const now = await fetchCheckpoint().catch(() => undefined);
    if (mine !== run) return;
    const open = e instanceof Unavailable || e.name === "NotSupportedError";
    show("none", open ? data.open : e instanceof Older ? data.older : data.failed, [line("none", wordsOf(data, e))]);
    evidence([data.then, memory.checkpoint], [data.now, now?.text]);
  }
};

document.addEventListener("click", (e) => {
  if (!box()) return;
  if (e.target.id === "know-key") remember(box().dataset.origin, { known: document.getElementById("known-key").value.trim() });
  else if (e.target.id === "know-witnesses") remember(box().dataset.origin, { witnesses: document.getElementById("known-witnesses").value.trim() });
  else if (e.target.id === "forget") forget(box().dataset.origin);
  else return;
  check();
});
window.addEventListener("muster:shown", check);
check();

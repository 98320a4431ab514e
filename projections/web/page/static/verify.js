// The page Verify: the browser checks the checkpoint, that the ledger has only grown, and one record, and says what it has found.

import { Unavailable, base64Of, current, fetchCheckpoint, forget, inclusion, knowKey, knownKey, remembered, supported } from "./tree.js";

const box = () => document.getElementById("check");
const filled = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

const element = (tag, text, className = "") => {
  const e = document.createElement(tag);
  e.textContent = text;
  e.className = className;
  return e;
};

// line is one thing that was found, with a sign: met, partly (it holds, and proves little), or none.
const line = (state, text) => {
  const li = element("li", "", `s-${state}`), sign = element("span", "", "sym");
  sign.setAttribute("aria-hidden", "true");
  li.append(sign, ` ${text}`);
  return li;
};

const when = (iso) => iso.replace("T", " ").replace(/\.\d+Z$/, " UTC");

const findings = async (data) => {
  if (!supported()) throw Object.assign(new Unavailable(), { code: "unsupported" });
  const { checkpoint, before, beforeAt, from } = await current(data.origin, data.key);
  const values = { size: checkpoint.size, by: checkpoint.by, before: before?.size, at: beforeAt && when(beforeAt), record: data.record };
  const lines = [line("met", filled(data.signed, values)), line(from === "known" ? "met" : "partly", data[from])];
  if (!before) lines.push(line("partly", data.first));
  else lines.push(line("met", filled(before.size === checkpoint.size ? data.same : data.grown, values)));
  let proof;
  if (data.record) {
    proof = await inclusion(Number(data.record), checkpoint);
    const shown = new TextEncoder().encode(document.getElementById("stored").textContent);
    if (base64Of(shown) !== base64Of(proof.stored)) throw Object.assign(new Error(), { code: "other-bytes" });
    lines.push(line("met", filled(data.included, { ...values, path: proof.path.length })));
  }
  return { lines, before, checkpoint, proof };
};

const wordsOf = (data, e) => {
  if (e.name === "NotSupportedError") return data.eUnsupported; // a browser that does not know Ed25519
  if (e.code === "unsupported") return data.eUnsupported;
  if (e instanceof Unavailable) return `${data.eUnavailable} ${e.message}`;
  const key = "e" + (e.code ?? "").replace(/(^|-)(\w)/g, (_, __, c) => c.toUpperCase());
  return data[key] ?? String(e);
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
  document.getElementById("known-key").value = knownKey(data.origin);
  for (const e of document.querySelectorAll("[data-here]")) e.textContent = location.origin;
  if (!verdict.textContent) verdict.replaceChildren(element("p", data.working));
  const show = (state, words, lines) => {
    verdict.setAttribute("role", state === "none" ? "alert" : "status");
    verdict.replaceChildren(element("p", words, state === "none" ? "problem" : `answer s-${state}`));
    list.replaceChildren(...lines);
    box().dataset.state = state;
  };
  try {
    const { lines, before, checkpoint, proof } = await findings(data);
    if (mine !== run) return;
    show("met", data.held, lines);
    evidence([data.then, before && memory.signed], [data.now, checkpoint.signed], [data.path, proof && [proof.leaf, ...proof.path].join("\n")]);
  } catch (e) {
    const now = await fetchCheckpoint().catch(() => "");
    if (mine !== run) return;
    const open = e instanceof Unavailable || e.name === "NotSupportedError";
    show("none", open ? data.open : data.failed, [line("none", wordsOf(data, e))]);
    evidence([data.then, memory?.signed], [data.now, now]);
  }
};

document.addEventListener("click", (e) => {
  if (!box()) return;
  if (e.target.id === "know-key") knowKey(box().dataset.origin, document.getElementById("known-key").value.trim());
  else if (e.target.id === "forget") { forget(box().dataset.origin); knowKey(box().dataset.origin, ""); }
  else return;
  check();
});
window.addEventListener("muster:shown", check);
check();

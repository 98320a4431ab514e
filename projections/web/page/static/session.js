// Signing in. The browser signs a note that names this ledger, this server as the browser has reached it, a time and a nonce: nobody can use
// it for anything else. The answer is a cookie that no script can read. The key stays here (key.js).

import { readKey, shown, signed } from "./key.js";
import { storedAs } from "./store.js";

const box = () => document.getElementById("sign-in");
const longest = 12 * 3600e3; // milliseconds that a session lasts at most

let opened; // the key

const complain = (...lines) => {
  const at = document.getElementById("session-problem");
  at.replaceChildren(...lines.filter(Boolean).map((line) => Object.assign(document.createElement("p"), { textContent: shown(line) })));
  at.classList.toggle("problem", lines.some(Boolean));
};
const say = (text) => { document.getElementById("session-status").textContent = text; };

const openKey = async (file) => {
  const button = document.getElementById("session-begin"), name = document.getElementById("session-name");
  opened = undefined; button.disabled = true; name.textContent = ""; complain();
  if (!file) return;
  try {
    opened = file.size < 1000 ? await readKey(await file.text()) : undefined;
  } catch {
    return complain(box().dataset.unsupported);
  }
  if (!opened) return complain(box().dataset.nokey);
  name.textContent = shown(opened.name);
  button.disabled = false;
};

// at is where the API has something, below the path that this file is below.
const at = (path) => new URL("../api/v1/" + path, import.meta.url);

// seconds writes a time as notes have it.
const seconds = (time) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");

// noteFor returns the note that signs in here. The address is the browser's own word for the server, and never one that the server tells.
const noteFor = ({ origin, nonce }) => {
  const now = Date.now();
  return ["muster session v1", origin, location.origin, seconds(now), seconds(now + longest), nonce].join("\n");
};

const ask = async (path, headers = {}, body = undefined) => {
  const answer = await fetch(at(path), { method: "POST", headers: { ...headers, "Muster-Language": document.documentElement.lang }, body });
  const told = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(told.detail), { told });
  return told;
};

const begin = async () => {
  const words = box().dataset, button = document.getElementById("session-begin");
  button.disabled = true; complain(); say(words.working);
  try {
    const asked = await ask("session/nonce");
    if (asked.origin !== words.origin || !/^[A-Za-z0-9_-]+$/.test(asked.nonce)) throw Object.assign(new Error(), { told: { detail: words.other } });
    const note = await signed(noteFor(asked), opened);
    const who = await ask("session", { "Content-Type": "text/plain", "Muster-Cookie": "1" }, note);
    const state = await (await fetch(at("session"), { cache: "no-store" })).json();
    if (!state.signed_in) throw Object.assign(new Error(), { told: { detail: words.cookie } });
    opened = undefined;
    sessionStorage.removeItem(storedAs("asked"));
    location.assign(words.then || (who.role === "liaison" ? words.mine : words.home));
    return;
  } catch (e) {
    if (e.told) complain(words.refused, e.told.detail, e.told.hint);
    else complain(words.unsent);
  }
  say("");
  button.disabled = false;
};

// arrive goes on where somebody is signed in who did not seem to be: the cookie is not sent with links from elsewhere.
const arrive = async () => {
  if (!box()) return;
  openKey(document.getElementById("session-key").files[0]); // which may have been chosen before this script came
  const then = box().dataset.then;
  const state = await fetch(at("session"), { cache: "no-store" }).then((a) => a.json()).catch(() => ({}));
  if (state.signed_in) location.replace(then || location.href);
};

document.addEventListener("change", (e) => { if (e.target.id === "session-key") openKey(e.target.files[0]); });
document.addEventListener("click", (e) => { if (e.target.id === "session-begin") begin(); });
window.addEventListener("muster:shown", arrive);
arrive();

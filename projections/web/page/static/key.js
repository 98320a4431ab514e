// A member's key in the browser. The key file is read here, with WebCrypto (Ed25519), and is never sent or kept; what is sent is a signed
// note, as the program sends it (C2SP signed-note; events/FORMAT.md has the form).

import { storedAs } from "./store.js";

const utf8 = new TextEncoder();
export const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
export const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));
const joined = (...parts) => Uint8Array.from(parts.flatMap((p) => [...p]));
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

// shown shows text of others as what it is: what acts, or turns the text around it, as its number.
export const shown = (text) => String(text).replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (c) => `⟨U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);

// readKey reads a secret key: "PRIVATE+KEY+", the name, the hash in hexadecimal, and base 64 of the algorithm (1, Ed25519) and the seed. It
// returns nothing for what is none, and else its name, the hash, the secret key, and the public half, as a key and as text. The hash is that of the name and the public half, which tells a damaged file.
export const readKey = async (text) => {
  const found = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text.trim());
  if (!found) return undefined;
  const [, name, hash, data] = found;
  const secret = bytesOf(data);
  if (secret.length !== 33 || secret[0] !== 1) return undefined;
  const pkcs8 = joined([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20], secret.slice(1)); // RFC 8410
  const open = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const x = (await crypto.subtle.exportKey("jwk", open)).x.replaceAll("-", "+").replaceAll("_", "/");
  const half = bytesOf(x + "=".repeat((4 - x.length % 4) % 4)), spoken = `${name}+${hash}+${base64Of(joined([1], half))}`;
  const id = new Uint8Array(await crypto.subtle.digest("SHA-256", joined(utf8.encode(name + "\n"), [1], half))).slice(0, 4);
  if (!same([...id], hash.match(/../g).map((h) => parseInt(h, 16)))) return undefined;
  const verifier = await crypto.subtle.importKey("raw", half, "Ed25519", false, ["verify"]);
  return { name, id, public: spoken, verifier, key: await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]) };
};

// signed returns the signed note of a text, which a new line ends: a statement, or who signs in.
export const signed = async (lines, { name, id, key }) => {
  const text = lines + "\n";
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", key, utf8.encode(text)));
  return `${text}\n— ${name} ${base64Of(joined(id, signature))}\n`;
};

// signedOnce returns the note that this tab has signed before of the same statement with the same key, or signs it now. Some browsers sign with
// random nonces, so that to sign again would make other bytes of the same statement.
export const signedOnce = async (statement, who) => {
  const name = storedAs(`note ${base64Of(who.id)} ${statement}`);
  const kept = sessionStorage.getItem(name);
  if (kept) return kept;
  const made = await signed(statement, who);
  try { sessionStorage.setItem(name, made); } catch { /* it is full: then the server knows the statement again */ }
  return made;
};

// verified reports whether a note has one signature, and that of a key.
export const verified = async (note, { name, id, verifier }) => {
  const end = note.indexOf("\n\n— "), text = note.slice(0, end + 1);
  const [, by, base64] = /^— (\S+) ([A-Za-z0-9+/]+={0,2})\n$/.exec(note.slice(end + 2)) ?? [];
  if (end < 0 || by !== name) return false;
  const data = bytesOf(base64);
  return base64Of(data) === base64 && same([...data.slice(0, 4)], [...id]) && crypto.subtle.verify("Ed25519", verifier, data.slice(4), utf8.encode(text));
};

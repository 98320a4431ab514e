// The ledger's tree, checked by whoever looks: hashes of RFC 6962 (section 2.1), checkpoints (C2SP tlog-checkpoint and signed-note, Ed25519),
// proofs (C2SP tlog-proof) and tiles (C2SP tlog-tiles). Nothing here believes the server.

const utf8 = new TextEncoder();
const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));
const joined = (...parts) => { const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0)); let at = 0; for (const p of parts) { all.set(p, at); at += p.length; } return all; };
const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

export const leafHash = (record) => sha256(joined([0], utf8.encode(record)));
const nodeHash = (left, right) => sha256(joined([1], left, right));

// readCheckpoint takes a checkpoint apart: its origin, size and root, what was signed, and the signatures.
export const readCheckpoint = (text) => {
  const end = text.indexOf("\n\n");
  const body = text.slice(0, end + 1), [origin, size, root] = body.split("\n");
  const signatures = text.slice(end + 2).split("\n").filter(Boolean).map((line) => {
    const [, name, data] = /^— (\S+) (\S+)$/.exec(line) ?? [];
    return { name, data: data ? bytesOf(data) : new Uint8Array() };
  });
  if (end < 0 || !/^[1-9][0-9]*$/.test(size ?? "") || !root) throw new Error("no checkpoint: " + text.slice(0, 80));
  return { origin, size: Number(size), root: bytesOf(root), text, body, signatures };
};

// isSignedBy reports whether one of a checkpoint's signatures is a key's: "name+hash+base64" (C2SP signed-note, Ed25519), of the origin.
export const isSignedBy = async (checkpoint, vkey) => {
  const found = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim());
  if (!found || found[1] !== checkpoint.origin) return false;
  const data = bytesOf(found[3]), id = found[2].match(/../g).map((h) => parseInt(h, 16));
  if (data[0] !== 1 || data.length !== 33 || !same((await sha256(joined(utf8.encode(found[1] + "\n"), data))).slice(0, 4), id)) return false;
  const key = await crypto.subtle.importKey("raw", data.slice(1), "Ed25519", false, ["verify"]);
  for (const s of checkpoint.signatures) {
    if (s.name === found[1] && same(s.data.slice(0, 4), id) && await crypto.subtle.verify("Ed25519", key, s.data.slice(4), utf8.encode(checkpoint.body))) return true;
  }
  return false;
};

// readProof takes a tlog-proof apart: the index of the leaf, the hashes, and the checkpoint.
export const readProof = (text) => {
  const lines = text.split("\n"), end = lines.indexOf("");
  const index = /^index ([0-9]+)$/.exec(lines[1] ?? "");
  if (lines[0] !== "c2sp.org/tlog-proof@v1" || !index) throw new Error("no proof");
  return { index: Number(index[1]), hashes: lines.slice(2, end).map(bytesOf), checkpoint: readCheckpoint(lines.slice(end + 1).join("\n")) };
};

// rootOf returns the root that a leaf and its proof lead to (RFC 9162, section 2.1.3.2), nothing when the proof is of another length.
export const rootOf = async (leaf, index, size, hashes) => {
  let fn = index, sn = size - 1, r = leaf;
  if (index >= size) return undefined;
  for (const p of hashes) {
    if (sn === 0) return undefined;
    if (fn % 2 === 1 || fn === sn) {
      r = await nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      r = await nodeHash(r, p);
    }
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  return sn === 0 ? r : undefined;
};

// isIncluded reports whether a record, as stored, is the leaf of a proof under the proof's own checkpoint, which the caller checks.
export const isIncluded = async (stored, proof) => {
  const root = await rootOf(await leafHash(stored), proof.index, proof.checkpoint.size, proof.hashes);
  return root !== undefined && same(root, proof.checkpoint.root);
};

const part = (n) => { // of a tile's path: 1234067 is x001/x234/067
  let text = String(n % 1000).padStart(3, "0");
  for (n = Math.floor(n / 1000); n > 0; n = Math.floor(n / 1000)) text = "x" + String(n % 1000).padStart(3, "0") + "/" + text;
  return text;
};

// A tree reads the hashes of a tree of some size from its tiles.
class Tree {
  constructor(size) { this.size = size; this.tiles = new Map(); }

  async tile(level, number) {
    const whole = Math.floor(this.size / 256 ** level), width = Math.min(256, whole - number * 256);
    const path = `/tile/${level}/${part(number)}${width < 256 ? ".p/" + width : ""}`;
    if (!this.tiles.has(path)) {
      const answer = await fetch(path);
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      this.tiles.set(path, new Uint8Array(await answer.arrayBuffer()));
    }
    return this.tiles.get(path);
  }

  // node returns the hash of the perfect subtree of 2^height leaves, the index-th of that height.
  async node(height, index) {
    const level = Math.floor(height / 8), below = 2 ** (height % 8), first = index * below;
    const tile = await this.tile(level, Math.floor(first / 256)), at = first % 256;
    let row = Array.from({ length: below }, (_, i) => tile.slice(32 * (at + i), 32 * (at + i + 1)));
    while (row.length > 1) row = await Promise.all(Array.from({ length: row.length / 2 }, (_, i) => nodeHash(row[2 * i], row[2 * i + 1])));
    return row[0];
  }

  // hash returns the hash of the leaves from..to (RFC 6962, MTH).
  async hash(from, to) {
    const n = to - from, height = Math.log2(n);
    if (Number.isInteger(height)) return this.node(height, from / n);
    const k = 2 ** Math.floor(Math.log2(n - 1));
    return nodeHash(await this.hash(from, from + k), await this.hash(from + k, to));
  }

  // consistency returns the proof that the tree has only grown since it had m leaves (RFC 6962, section 2.1.2).
  async consistency(m, from = 0, to = this.size, whole = true) {
    const n = to - from;
    if (m === n) return whole ? [] : [await this.hash(from, to)];
    const k = 2 ** Math.floor(Math.log2(n - 1));
    if (m <= k) return [...await this.consistency(m, from, from + k, whole), await this.hash(from + k, to)];
    return [...await this.consistency(m - k, from + k, to, false), await this.hash(from, from + k)];
  }
}

// hasGrown reports whether the tree of a checkpoint is that of an older one, and more: the proof is made from the server's tiles, and
// checked with nothing but the two roots (RFC 9162, section 2.1.4.2).
export const hasGrown = async (older, newer) => {
  if (older.size === newer.size) return same(older.root, newer.root);
  let hashes = await new Tree(newer.size).consistency(older.size);
  if (Number.isInteger(Math.log2(older.size))) hashes = [older.root, ...hashes];
  let fn = older.size - 1, sn = newer.size - 1;
  while (fn % 2 === 1) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
  let [fr, ...rest] = hashes, sr = fr;
  for (const c of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = await nodeHash(c, fr); sr = await nodeHash(c, sr);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      sr = await nodeHash(sr, c);
    }
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  return sn === 0 && same(fr, older.root) && same(sr, newer.root);
};

// What this browser remembers of a ledger: the key that its reader knows, and the last checkpoint that was checked.
export const remembered = (origin) => {
  try { return JSON.parse(localStorage.getItem("muster.ledger " + origin)) ?? {}; } catch { return {}; }
};
export const remember = (origin, what) => localStorage.setItem("muster.ledger " + origin, JSON.stringify({ ...remembered(origin), ...what }));

// seen is what a statement says that its signer has seen: the size and root of the last checkpoint that was checked here.
export const seen = (origin) => {
  const { checkpoint } = remembered(origin);
  if (!checkpoint) return undefined;
  const c = readCheckpoint(checkpoint);
  return { size: c.size, root: base64Of(c.root) };
};

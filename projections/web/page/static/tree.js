// The ledger's tree, checked by whoever looks: hashes of RFC 6962 (section 2.1), checkpoints (C2SP tlog-checkpoint and signed-note, Ed25519),
// and tiles (C2SP tlog-tiles). Nothing here believes the server: what it says is recomputed, up to a root that a key has signed.
//
// A checkpoint, here, is { origin, size, root, text, body, signatures }: root as bytes, text as it came, body what was signed.

const utf8 = new TextEncoder();
export const bytesOf = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
export const base64Of = (bytes) => btoa(String.fromCharCode(...bytes));
const joined = (...parts) => { const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0)); let at = 0; for (const p of parts) { all.set(p, at); at += p.length; } return all; };
export const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// Unverified is thrown for what is not as it must be; its code says what. Unavailable is thrown where nothing was shown either way.
export class Unverified extends Error { constructor(code) { super(code); this.code = code; } }
export class Unavailable extends Error {}

// Older is what a server shows that was true once: fewer records than this browser has verified before, at a time. It proves nothing against
// the server, for anybody between can show an old checkpoint again; and it is not what the ledger is now.
export class Older extends Error {
  constructor(code, values) { super(code); this.code = code; this.values = values; }
}

// supported reports whether this browser can check anything: WebCrypto is there over HTTPS, and on this machine, only.
export const supported = () => Boolean(globalThis.crypto?.subtle);

// get returns what the server has at a path, below that of this file's folder.
const get = async (path) => {
  const answer = await fetch(new URL("../" + path, import.meta.url), { cache: "no-store" }).catch((e) => { throw new Unavailable(`/${path}: ${e.message}`); }); // a copy kept on the way is not what the server says now
  if (!answer.ok) throw new Unavailable(`/${path}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
};

// leafHash returns the hash of a record's bytes, as stored.
export const leafHash = (record) => sha256(joined([0], record));
const nodeHash = (left, right) => sha256(joined([1], left, right));

// readNote takes a signed note apart: what was signed, and the signatures. A text that is none has nothing that was signed.
const readNote = (text) => {
  const end = text.indexOf("\n\n");
  const signatures = text.slice(end + 2).split("\n").filter(Boolean).map((line) => {
    const [, name, data] = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    return { name, data: data ? bytesOf(data) : new Uint8Array() };
  });
  return { body: text.slice(0, end + 1), signatures };
};

// readCheckpoint takes a checkpoint apart: its origin, size and root, what was signed, and the signatures.
export const readCheckpoint = (text) => {
  const { body, signatures } = readNote(text), [origin, size, root] = body.split("\n");
  if (!body || !/^[1-9][0-9]{0,14}$/.test(size ?? "") || !/^[A-Za-z0-9+/]{43}=$/.test(root ?? "")) throw new Unverified("no-checkpoint");
  return { origin, size: Number(size), root: bytesOf(root), text, body, signatures };
};

// fetchCheckpoint returns the server's newest checkpoint, or another one that it shows, of which nothing is verified yet.
export const fetchCheckpoint = async (path = "checkpoint") => readCheckpoint(new TextDecoder("utf-8", { ignoreBOM: true }).decode(await get(path)));

// The points of small order by their y, in hexadecimal: for them anybody can make a signature of any text.
const smallOrder = ["00".repeat(32), "01" + "00".repeat(31), "ec" + "ff".repeat(30) + "7f",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"];

// sound reports whether a public key can be somebody's (events/FORMAT.md): its y is less than 2^255-19, and it is none of the points of small
// order. What is no point at all has no signature that verifies.
const sound = (bytes) => {
  const y = [...bytes.slice(0, 31), bytes[31] & 0x7f];
  const beyond = y[0] >= 0xed && y.slice(1, 31).every((b) => b === 0xff) && y[31] === 0x7f;
  return !beyond && !smallOrder.includes(y.map((b) => b.toString(16).padStart(2, "0")).join(""));
};

// The first byte of a key says what it signs: notes such as checkpoints, or cosignatures (C2SP tlog-cosignature).
const ofNotes = 1, ofCosignatures = 4;

// readKey reads a key, "name+hash+base64" (C2SP signed-note, Ed25519). Its hash is that of its name and bytes.
const readKey = async (text, of = ofNotes) => {
  const [, name, hash, base64] = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(text.trim()) ?? [];
  if (!name) throw new Unverified("bad-key");
  const data = bytesOf(base64), id = hash.match(/../g).map((h) => parseInt(h, 16));
  if (data[0] !== of || !same((await sha256(joined(utf8.encode(name + "\n"), data))).slice(0, 4), id)) throw new Unverified("bad-key");
  if (!sound(data.slice(1))) throw new Unverified("bad-key");
  return { name, id, key: await crypto.subtle.importKey("raw", data.slice(1), "Ed25519", false, ["verify"]) };
};

// checkSigned returns when a key, named as the checkpoint's origin, has signed it. Other signatures may stand beside.
export const checkSigned = async (checkpoint, keyText) => {
  const { name, id, key } = await readKey(keyText);
  const own = checkpoint.signatures.filter((s) => s.name === name && same(s.data.slice(0, 4), id));
  if (name !== checkpoint.origin || own.length === 0) throw new Unverified("not-signed");
  for (const s of own) {
    if (await crypto.subtle.verify("Ed25519", key, s.data.slice(4), utf8.encode(checkpoint.body))) return;
  }
  throw new Unverified("bad-signature");
};

// witnessesIn reads the keys of witnesses from lines of text, such as those of a policy (C2SP tlog-policy), of which the others say no key.
export const witnessesIn = async (text) => {
  const lines = text.split("\n").map((l) => l.trim()).filter((l) => l && !/^(#|(log|group|quorum)\s)/.test(l));
  const keys = await Promise.all(lines.map((l) => readKey(/\S+\+[0-9a-f]{8}\+\S+/.exec(l)?.[0] ?? "", ofCosignatures)
    .catch(() => { throw new Unverified("bad-witness"); })));
  return keys.filter((k, i) => keys.findIndex((other) => other.name === k.name && same(other.id, k.id)) === i);
};

// cosigned reports whether a witness has signed a checkpoint: its signature has eight bytes of time, which it covers too.
const cosigned = async (checkpoint, { name, id, key }) => {
  for (const s of checkpoint.signatures) {
    if (s.name !== name || s.data.length !== 4 + 8 + 64 || !same(s.data.slice(0, 4), id)) continue;
    const time = new DataView(s.data.buffer).getBigUint64(4);
    if (await crypto.subtle.verify("Ed25519", key, s.data.slice(12), utf8.encode(`cosignature/v1\ntime ${time}\n${checkpoint.body}`))) return true;
  }
  return false;
};

// recordSigned reports whether a key, as its text has it, has signed the statement of a record, given as it is stored.
export const recordSigned = async (stored, keyText) => {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(stored), note = readNote(text.slice(text.indexOf("\n") + 1));
  return checkSigned({ ...note, origin: keyText.split("+")[0] }, keyText).then(() => true, () => false);
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
    const path = `tile/${level}/${part(number)}${width < 256 ? ".p/" + width : ""}`;
    if (!this.tiles.has(path)) this.tiles.set(path, await get(path));
    if (this.tiles.get(path).length !== 32 * width) throw new Unverified("bad-tile");
    return this.tiles.get(path);
  }

  // entry returns the bytes of a record, from its bundle: each stands behind its length, in 16 bits.
  async entry(index) {
    const number = Math.floor(index / 256), width = Math.min(256, this.size - number * 256);
    const bundle = await get(`tile/entries/${part(number)}${width < 256 ? ".p/" + width : ""}`);
    for (let at = 0, i = number * 256; at + 2 <= bundle.length; i++) {
      const end = at + 2 + bundle[at] * 256 + bundle[at + 1];
      if (i === index && end <= bundle.length) return bundle.slice(at + 2, end);
      at = end;
    }
    throw new Unverified("bad-tile");
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

  // inclusion returns the hashes that stand beside a leaf's way up, the lowest first (RFC 6962, section 2.1.1).
  async inclusion(index, from = 0, to = this.size) {
    if (to - from === 1) return [];
    const middle = from + 2 ** Math.floor(Math.log2(to - from - 1));
    if (index < middle) return [...await this.inclusion(index, from, middle), await this.hash(middle, to)];
    return [...await this.inclusion(index, middle, to), await this.hash(from, middle)];
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

// treeOf returns the tree of a checkpoint, for who looks for several records in it: no tile is read twice.
export const treeOf = (checkpoint) => new Tree(checkpoint.size);

// inclusion shows that a record is in the tree of a checkpoint, and returns { stored, leaf, path }: its bytes, its hash, and the hashes of the
// proof, all of which come from the server's tiles, and lead to the checkpoint's root. Who may not read all of the log gives what there is of
// the record: its bytes (stored), or its hash alone (leaf), where it is withheld.
export const inclusion = async (sequence, checkpoint, given = {}, tree = treeOf(checkpoint)) => {
  if (!Number.isSafeInteger(sequence) || sequence < 1 || sequence > checkpoint.size) throw new Unverified("not-covered");
  const stored = given.leaf ? undefined : given.stored ?? await tree.entry(sequence - 1);
  const leaf = given.leaf ?? await leafHash(stored), path = await tree.inclusion(sequence - 1);
  const root = await rootOf(leaf, sequence - 1, checkpoint.size, path);
  if (!root || !same(root, checkpoint.root)) throw new Unverified("not-included");
  return { stored, leaf, path };
};

// checkGrown returns when the tree of a checkpoint is that of an older one, and more: the proof is made from the server's tiles, and
// checked with nothing but the two roots (RFC 9162, section 2.1.4.2).
export const checkGrown = async (older, newer) => {
  if (older.origin !== newer.origin) throw new Unverified("other-ledger");
  if (older.size === newer.size && same(older.root, newer.root)) return;
  if (older.size === newer.size) throw new Unverified("other-history");
  const tree = new Tree(newer.size);
  let hashes = await tree.consistency(older.size);
  if (Number.isInteger(Math.log2(older.size))) hashes = [await tree.hash(0, older.size), ...hashes];
  let fn = older.size - 1, sn = newer.size - 1;
  while (fn % 2 === 1) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
  let [fr, ...rest] = hashes, sr = fr;
  for (const c of rest) {
    if (sn === 0) throw new Unverified("bad-tree");
    if (fn % 2 === 1 || fn === sn) {
      fr = await nodeHash(c, fr); sr = await nodeHash(c, sr);
      while (fn % 2 === 0 && fn !== 0) { fn = Math.floor(fn / 2); sn = Math.floor(sn / 2); }
    } else {
      sr = await nodeHash(sr, c);
    }
    fn = Math.floor(fn / 2); sn = Math.floor(sn / 2);
  }
  if (sn !== 0 || !same(sr, newer.root)) throw new Unverified("bad-tree"); // tiles that nobody has signed tell nothing of a history
  if (!same(fr, older.root)) throw new Unverified("other-history");
};

// isOlder throws what a smaller checkpoint is than the one that was verified before: another history where the tiles of the larger tree prove
// that, and an older state otherwise.
const isOlder = async (before, checkpoint, at) => {
  const values = { before: before.size, size: checkpoint.size, at };
  try {
    await checkGrown(checkpoint, before);
  } catch (e) {
    if (e.code === "other-history" || e.code === "other-ledger") throw e;
    throw new Older("went-back-unknown", values);
  }
  throw new Older("went-back", values);
};

// remembered returns what this browser remembers of a ledger: { known, witnesses, key, checkpoint, at }. known is the key that its reader has
// entered, witnesses are the lines with the keys of witnesses, and the others are the last checkpoint that was verified (its text), with which key, and when.
export const remembered = (origin) => {
  try { return JSON.parse(localStorage.getItem("muster.ledger " + origin)) ?? {}; } catch { return {}; }
};

// remember adds to what this browser remembers of a ledger; forget takes all of it away.
export const remember = (origin, what) => localStorage.setItem("muster.ledger " + origin, JSON.stringify({ ...remembered(origin), ...what }));
export const forget = (origin) => localStorage.removeItem("muster.ledger " + origin);

// current fetches the newest checkpoint and verifies it: with the key that is known, or else that of the last time, or else the one that the
// server tells; and that the ledger has only grown since the last time. It remembers it, and returns { checkpoint, before, at, key, from }: before
// is the checkpoint of the last time, if there was one, at when that was, and from says where the key is from: "known", "remembered" or
// "told". What does not verify is not remembered, and what is older than what was verified before neither.
export const current = async (origin, told) => {
  const memory = remembered(origin), key = memory.known || memory.key || told;
  const checkpoint = await fetchCheckpoint();
  if (checkpoint.origin !== origin) throw new Unverified("other-ledger");
  await checkSigned(checkpoint, key);
  const before = memory.checkpoint && readCheckpoint(memory.checkpoint);
  if (before && before.size > checkpoint.size) await isOlder(before, checkpoint, memory.at);
  if (before) await checkGrown(before, checkpoint);
  remember(origin, { key, checkpoint: checkpoint.text, at: new Date().toISOString() });
  return { checkpoint, before, at: memory.at, key, from: memory.known ? "known" : memory.key ? "remembered" : "told" };
};

// witnessed verifies which of the witnesses have signed a checkpoint of the server, itself verified with a key: the newest, or the last that the
// server shows as witnessed, which the newest must go on from. It returns { size, by }, how many records that is and which witnesses they are,
// of the one that most have signed.
export const witnessed = async (newest, witnesses, key) => {
  const all = [newest], older = await fetchCheckpoint("checkpoint/witnessed").catch((e) => { if (e instanceof Unavailable) return undefined; throw e; });
  if (older && older.size <= newest.size) {
    if (older.origin !== newest.origin) throw new Unverified("other-ledger");
    await checkSigned(older, key);
    await checkGrown(older, newest);
    all.push(older);
  }
  const found = await Promise.all(all.map(async (c) => {
    const signed = await Promise.all(witnesses.map((w) => cosigned(c, w)));
    return { size: c.size, by: witnesses.filter((_, i) => signed[i]) };
  }));
  return found.reduce((best, one) => one.by.length > best.by.length ? one : best);
};

// seen is what a statement says that its signer has seen: the size and root of the last checkpoint that was verified here.
export const seen = (origin) => {
  const { checkpoint } = remembered(origin);
  if (!checkpoint) return undefined;
  const c = readCheckpoint(checkpoint);
  return { size: c.size, root: base64Of(c.root) };
};

// A ZIP archive of texts, stored as they are: what is saved at once, and opened anywhere.

const utf8 = new TextEncoder();

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
const crc32 = (bytes) => ~bytes.reduce((sum, byte) => table[(sum ^ byte) & 0xff] ^ (sum >>> 8), -1) >>> 0;

// numbers writes numbers of some bytes each, the lowest byte first.
const numbers = (...pairs) => Uint8Array.from(pairs.flatMap(([n, bytes]) => Array.from({ length: bytes }, (_, i) => (n >>> (8 * i)) & 0xff)));

// zipOf returns an archive of files, each a name in plain letters and a text. Their day is 1 January 1980: an archive knows no time zone.
export const zipOf = (files) => {
  const parts = [], directory = [];
  let at = 0;
  for (const [name, text] of files) {
    const called = utf8.encode(name), bytes = utf8.encode(text);
    const what = [[20, 2], [0x800, 2], [0, 2], [0, 2], [0x21, 2], [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [called.length, 2], [0, 2]];
    const head = numbers([0x04034b50, 4], ...what);
    directory.push(numbers([0x02014b50, 4], [20, 2], ...what, [0, 2], [0, 2], [0, 2], [0, 4], [at, 4]), called);
    parts.push(head, called, bytes);
    at += head.length + called.length + bytes.length;
  }
  const size = directory.reduce((n, part) => n + part.length, 0);
  const end = numbers([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [at, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
};

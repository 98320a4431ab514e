// What this browser keeps for a ledger, by names that say for which: another ledger may be at the same host, and have the same store.

const ledger = () => document.getElementById("page").dataset.origin;

// storedAs is the name by which something is kept for this ledger.
export const storedAs = (what) => `muster.of ${ledger()} ${what}`;

// Older pages have used names that say no ledger. What is kept by those is not read any more, but for signed statements of which it is not known
// whether they are recorded (kept.js): each says itself which ledger it is for.
export const olderNotes = "muster.note-kept";
const older = /^muster\.(draft|note|asked|heading)/;

// textOf is the statement in a signed note, and isHere reports whether that is for this ledger.
export const textOf = (note) => note.slice(0, note.indexOf("\n\n— "));
export const isHere = (note) => JSON.parse(textOf(note)).ledger === ledger();

// notesAt returns the notes that this tab has kept by a name.
export const notesAt = (name) => JSON.parse(sessionStorage.getItem(name) ?? "[]");

// signedOut removes what nobody who signs out leaves behind in this browser: drafts and signed statements. What is of another ledger stays.
export const signedOut = () => {
  const others = notesAt(olderNotes).filter((note) => !isHere(note));
  for (const store of [localStorage, sessionStorage]) {
    for (const name of Object.keys(store)) if (name.startsWith(storedAs("")) || older.test(name)) store.removeItem(name);
  }
  if (others.length > 0) sessionStorage.setItem(olderNotes, JSON.stringify(others));
};

// Signed statements of which it is not known whether they are recorded. This tab keeps them, whatever its page shows next, until their fate is
// known: to write such a statement anew may count twice, and to send the same bytes again counts once.

import { shown } from "./key.js";
import { isHere, notesAt, olderNotes, storedAs, textOf } from "./store.js";

const here = () => storedAs("note-kept");
const all = () => [...notesAt(here()), ...notesAt(olderNotes).filter(isHere)];
const put = (name, notes) => { try { sessionStorage.setItem(name, JSON.stringify(notes)); } catch { /* it is full: the page of the moment has it still */ } };
const without = (name, note) => notesAt(name).filter((n) => n !== note);
const idOf = (note) => JSON.parse(textOf(note)).id;

// keepNote keeps a note, and forgetNote one of which it is known what became of it.
export const keepNote = (note) => { put(here(), [...without(here(), note), note]); showKept(); };
export const forgetNote = (note) => { for (const name of [here(), olderNotes]) if (notesAt(name).includes(note)) put(name, without(name, note)); showKept(); };

// saving is a link that saves a text as a file.
export const saving = (text, words, file, more = {}) => {
  const link = document.createElement("a");
  link.textContent = shown(words);
  link.className = "button";
  for (const [name, value] of Object.entries({ href: URL.createObjectURL(new Blob([text], { type: "text/plain" })), download: file, ...more })) link.setAttribute(name, value);
  return link;
};

// showKept lists what earlier pages of this tab have left, but for what this page itself is about to send.
export const showKept = () => {
  const at = document.getElementById("kept-notes");
  if (!at) return;
  const shownNow = [...document.querySelectorAll("#statement, tr[data-say] pre")].map((e) => e.textContent);
  const left = all().filter((note) => !shownNow.includes(textOf(note)));
  at.hidden = left.length === 0;
  at.querySelector("ul").replaceChildren(...left.map((note) => {
    const item = document.createElement("li"), id = document.createElement("code");
    id.textContent = shown(idOf(note));
    item.append(id, " ", saving(note, at.dataset.keep, `muster-${idOf(note)}.note`));
    return item;
  }));
};

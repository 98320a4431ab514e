// What an address cannot do: mark what changes while one looks, move in a matrix with the arrow keys, and play the recorded clock.
// Everything else is links and forms.

import { signedOut, storedAs } from "./store.js";

const page = () => document.getElementById("page");
const words = document.getElementById("words").content.firstElementChild.dataset;
const status = document.getElementById("status");
// The server may answer below some path of its host: what is of it, this file's own address tells.
const session = new URL("../api/v1/session", import.meta.url);
const calm = matchMedia("(prefers-reduced-motion: reduce)");

document.documentElement.classList.add("scripted");

const say = (text) => { status.textContent = text; };

// go shows another address in place, as a link would. It returns when that is shown.
export const go = (url, how = "push", more = {}) =>
  htmx.ajax("GET", url, { target: "#page", select: "#page", swap: "outerMorph", [how]: "true", ...more });

// An answer is shown when it is to what a person has asked for last. What the page asks for by itself gives way to that: it must not take
// away what was opened while it was on its way.
const here = () => location.pathname + location.search;
let asked;
document.addEventListener("htmx:before:request", (e) => {
  const request = e.detail.ctx;
  if (request.whileAt) request.behind = asked;
  else asked = request;
});
document.addEventListener("htmx:after:request", (e) => {
  const request = e.detail.ctx;
  if (request.whileAt ? request.behind !== asked || request.whileAt !== here() : request !== asked) e.preventDefault();
});

// What a reader has opened or closed stays so while the page shows itself anew: only they say what is open.
let anew = false;
document.addEventListener("htmx:before:swap", (e) => { anew = Boolean(e.detail.ctx.whileAt); });
document.addEventListener("htmx:after:swap", () => { anew = false; });
htmx.registerExtension("left-open", {
  htmx_before_morph_attr: (e, { attrName }) => !(anew && attrName === "open" && e.localName === "details"),
});

const addressWith = (changes) => {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  return url.pathname + url.search;
};

// --- Forms that need no button

document.addEventListener("change", (e) => {
  if (e.target.matches("[data-auto]") && e.target.form?.reportValidity()) e.target.form.requestSubmit();
});

// --- A day from a calendar: the browser's own shows the month in words, and the field the day as it is written everywhere.

document.addEventListener("click", (e) => {
  const into = document.getElementById(e.target.dataset.calendar);
  if (!into) return;
  const day = document.createElement("input");
  Object.assign(day, { type: "date", tabIndex: -1, value: into.value.trim() });
  day.setAttribute("aria-hidden", "true");
  day.className = "vh";
  e.target.parentNode.querySelector("[type=date]")?.remove();
  e.target.after(day);
  day.addEventListener("change", () => {
    into.value = day.value;
    into.dispatchEvent(new Event("input", { bubbles: true }));
  });
  day.showPicker();
});

// --- What stands over the page on paper: the meeting that it is printed for. It stays while the browser's tab does.

const showHeading = () => {
  const text = sessionStorage.getItem(storedAs("heading")) ?? "";
  for (const e of document.querySelectorAll("[data-heading]")) e.textContent = text;
  const field = document.getElementById("heading");
  if (field && document.activeElement !== field) field.value = text;
};
document.addEventListener("input", (e) => {
  if (e.target.id === "heading") { sessionStorage.setItem(storedAs("heading"), e.target.value); showHeading(); }
});
document.addEventListener("click", (e) => { if (e.target.id === "print") print(); });
window.addEventListener("muster:shown", showHeading);
showHeading();

// --- Where the pages stand in one row that moves, the one that is shown is in sight.

const showHere = () => {
  const row = document.querySelector(".top nav"), at = row?.querySelector("[aria-current]");
  if (at && row.scrollWidth > row.clientWidth) row.scrollLeft = at.offsetLeft - row.offsetLeft - (row.clientWidth - at.offsetWidth) / 2;
};
window.addEventListener("muster:shown", showHere);
showHere();
document.addEventListener("focusin", (e) => { if (e.target.closest(".top nav")) e.target.scrollIntoView({ block: "nearest", inline: "nearest" }); });

// --- On a telephone, a row of a list is a card: each cell has the head of its column, for the style sheet to show.

const namedCells = () => {
  for (const list of document.querySelectorAll("table.list")) {
    const heads = [...list.querySelectorAll("thead th")].map((th) => th.textContent.trim());
    for (const row of list.tBodies[0]?.rows ?? []) {
      [...row.cells].forEach((cell, i) => { if (heads[i] && cell.colSpan === 1 && !cell.querySelector(":scope > input")) cell.dataset.head = heads[i]; });
    }
  }
};
window.addEventListener("muster:shown", namedCells);
namedCells();

// --- The recorded clock

const asOf = (seq, last) => addressWith({ as_of: seq >= last ? "" : String(seq) });

document.addEventListener("input", (e) => {
  if (e.target.id === "as-of-slide") document.getElementById("as-of-seq").value = e.target.value;
});
document.addEventListener("change", (e) => {
  if (e.target.id === "as-of-slide") go(asOf(Number(e.target.value), Number(e.target.max)));
});

let playing = false;
const beat = 700; // milliseconds from one step to the next

const showPlaying = () => {
  const button = document.getElementById("play");
  if (!button) return;
  button.setAttribute("aria-pressed", String(playing));
  button.textContent = calm.matches ? words.step : playing ? words.pause : words.play;
};

// step goes on by one record, or by as many as it takes for the whole to last about a minute.
const step = async () => {
  const slide = document.getElementById("as-of-slide");
  if (!slide) return false; // another page was opened
  const at = Number(slide.value), last = Number(slide.max);
  const next = Math.min(last, at + Math.max(1, Math.ceil(last / 90)));
  await go(asOf(next, last), "replace", { whileAt: here() });
  return next < last;
};

const play = async () => {
  const slide = document.getElementById("as-of-slide");
  if (Number(slide.value) >= Number(slide.max)) await go(asOf(1, Number(slide.max)));
  while (playing) {
    const began = performance.now();
    if (!(await step())) playing = false;
    showPlaying();
    await new Promise((done) => setTimeout(done, Math.max(0, beat - (performance.now() - began))));
  }
};

document.addEventListener("click", async (e) => {
  if (e.target.id !== "play") return;
  if (calm.matches) { // who wants no motion gets a step for each press
    const slide = document.getElementById("as-of-slide");
    if (Number(slide.value) >= Number(slide.max)) await go(asOf(1, Number(slide.max)));
    else await step();
    return;
  }
  playing = !playing;
  showPlaying();
  if (playing) play();
});

// --- The matrix: arrow keys go from cell to cell

const cellAt = (table, row, column) => table.rows[row]?.cells[column]?.querySelector("a");

document.addEventListener("keydown", (e) => {
  const link = e.target.closest?.("[data-matrix] td a");
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key];
  if (!link || !by || e.altKey || e.ctrlKey || e.metaKey) return;
  const td = link.closest("td"), table = td.closest("table");
  let row = td.parentElement.rowIndex, column = td.cellIndex;
  for (;;) {
    row += by[0]; column += by[1];
    if (row < 1 || row >= table.rows.length || column < 1 || column >= td.parentElement.cells.length) return;
    const to = cellAt(table, row, column);
    if (!to) continue;
    e.preventDefault();
    to.focus();
    to.scrollIntoView({ block: "nearest", inline: "nearest" });
    return;
  }
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape") document.querySelector("[data-close]")?.click();
});

// --- What is ticked

// A tick belongs to what it names, and not to the row that stands there: a list that is sorted or filtered anew has other boxes in place of those
// ticked before. What is listed no more is ticked no more, and the page says so.
const ticks = () => [...document.querySelectorAll("input[form=choose]")];
const ticked = new Set();
let tickedOn = "", gone = 0; // the page, and how many of it are listed no more since somebody ticked last
const nameOf = (box) => `${box.name}=${box.value}`;
const countTicks = () => {
  const at = document.querySelector("[data-chosen]");
  if (!at) return;
  const all = ticks(), n = all.filter((e) => e.checked).length, most = Number(at.dataset.most);
  at.textContent = String(n);
  document.querySelector("[data-gone]").textContent = gone ? at.dataset.unlisted.replace("GONE", gone) : "";
  document.querySelector("[data-many]").textContent = n > most ? at.dataset.over : "";
  for (const b of document.querySelectorAll("#choose button")) b.disabled = n === 0 || n > most;
  for (const e of document.querySelectorAll("[data-all]")) { e.checked = n > 0 && n === all.length; e.indeterminate = n > 0 && n < all.length; }
};
const keepTicks = () => {
  ticked.clear();
  for (const one of ticks()) if (one.checked) ticked.add(nameOf(one));
  tickedOn = location.pathname;
};
// bringTicks ticks what was ticked when the session ended, where somebody comes back after signing in.
const ticksKept = () => storedAs("draft ticks " + location.pathname);
const bringTicks = () => {
  if (!page().dataset.who) return;
  const kept = JSON.parse(sessionStorage.getItem(ticksKept()) ?? "[]");
  sessionStorage.removeItem(ticksKept());
  for (const one of ticks()) if (kept.includes(nameOf(one))) one.checked = true;
};
// showTicks ticks in a list shown anew what was ticked before, and nothing else.
const showTicks = () => {
  const same = location.pathname === tickedOn, before = same ? ticked.size : 0;
  for (const one of ticks()) one.checked = before > 0 && ticked.has(nameOf(one));
  keepTicks();
  gone = (same ? gone : 0) + before - ticked.size;
  countTicks();
};
document.addEventListener("change", (e) => {
  if (e.target.matches("[data-all]")) for (const one of ticks()) one.checked = e.target.checked;
  if (e.target.matches("[data-all], input[form=choose]")) { gone = 0; keepTicks(); countTicks(); }
});
// The statements say which checkpoint this browser has checked last.
document.addEventListener("change", async (e) => {
  const form = e.target.form;
  if (form?.id !== "choose" || form.elements.seen_size.value) return;
  const { seen } = await import("./tree.js"), checked = seen(form.dataset.origin);
  if (checked) { form.elements.seen_size.value = checked.size; form.elements.seen_root.value = checked.root; }
});

// --- Live

let source, told, lost = false;

const follow = () => {
  const live = document.hidden ? undefined : page().dataset.live;
  if (live === told) return;
  source?.close();
  told = live;
  if (!live) return;
  const address = new URL(live, location);
  address.searchParams.set("ledger", page().dataset.ledger);
  source = new EventSource(address);
  source.onopen = async () => {
    if (lost) { lost = false; await refresh([]); say(words.back); setTimeout(() => { if (!lost) say(""); }, 5000); }
  };
  source.onerror = () => {
    lost = true;
    page().dataset.lost = "";
    say(words.lost);
    if (source.readyState === EventSource.CLOSED) refused(address);
  };
  source.addEventListener("coverage", async (e) => {
    const c = JSON.parse(e.data);
    if (c.as_of <= Number(page().dataset.sequence)) return; // it is what is shown
    await refresh(c.lines.map((l) => `[data-line="${CSS.escape(l.operation)}/${CSS.escape(l.line)}"]`));
  });
  let waiting;
  source.addEventListener("record", (e) => {
    const r = JSON.parse(e.data);
    if (r.sequence <= Number(page().dataset.sequence)) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => refresh([`#r${r.sequence}`, `[data-pledge="${r.id}"]`]), 250);
  });
};

// refused asks why a stream was refused, and not only cut off: of another ledger this page must not
// go on. All else is tried again.
const refused = async (address) => {
  if (await ended()) return;
  const enough = new AbortController();
  try {
    const answer = await fetch(address, { signal: enough.signal });
    if (answer.status === 409) {
      say(words.other);
      return;
    }
  } catch {
    // the server is not there
  } finally {
    enough.abort();
  }
  told = undefined;
  setTimeout(follow, 2000);
};

// A page that shows today shows the next day when that has begun (in UTC, on the server's clock).
const untilTomorrow = () => 864e5 - Date.now() % 864e5 + 1000;
const tomorrow = () => {
  const on = new URLSearchParams(location.search).get("on");
  const goesOver = page().dataset.live && (!on || on === "today");
  if (goesOver) refresh([]); // which may never be answered: nothing waits for it
  setTimeout(() => { // the server may be away, its clock behind, or this machine have slept
    const today = new Date().toISOString().slice(0, 10);
    if (goesOver && page().dataset.today < today) tomorrow();
    else setTimeout(tomorrow, untilTomorrow());
  }, 60e3);
};
setTimeout(tomorrow, untilTomorrow());

// refresh shows the same address anew, and marks for a moment what has changed.
const refresh = async (selectors) => {
  if (document.querySelector("[data-draft], input[form=choose]:checked")) return; // somebody is writing, or choosing
  await go(here(), "replace", { whileAt: here() });
  for (const s of selectors) {
    for (const e of document.querySelectorAll(s)) {
      e.classList.add("changed");
      e.title = words.changed;
      setTimeout(() => { e.classList.remove("changed"); e.removeAttribute("title"); }, 6000);
    }
  }
};

document.addEventListener("visibilitychange", follow);

// What was opened gets the focus, and the cell that it was opened from gets it back.
let from, then = "";
document.addEventListener("click", (e) => {
  const cell = e.target.closest?.("[data-matrix] a");
  if (cell) { from = cell.getAttribute("href"); then = "open"; }
  if (e.target.closest?.("[data-close]")) then = "close";
});
const refocus = () => {
  if (then === "open") {
    document.getElementById("opened-title")?.focus({ preventScroll: getComputedStyle(document.getElementById("opened") ?? document.body).position === "fixed" });
    document.querySelector(".cell.open, [data-matrix] [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  if (then === "close" && from) document.querySelector(`[data-matrix] a[href="${CSS.escape(from)}"]`)?.focus();
  then = "";
};

// --- Who is signed in

// A link from elsewhere is followed without the cookie (SameSite=Strict). From this page on it is sent: once, the page looks
// whether its reader is somebody that it did not know.
const recognize = async () => {
  if (page().dataset.who) sessionStorage.removeItem(storedAs("asked"));
  if (!("unknown" in page().dataset) || sessionStorage.getItem(storedAs("asked"))) return;
  sessionStorage.setItem(storedAs("asked"), "yes");
  const state = await fetch(session, { cache: "no-store" }).then((a) => a.json()).catch(() => ({}));
  if (state.signed_in) location.replace(location.href);
};

// Who was signed in when this page was opened is shown nothing as nobody: the public's numbers would look like the reader's own.
const who = page().dataset.who;
const leave = () => {
  if (document.getElementById("again")) return; // which keeps what was filled in, and asks to sign in by itself
  if (ticked.size > 0) sessionStorage.setItem(ticksKept(), JSON.stringify([...ticked]));
  const address = new URL("../session", import.meta.url);
  address.searchParams.set("said", "ended");
  address.searchParams.set("then", here());
  location.replace(address);
};
const ended = async () => {
  if (!who) return false;
  const answer = await fetch(session, { cache: "no-store" }).catch(() => undefined);
  const gone = answer?.status === 401 || answer?.ok && (await answer.json()).key?.split("+")[0] !== who;
  if (gone) leave();
  return Boolean(gone);
};

document.addEventListener("submit", (e) => { if (e.target.matches("[data-sign-out]")) signedOut(); });
// A page that the browser has kept is of somebody who may be gone.
window.addEventListener("pageshow", (e) => { if (e.persisted) location.reload(); });

document.addEventListener("htmx:after:settle", () => {
  if (who && page().dataset.who !== who) return leave();
  showPlaying();
  showTicks();
  follow();
  refocus();
  window.dispatchEvent(new Event("muster:shown"));
});

showPlaying();
bringTicks();
keepTicks();
countTicks();
follow();
recognize();

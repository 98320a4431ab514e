// Dragging across a chart chooses the days that the page shows: it fills in the form, and needs it.

const chosen = 5; // pixels: less is a click
let drag;

const atOf = (svg, e) => new DOMPoint(e.clientX, e.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;

// dayAt returns the date at a place in a chart.
const dayAt = (svg, x) => {
  const first = Date.parse(svg.dataset.first), days = Math.round((Date.parse(svg.dataset.last) - first) / 864e5) + 1;
  const part = (x - Number(svg.dataset.left)) / Number(svg.dataset.width);
  const day = Math.min(days - 1, Math.max(0, Math.floor(part * days)));
  return new Date(first + day * 864e5).toISOString().slice(0, 10);
};

const end = () => {
  drag?.mark.setAttribute("width", "0");
  drag = undefined;
};

document.addEventListener("pointerdown", (e) => {
  const svg = e.target.closest?.("svg.chart");
  if (!svg || e.button !== 0 || e.pointerType === "touch") return;
  e.preventDefault();
  drag = { svg, from: atOf(svg, e), pixel: e.clientX, mark: svg.querySelector(".drag") };
});

document.addEventListener("pointermove", (e) => {
  if (!drag) return;
  const left = Number(drag.svg.dataset.left), right = left + Number(drag.svg.dataset.width);
  const inside = (x) => Math.min(right, Math.max(left, x));
  const a = inside(drag.from), b = inside(atOf(drag.svg, e));
  drag.mark.setAttribute("x", String(Math.min(a, b)));
  drag.mark.setAttribute("width", String(Math.abs(b - a)));
});

document.addEventListener("pointerup", (e) => {
  if (!drag) return;
  const { svg, from, pixel } = drag, to = atOf(svg, e), form = document.getElementById("days");
  end();
  if (Math.abs(e.clientX - pixel) < chosen || !form) return;
  const [a, b] = [dayAt(svg, from), dayAt(svg, to)].sort();
  form.elements.from.value = a;
  form.elements.until.value = b;
  form.requestSubmit();
});

document.addEventListener("pointercancel", end);
document.addEventListener("keydown", (e) => { if (e.key === "Escape") end(); });

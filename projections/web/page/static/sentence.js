// A statement as a sentence, in the words of the page: they come as patterns, and all else from the statement. A pattern has members of the
// statement in braces, {line} or {terms.quantity}, and in brackets what is left out where one of them is not there; {?struck} and {!struck} write
// nothing, and ask whether a member is. Units are said in the words of the page, for one or for more. A pattern and a unit say no number of their
// own: what somebody on the way has put there is not taken.

import { shown } from "./key.js";

const memberOf = (statement, path) => path.split(".").reduce((of, name) => of && typeof of === "object" && Object.hasOwn(of, name) ? of[name] : undefined, statement);

// written writes a member: numbers as the language groups them, keys by their names.
const written = (value, words, lang) => {
  const grouped = (n, options) => new Intl.NumberFormat(lang, options).format(n);
  if (value === undefined || value === false || value === "" || value === null) return undefined;
  if (Array.isArray(value)) return value.map((v) => written(v, words, lang)).join(", ") || undefined;
  if (typeof value === "number") return grouped(value);
  if (typeof value === "object") return shown(value.role ?? value.code ?? "");
  if (value === "unknown") return words.unknown;
  if (/^\d+\.\d\d$/.test(value)) return grouped(value, value.endsWith(".00") ? {} : { minimumFractionDigits: 2 });
  return shown(String(value).replace(/^([^+\s]+)\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/, "$1"));
};

// unitOf writes a unit as the language does beside how much there is of it; as recorded, where the page has no words for it.
const unitOf = (unit, quantity, words, lang) => {
  const of = words.units?.get(unit), said = new Intl.PluralRules(lang).select(Number(quantity)) === "one" ? of?.one : of?.other;
  return said && !/\p{N}/u.test(said) ? shown(said) : written(unit, words, lang);
};

// sentenceOf returns "" for a statement that has no pattern, or none that can be used.
export const sentenceOf = (statement, pattern, words, lang) => {
  if (!pattern || /\p{N}/u.test(pattern)) return "";
  let lacks = false;
  const fill = (text) => text.replace(/\{([?!]?)([\w.]+)\}/g, (_, asks, path) => {
    const value = memberOf(statement, path), isUnit = /(^|\.)unit$/.test(path) && typeof value === "string";
    const said = isUnit ? unitOf(value, memberOf(statement, path.replace(/unit$/, "quantity")), words, lang) : written(value, words, lang);
    if (asks === "!" ? said !== undefined : said === undefined) lacks = true;
    return asks ? "" : said;
  });
  const parts = pattern.split(/(\[[^\]]*\])/).map((part) => {
    lacks = false;
    const said = fill(part.startsWith("[") ? part.slice(1, -1) : part);
    return { said, part, lacks };
  });
  if (parts.some(({ part, lacks }) => lacks && !part.startsWith("["))) return "";
  return parts.map(({ said, lacks }) => lacks ? "" : said).join("");
};

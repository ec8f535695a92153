// What both pages use to show things. Text is always text: nothing here or elsewhere makes markup of strings.

/** @param {string} id */
export const $ = (id) => {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no ${id}`);
  return found;
};

/**
 * An element: `el("button", { class: "quiet", onclick: leave, "aria-label": "Leave" }, "×")`. Functions become
 * listeners; true, false and undefined say whether an attribute is there.
 *
 * @param {string} tag  @param {Record<string, any>} [properties]  @param {...(Node | string | undefined)} children
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  return dressed(made, properties, children);
}

/**
 * The same in SVG.
 *
 * @param {string} tag  @param {Record<string, any>} [properties]  @param {...(Node | string)} children
 */
export function svg(tag, properties = {}, ...children) {
  return dressed(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function dressed(made, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/**
 * Makes `wanted` the children of `parent`, in this order, and leaves alone what is in its place already: so nothing
 * loses its focus, and a reader of the screen is told only what is new.
 *
 * @param {Element} parent  @param {Node[]} wanted
 */
export function reconcile(parent, wanted) {
  let next = parent.firstChild;
  for (const node of wanted) {
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
  while (next) {
    const gone = next;
    next = next.nextSibling;
    gone.remove();
  }
}

/** Sets the text only when it differs. @param {Node} node  @param {string} text */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A disc with the first letters of a name, in a colour that is always the same for the name. @param {string} name */
export function avatar(name) {
  const letters = name.trim().split(/\s+/).map((word) => [...word][0] ?? "");
  const text = (letters.length > 1 ? letters[0] + letters.at(-1) : [...name.trim()].slice(0, 2).join("")).toUpperCase();
  const disc = el("span", { class: "avatar", "aria-hidden": "true" }, text || "?");
  let hash = 0x811c9dc5; // FNV, so that names that are alike do not look alike
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  disc.style.setProperty("--hue", String((hash >>> 8) % 360));
  return disc;
}

const numbers = new Intl.NumberFormat("en");

/** 12,345; with a decimal below ten unless whole. @param {number} value */
export function figure(value) {
  if (!Number.isFinite(value)) return "–";
  return value < 10 && value % 1 >= 0.05 ? value.toFixed(1) : numbers.format(Math.round(value));
}

/** @param {number} count  @param {string} one  @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${figure(count)} ${count === 1 ? one : many}`;

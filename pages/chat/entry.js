// Who somebody is: by a name on a node for development, by a token elsewhere. Kept for this tab only, never in
// addresses.

import { $ } from "../dom.js";

const KEPT = "roost.chat";

/**
 * @typedef {object} Visitor
 * @property {string} [name]  on a node for development
 * @property {string} [token]
 * @property {string} room
 */

/** @returns {Promise<boolean>} */
export async function isDevelopment() {
  try {
    const answer = await fetch("/development");
    return (await answer.json()).development === true;
  } catch {
    return false;
  }
}

/** A token for a connection. @param {Visitor} visitor */
export async function tokenOf(visitor) {
  if (visitor.token) return visitor.token;
  const answer = await fetch(`/development/token?name=${encodeURIComponent(visitor.name ?? "")}`);
  if (!answer.ok) throw new Error(`no token: ${answer.status}`);
  return (await answer.json()).token;
}

/** What a token says of its holder. @param {string} token */
export function holderOf(token) {
  try {
    const text = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    const id = String(claims.sub ?? claims.user_id);
    return { id, name: String(claims.name || id) };
  } catch {
    return { id: "", name: "you" };
  }
}

/** Who was here before, in this tab or by a link. @returns {Visitor | undefined} */
export function knownVisitor() {
  const link = new URLSearchParams(location.hash.slice(1));
  const token = link.get("token");
  if (token) {
    history.replaceState(null, "", location.pathname);
    return remember({ token, room: link.get("room") ?? "general" });
  }
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/** @param {Visitor} visitor */
function remember(visitor) {
  sessionStorage.setItem(KEPT, JSON.stringify(visitor));
  return visitor;
}

export function forgetVisitor() {
  sessionStorage.removeItem(KEPT);
}

/** @param {string} trouble */
function tell(trouble) {
  $("entry-trouble").hidden = !trouble;
  $("entry-trouble").textContent = trouble;
}

/** Asks who it is. @param {boolean} byName  @param {string} [trouble]  @returns {Promise<Visitor>} */
export function askVisitor(byName, trouble = "") {
  const field = /** @type {HTMLInputElement} */ ($(byName ? "name" : "token"));
  $("name-field").hidden = !byName;
  $("token-field").hidden = byName;
  field.required = true;
  tell(trouble);
  $("entry").hidden = false;
  $("chat").hidden = true;
  field.focus();
  return new Promise((resolve) => {
    $("entry-form").onsubmit = (event) => {
      event.preventDefault();
      const value = field.value.trim();
      if (!value) return;
      if (!byName && value.split(".").length !== 3) return tell("That is no token: it has three parts with dots between.");
      const room = /** @type {HTMLInputElement} */ ($("first-room")).value;
      resolve(remember({ [byName ? "name" : "token"]: value, room }));
    };
  });
}

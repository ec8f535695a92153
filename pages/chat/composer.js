// Where one writes. Enter sends, Shift and Enter begins a line; what was begun in a conversation waits there.

import { $ } from "../dom.js";

export class Composer {
  #text = /** @type {HTMLTextAreaElement} */ ($("text"));
  /** @type {Map<string, string>} */ #drafts = new Map();
  #key = "";

  /** @param {{send: (text: string) => void, typing: () => void, stopTyping: () => void}} actions */
  constructor({ send, typing, stopTyping }) {
    const submit = () => {
      const text = this.#text.value.trim();
      if (!text) return;
      this.#text.value = "";
      this.#fit();
      send(text);
    };
    $("compose").addEventListener("submit", (event) => {
      event.preventDefault();
      submit();
      this.#text.focus();
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    });
    this.#text.addEventListener("input", () => {
      this.#fit();
      if (this.#text.value.trim()) typing();
      else stopTyping();
    });
  }

  /** @param {string} key  of the conversation  @param {string} title */
  show(key, title) {
    if (key === this.#key) return;
    this.#drafts.set(this.#key, this.#text.value);
    this.#key = key;
    this.#text.value = this.#drafts.get(key) ?? "";
    this.#text.placeholder = `Write to ${title}`;
    this.#fit();
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  #fit() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
  }
}

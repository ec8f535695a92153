// Small charts of the last 15 minutes: lines in SVG, made by script.

import { $, el, reconcile, say, svg } from "../dom.js";

const SPAN = 900_000;
const SHORTEST = 120_000; // as much is shown at the least
const GAP = 15_000; // a line is not drawn over so long a silence
const [WIDTH, HEIGHT] = [320, 80];
const MOST_LINES = 5;

export class Chart {
  /** @type {Map<string, {at: number, value: number}[]>} */ #lines = new Map();
  #value = el("span", { class: "value" }, "–");
  #svg = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  #top = el("span", {}, "");
  #legend = el("span", { class: "legend" });

  /** @param {string} title  @param {(value: number) => string} format */
  constructor(title, format) {
    this.title = title;
    this.format = format;
    const heading = el("h2", {}, el("span", {}, title), this.#value);
    const axis = el("div", { class: "axis" }, this.#legend, this.#top);
    $("charts").append(el("figure", { class: "card chart" }, heading, this.#svg, axis));
  }

  /** @param {string} name  of the line  @param {number | undefined} value  @param {number} at */
  add(name, value, at) {
    const line = this.#lines.get(name) ?? [];
    this.#lines.set(name, line);
    if (value !== undefined) line.push({ at, value });
    for (const [other, points] of this.#lines) {
      while (points.length > 0 && at - points[0].at > SPAN) points.shift();
      if (points.length === 0 && other !== name) this.#lines.delete(other);
    }
    while (this.#lines.size > MOST_LINES) for (const [oldest] of this.#lines) { this.#lines.delete(oldest); break; }
  }

  /** @param {number} now */
  draw(now) {
    const lines = [...this.#lines];
    const highest = Math.max(0, ...lines.flatMap(([, points]) => points.map(({ value }) => value)));
    const top = ceiling(highest);
    const first = lines.reduce((oldest, [, points]) => Math.min(oldest, points[0]?.at ?? now), now);
    const span = Math.min(SPAN, Math.max(SHORTEST, now - first));
    const place = ({ at, value }) =>
      `${(WIDTH * (1 - (now - at) / span)).toFixed(1)} ${(HEIGHT * (1 - value / top)).toFixed(1)}`;
    const shapes = [0, 0.5, 1].map((share) => svg("line",
      { class: "rule", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share }));
    lines.forEach(([, points], index) => {
      for (const part of parts(points)) {
        const path = part.map((point, number) => `${number ? "L" : "M"}${place(point)}`).join("");
        const x = (point) => place(point).split(" ")[0];
        if (lines.length === 1) {
          const ground = `L${x(part.at(-1))} ${HEIGHT}L${x(part[0])} ${HEIGHT}Z`;
          shapes.push(svg("path", { class: "area line-0", d: path + ground }));
        }
        shapes.push(svg("path", { class: `line-${index}`, d: path }));
      }
    });
    this.#svg.replaceChildren(...shapes);
    this.#describe(lines, top, Math.round(span / 60_000));
  }

  #describe(lines, top, minutes) {
    const latest = lines.map(([name, points]) => [name, points.at(-1)]).filter(([, point]) => point);
    const newest = latest.reduce((one, other) => (!one || other[1].at >= one[1].at ? other : one), undefined);
    say(this.#value, newest ? this.format(newest[1].value) : "–");
    say(this.#top, `${minutes} min, up to ${this.format(top)}`);
    reconcile(this.#legend, lines.map(([name], index) => el("span", { class: `line-${index}` }, name)));
    const words = latest.map(([name, point]) => `${name} ${this.format(point.value)}`).join(", ");
    this.#svg.setAttribute("aria-label", `${this.title}, the last ${minutes} minutes; now ${words || "nothing yet"}`);
  }
}

/** Cut where nothing was heard. @param {{at: number, value: number}[]} points */
function parts(points) {
  const found = [];
  for (const point of points) {
    const part = found.at(-1);
    if (part && point.at - part.at(-1).at < GAP) part.push(point);
    else found.push([point]);
  }
  return found;
}

/** 1, 2 or 5 times a power of ten, not below. @param {number} value */
function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999) ?? value;
}

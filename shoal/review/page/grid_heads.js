/** The heads of the parts of a group: each can be selected, shown whole and moved as a whole. */

/** @import {App} from "./types.js" */
/** @import {Layout} from "./grid_maths.js" */
import { button, el } from "./dom.js";
import { counted } from "./words.js";

/** @param {App} app @param {HTMLElement} heads @param {() => void} arrange */
export function gridHeads(app, heads, arrange) {
  /** @type {Set<number>} parts shown whole */
  const open = new Set();

  /** Runs of equal parts: the number, where it begins, how many images. */
  function runs() {
    const { parts = [] } = app.store.get().members ?? {};
    /** @type {{part: number, first: number, count: number}[]} */
    const found = [];
    parts.forEach((part, i) => {
      const last = found.at(-1);
      if (last?.part === part) last.count += 1;
      else found.push({ part, first: i, count: 1 });
    });
    return found;
  }

  /** @param {number} part */
  function toggle(part) {
    if (!open.delete(part)) open.add(part);
    arrange();
  }

  /** @param {number} first @param {number} n */
  function choose(first, n) {
    const { members } = app.store.get();
    const rows = members?.rows.slice(first, first + n) ?? [];
    app.store.set({ selected: new Set(rows), cursor: first });
    document.getElementById("tiles")?.focus({ preventScroll: true });
  }

  return {
    /** For the layout: a line of each part, all of those that are open. */
    sections: () => runs().map(({ part, count }) => ({ count, lines: open.has(part) ? Infinity : 1 })),

    fold: () => open.clear(),

    /** @param {Layout} grid @param {boolean} inParts */
    draw(grid, inParts) {
      if (!inParts) return heads.replaceChildren();
      const drawn = runs().map(({ part, first, count }, i) => {
        const { top, shown } = grid.sections[i];
        const more = shown < count || open.has(part)
          ? button(open.has(part) ? "Show a line" : "Show all", () => toggle(part), { class: "quiet" }) : null;
        more?.setAttribute("aria-expanded", String(open.has(part)));
        const head = el("div", { class: "head" }, el("h3", { text: `Part ${i + 1}` }),
          el("span", { class: "soft", text: counted(count, "image") }),
          button("Select", () => choose(first, count), { title: "Select the whole part, to move it, or to make a new group of it" }), more);
        head.style.transform = `translateY(${top}px)`;
        return head;
      });
      return heads.replaceChildren(...drawn);
    },
  };
}

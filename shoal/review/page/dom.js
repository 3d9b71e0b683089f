/** Elements, made without markup: names and ids are shown as text, whatever they hold. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: any) => void)>} [attributes]
 *   `text` is the text, `onclick` and the like are listeners, false and null leave an attribute out
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = String(value ?? "");
    else if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, String(value));
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/**
 * The element of the page with this id.
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no element "${id}".`);
  return element;
}

/**
 * A button that says its key.
 * @param {string} label
 * @param {() => void} run
 * @param {{key?: string, class?: string, title?: string, disabled?: boolean, autofocus?: boolean}} [more]
 */
export function button(label, run, { key = "", ...more } = {}) {
  const made = el("button", { type: "button", onclick: run, ...more }, el("span", { text: label }));
  if (key) {
    made.append(el("kbd", { text: key, "aria-hidden": "true" }));
    made.setAttribute("aria-keyshortcuts", key);
  }
  return made;
}

/** The key of something, which nobody takes for a part of its name. @param {string} key @returns {HTMLElement | null} null without a key */
export const keyHint = (key) => (key ? el("span", { class: "key", "aria-hidden": "true" }, "key ", el("kbd", { text: key })) : null);

/**
 * The cross that closes something.
 * @param {string} label
 * @param {() => void} run
 */
export const closeButton = (label, run) => el("button", { type: "button", class: "close", "aria-label": label, text: "×", onclick: run });

/** A bar that is filled by a share from 0 to 1. @param {number} share */
export function meter(share) {
  const filled = el("span", {});
  filled.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return el("span", { class: "meter" }, filled);
}

/** @type {WeakMap<Element, () => void>} */
const unseen = new WeakMap();
/** @type {IntersectionObserver | null} */
let observer = null;

/**
 * Do something when an element comes into the window for the first time.
 * @param {Element} element
 * @param {() => void} run
 */
export function whenSeen(element, run) {
  observer ??= new IntersectionObserver((entries, self) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      self.unobserve(target);
      unseen.get(target)?.();
      unseen.delete(target);
    }
  }, { rootMargin: "200px" });
  unseen.set(element, run);
  observer.observe(element);
}

/**
 * Do something when a person who typed goes on elsewhere on the page. Who goes to another window or tab
 * comes back to the field, with what is typed there: it keeps the focus of the page, and nothing is saved yet.
 * @param {HTMLElement} field
 * @param {() => void} run
 */
export function whenLeft(field, run) {
  field.addEventListener("blur", () => { if (document.activeElement !== field) run(); });
}

/** @param {EventTarget | null} target */
export function isTyping(target) {
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["checkbox", "range", "radio"].includes(target.type))
  );
}

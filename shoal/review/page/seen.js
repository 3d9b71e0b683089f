/** What has just appeared takes no answer before it could be seen: not the second half of a double press or double click, and no held key. */

/** Milliseconds after it was painted. The halves of a double press are about 150 apart. */
export const LONG_ENOUGH = 300;

/** What may be clicked at once, as it answers nothing. */
const LOOKS = ".close, .toast, [data-command=before], [data-command=after]";

/** @type {WeakMap<HTMLElement, object>} by element, when it appeared last */
const appeared = new WeakMap();

/**
 * Something else is shown in an element: it has the attribute `data-unseen` until it was on the screen for long enough.
 * @param {HTMLElement} element
 * @param {() => boolean} [whole] whether all of it is there, its images, too
 */
export function appears(element, whole = () => true) {
  const now = {};
  appeared.set(element, now);
  element.dataset.unseen = "";
  const painted = () => {
    if (appeared.get(element) !== now) return;
    if (!whole()) return void requestAnimationFrame(painted);
    setTimeout(() => { if (appeared.get(element) === now) delete element.dataset.unseen; }, LONG_ENOUGH);
  };
  requestAnimationFrame(painted); // a window that nobody sees paints nothing
}

/** @param {Element | null | undefined} element */
export const isUnseen = (element) => Boolean(element?.closest("[data-unseen]"));

/** Keep clicks, and Enter, from what could not be seen yet. It stays as it is, to be answered in a moment. */
export function shieldUnseen() {
  /** @param {Event} event */
  const keepFrom = (event) => { event.preventDefault(); event.stopPropagation(); };
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (isUnseen(target) && !target.closest(LOOKS)) keepFrom(event);
  }, true);
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.repeat && isUnseen(target) && !event.key.startsWith("Arrow")) return keepFrom(event);
    if (event.key !== "Enter") return;
    const typed = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && target.value !== "");
    if (event.repeat ? target.closest("button, a, summary, input") : isUnseen(target) && !typed) keepFrom(event);
  }, true);
}

/**
 * A value that parts of the page look at. Changes are told once, after all of them are made.
 * @template {object} T
 * @param {T} initial
 */
export function createStore(initial) {
  let value = initial;
  /** @type {Set<{keys: (keyof T)[], run: (value: T) => void}>} */
  const listeners = new Set();
  /** @type {Set<keyof T>} */
  const changed = new Set();
  let due = false;

  function tell() {
    due = false;
    const now = new Set(changed);
    changed.clear();
    for (const { keys, run } of listeners) if (keys.some((key) => now.has(key))) run(value);
  }

  return {
    get: () => value,

    /** @param {Partial<T>} patch */
    set(patch) {
      for (const key of /** @type {(keyof T)[]} */ (Object.keys(patch))) {
        if (!Object.is(value[key], patch[key])) changed.add(key);
      }
      value = { ...value, ...patch };
      if (due || changed.size === 0) return;
      due = true;
      queueMicrotask(tell);
    },

    /**
     * Run now, and whenever one of these keys changes.
     * @param {(keyof T)[]} keys
     * @param {(value: T) => void} run
     * @returns {() => void} what ends it
     */
    on(keys, run) {
      const listener = { keys, run };
      listeners.add(listener);
      run(value);
      return () => void listeners.delete(listener);
    },
  };
}

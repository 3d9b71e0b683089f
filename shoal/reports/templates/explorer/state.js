// What the reader chose. Parts change it through `change` and hear of changes through `listen`.
function createState() {
  const listeners = [];
  const state = {
    lit: new Set(), // the clusters chosen in the legend; none means all
    selected: -1, // the image that was clicked, found or reached by the keyboard
    hovered: -1, // the image under the mouse
    isLit: (cluster) => state.lit.size === 0 || state.lit.has(cluster),
    listen: (listener) => listeners.push(listener),
    change(values) {
      Object.assign(state, values);
      for (const listener of listeners) listener(values);
    },
  };
  return state;
}

// "page {first} of {total}" with values in place of the names; numbers as the language writes them.
function fill(template, values) {
  const language = document.documentElement.lang || undefined;
  return template.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(language) : String(value);
  });
}

// Mouse, fingers and keyboard on the map.
function controlMap(canvas, map, data, state, photos) {
  const { view } = map;
  const fingers = new Map();
  let travelled = 0, scrolled = -1e9;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const hover = (i) => {
    canvas.classList.toggle("on-image", i >= 0);
    if (i !== state.hovered) state.change({ hovered: i });
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    if (fingers.size === 1) travelled = 0;
  });

  canvas.addEventListener("pointermove", (event) => {
    scrolled = -1e9; // whoever moves over the map means the map
    const [px, py] = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") hover(map.hit(px, py, 8));
      return;
    }
    travelled += Math.hypot(px - before[0], py - before[1]);
    if (fingers.size === 2) pinch(event.pointerId, [px, py]);
    else if (travelled > 4) {
      hover(-1);
      view.move(px - before[0], py - before[1]);
    } else return; // not yet a drag; what it moved is kept for when it is one
    fingers.set(event.pointerId, [px, py]);
  });

  function pinch(id, now) {
    const before = fingers.get(id);
    const [other] = [...fingers].filter(([key]) => key !== id).map(([, where]) => where);
    const apart = (a) => Math.max(10, Math.hypot(a[0] - other[0], a[1] - other[1]));
    view.move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    view.zoom(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  canvas.addEventListener("pointerup", (event) => {
    const tapped = fingers.size === 1 && fingers.has(event.pointerId) && travelled <= 4;
    fingers.delete(event.pointerId);
    if (tapped) state.change({ selected: map.hit(...place(event), event.pointerType === "mouse" ? 8 : 20) });
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("dblclick", view.reset);

  // The wheel zooms; yet a page that is being scrolled past the map goes on scrolling.
  window.addEventListener("scroll", () => (scrolled = performance.now()), { passive: true });
  canvas.addEventListener("wheel", (event) => {
    if (performance.now() - scrolled < 400 || (view.isWhole && event.deltaY > 0)) return;
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    view.zoom(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), ...place(event));
  }, { passive: false });

  const directions = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const zooms = { "+": 1.5, "=": 1.5, "-": 1 / 1.5, "−": 1 / 1.5, _: 1 / 1.5 };

  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in directions) step(...directions[event.key]);
    else if (event.key in zooms) zoomOnSelected(zooms[event.key]);
    else if (event.key === "0") view.reset();
    else if (event.key === "Enter" && state.selected >= 0) photos.open(state.selected);
    else if (event.key === "Escape") clear();
    else return;
    event.preventDefault();
  });

  function zoomOnSelected(factor) {
    const i = state.selected;
    if (i < 0) view.zoom(factor);
    else view.zoom(factor, view.toX(data.x[i]), view.toY(data.y[i]));
  }

  // First the selection goes, then the filter.
  function clear() {
    if (state.selected >= 0 || state.hovered >= 0) state.change({ selected: -1, hovered: -1 });
    else state.change({ lit: new Set() });
  }

  // To the nearest image in a direction; what lies aside counts as farther.
  function step(dx, dy) {
    const from = state.selected;
    const x = from < 0 ? view.x : data.x[from];
    const y = from < 0 ? view.y : data.y[from];
    let best = -1, least = Infinity;
    for (let i = 0; i < data.count; i++) {
      if (i === from || !state.isLit(data.labels[i])) continue;
      const right = data.x[i] - x, down = data.y[i] - y;
      const along = right * dx + down * dy;
      const aside = Math.abs(right * dy) + Math.abs(down * dx);
      const cost = from < 0 ? Math.hypot(right, down) : along + 2 * aside;
      if (cost >= least || (from >= 0 && (along <= 0 || aside > 2 * along))) continue;
      least = cost;
      best = i;
    }
    if (best < 0) return;
    state.change({ selected: best, hovered: -1 });
    view.reveal(best);
  }
}

// Which part of the map is seen. World coordinates run from 0 to 1 along both axes, the second
// downward; `x` and `y` are in the middle, and a unit takes `scale` CSS pixels.
function createView(data, changed) {
  const extent = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const [left, right] = extent(data.x);
  const [top, bottom] = extent(data.y);
  const largest = Math.max(48, data.tile.width, data.tile.height);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const view = { x: 0.5, y: 0.5, scale: 1, width: 0, height: 0, isWhole: true };
  let flight = 0;

  // Pictures are as large as the room between images, and never so large that few fit.
  const pictureSize = (scale) => Math.min(0.9 * data.grid.spacing * scale, largest);
  view.pictureSize = () => pictureSize(view.scale);
  view.showsPictures = () => view.pictureSize() >= 14;
  view.toX = (x) => (x - view.x) * view.scale + view.width / 2;
  view.toY = (y) => (y - view.y) * view.scale + view.height / 2;
  view.fromX = (px) => (px - view.width / 2) / view.scale + view.x;
  view.fromY = (py) => (py - view.height / 2) / view.scale + view.y;

  function home() {
    const fit = (margin) =>
      Math.max(1, Math.min((view.width - margin) / (right - left || 1), (view.height - margin) / (bottom - top || 1)));
    const loose = fit(40);
    const room = pictureSize(loose) >= 14 ? pictureSize(loose) : 0;
    return { x: (left + right) / 2, y: (top + bottom) / 2, scale: fit(40 + room) };
  }

  const clamp = (scale) => {
    const farthest = home().scale;
    return Math.min(Math.max(8 * farthest, 200 / data.grid.spacing), Math.max(farthest, scale));
  };

  function set(x, y, scale) {
    const whole = home();
    view.scale = clamp(scale);
    view.isWhole = view.scale <= whole.scale * 1.001;
    view.x = view.isWhole ? whole.x : Math.min(right, Math.max(left, x));
    view.y = view.isWhole ? whole.y : Math.min(bottom, Math.max(top, y));
    changed();
  }

  view.move = (dx, dy) => {
    cancelAnimationFrame(flight);
    set(view.x - dx / view.scale, view.y - dy / view.scale, view.scale);
  };
  // Zooms by a factor; what is under (px, py) stays there.
  view.zoom = (factor, px = view.width / 2, py = view.height / 2) => {
    cancelAnimationFrame(flight);
    const before = [view.fromX(px), view.fromY(py)];
    const scale = clamp(view.scale * factor);
    set(before[0] - (px - view.width / 2) / scale, before[1] - (py - view.height / 2) / scale, scale);
  };
  view.resize = (width, height) => {
    const wasWhole = view.isWhole;
    Object.assign(view, { width, height });
    set(view.x, view.y, wasWhole ? 0 : view.scale);
  };
  // Glides there in a quarter of a second, or jumps for those who prefer that.
  view.fly = (x, y, scale) => {
    cancelAnimationFrame(flight);
    if (still.matches) return set(x, y, scale);
    const from = { x: view.x, y: view.y, scale: view.scale };
    const began = performance.now();
    const step = (now) => {
      const time = Math.min(1, Math.max(0, (now - began) / 250));
      const share = time * time * (3 - 2 * time);
      const mix = (a, b) => a + (b - a) * share;
      set(mix(from.x, x), mix(from.y, y), from.scale * (scale / from.scale) ** share);
      if (time < 1) flight = requestAnimationFrame(step);
    };
    flight = requestAnimationFrame(step);
  };
  view.reset = () => {
    const { x, y, scale } = home();
    view.fly(x, y, scale);
  };
  // Brings image `i` to the middle, close enough to tell it from its neighbours.
  view.focus = (i) => view.fly(data.x[i], data.y[i], Math.max(view.scale, 3 * home().scale));
  // Moves no more than it takes to see image `i` well inside.
  view.reveal = (i) => {
    const margin = Math.min(60, view.width / 4);
    const px = view.toX(data.x[i]), py = view.toY(data.y[i]);
    const dx = Math.max(0, margin - px) - Math.max(0, px - view.width + margin);
    const dy = Math.max(0, margin - py) - Math.max(0, py - view.height + margin);
    if ((dx || dy) && !view.isWhole) view.fly(view.x - dx / view.scale, view.y - dy / view.scale, view.scale);
  };
  return view;
}

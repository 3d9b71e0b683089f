// The map on its canvas: a dot an image, or the images themselves where there is room for them.
function createMap(canvas, data, state, sheets, palette, drawn) {
  const context = canvas.getContext("2d", { alpha: false });
  const dots = createDots(context, palette);
  const found = { lit: new Uint32Array(data.count), faded: new Uint32Array(data.count) };
  const places = {
    x: new Int32Array(data.count), y: new Int32Array(data.count), cluster: new Uint32Array(data.count),
  };
  const view = createView(data, redraw);
  let ratio = 1, frame = 0;

  function redraw() {
    frame ||= requestAnimationFrame(draw);
  }

  function draw() {
    frame = 0;
    if (!view.width) return;
    sheets.begin();
    const [lit, faded] = collect();
    dots.begin();
    drawDots(found.faded, faded, palette.dark ? 0.2 : 0.16);
    if (!view.showsPictures()) drawDots(found.lit, lit, 1);
    dots.end();
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (view.showsPictures()) drawPictures(found.lit, lit);
    else drawNumbers();
    for (const i of new Set([state.selected, state.hovered])) if (i >= 0) drawMarked(i);
    canvas.style.touchAction = view.isWhole ? "pan-y" : "none"; // a whole map lets the page scroll
    drawn();
  }

  // Numbers of the images in sight, those of chosen clusters apart; returns how many of each.
  function collect() {
    const margin = view.pictureSize() / view.scale;
    let lit = 0, faded = 0;
    data.grid.within(
      view.fromX(0) - margin, view.fromY(0) - margin,
      view.fromX(view.width) + margin, view.fromY(view.height) + margin,
      (i) => {
        if (state.isLit(data.labels[i])) found.lit[lit++] = i;
        else found.faded[faded++] = i;
      },
    );
    return [lit, faded];
  }

  const dotRadius = () => Math.min(6, Math.max(1.1, 0.32 * data.grid.spacing * view.scale));

  function drawDots(images, count, strength) {
    const zoom = view.scale * ratio;
    const left = (view.width / 2) * ratio - view.x * zoom, top = (view.height / 2) * ratio - view.y * zoom;
    for (let k = 0; k < count; k++) {
      const i = images[k];
      places.x[k] = Math.round(data.x[i] * zoom + left);
      places.y[k] = Math.round(data.y[i] * zoom + top);
      places.cluster[k] = data.labels[i];
    }
    const radius = Math.round(4 * dotRadius() * ratio) / 4;
    dots.draw(count, places.x, places.y, places.cluster, radius, strength);
  }

  function drawPictures(images, count) {
    for (let k = 0; k < count; k++) drawPicture(images[k], view.pictureSize());
  }

  function drawPicture(i, size) {
    const { width, height } = data.tile;
    const wide = (size * width) / Math.max(width, height);
    const high = (size * height) / Math.max(width, height);
    const rim = size < 24 ? 1 : 2;
    const left = view.toX(data.x[i]) - wide / 2, top = view.toY(data.y[i]) - high / 2;
    context.fillStyle = palette.clusters[data.labels[i]];
    context.fillRect(left - rim, top - rim, wide + 2 * rim, high + 2 * rim);
    sheets.draw(context, i, left, top, wide, high, redraw);
  }

  function drawNumbers() {
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 2;
    const taken = [];
    data.anchors.forEach((anchor, cluster) => {
      if (!anchor || !state.isLit(cluster)) return;
      const x = view.toX(anchor.x), y = view.toY(anchor.y);
      if (taken.some(([a, b]) => Math.abs(a - x) < 26 && Math.abs(b - y) < 22)) return;
      taken.push([x, y]);
      const half = 6 + context.measureText(data.called(cluster)).width / 2;
      context.beginPath();
      context.roundRect(x - half, y - 10, 2 * half, 20, 10);
      context.fillStyle = palette.ground;
      context.fill();
      context.strokeStyle = palette.clusters[cluster];
      context.stroke();
      context.fillStyle = palette.ink;
      context.fillText(data.called(cluster), x, y + 0.5);
    });
  }

  function drawMarked(i) {
    const x = view.toX(data.x[i]), y = view.toY(data.y[i]);
    if (view.showsPictures()) {
      const size = Math.max(view.pictureSize() * 1.25, 24);
      const half = size / 2 + 4;
      context.fillStyle = palette.ink;
      context.fillRect(x - half, y - half, 2 * half, 2 * half);
      drawPicture(i, size);
      return;
    }
    const radius = Math.max(dotRadius() + 2.5, 6);
    for (const [wider, colour] of [[4, palette.ground], [2, palette.ink], [0, palette.clusters[data.labels[i]]]]) {
      context.beginPath();
      context.arc(x, y, radius + wider, 0, 2 * Math.PI);
      context.fillStyle = colour;
      context.fill();
    }
  }

  // The chosen image nearest to a place on the canvas, within reach; -1 if there is none.
  function hit(px, py, reach) {
    const far = Math.max(reach, view.showsPictures() ? view.pictureSize() / 2 : dotRadius()) / view.scale;
    const x = view.fromX(px), y = view.fromY(py);
    let best = -1, nearest = far * far;
    data.grid.within(x - far, y - far, x + far, y + far, (i) => {
      const distance = (data.x[i] - x) ** 2 + (data.y[i] - y) ** 2;
      if (distance > nearest || !state.isLit(data.labels[i])) return;
      nearest = distance;
      best = i;
    });
    return best;
  }

  function resize() {
    ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = canvas;
    canvas.width = Math.round(clientWidth * ratio);
    canvas.height = Math.round(clientHeight * ratio);
    view.resize(clientWidth, clientHeight);
  }
  new ResizeObserver(resize).observe(canvas);

  return { view, hit, redraw, drawNow: draw };
}

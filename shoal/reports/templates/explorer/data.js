// What the page carries, decoded once. Images are numbered along a curve through the map, so that
// neighbours share a sheet of thumbnails; `rows` leads back to the order of the pile.
function readData(root) {
  const part = (name) => root.querySelector(`script[data-part="${name}"]`);
  const facts = JSON.parse(part("facts").textContent);
  const names = JSON.parse(part("names").textContent);
  const places = decode(part("places"));
  const rows = decode(part("rows"));
  const count = rows.length;
  const x = new Float32Array(count);
  const y = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    x[i] = places[2 * i] / facts.steps;
    y[i] = places[2 * i + 1] / facts.steps;
  }
  const confidence = decode(part("confidence"));
  const data = {
    count, x, y, rows, confidence,
    colours: facts.colours,
    tile: facts.tile,
    texts: facts.texts,
    folder: facts.folder,
    labels: decode(part("labels")),
    ranks: decode(part("ranks")),
    grid: createGrid(x, y),
    name: (i) => (names ? names[i] : String(rows[i])),
    called: (cluster) => facts.called?.[cluster] ?? String(cluster),
    title: (cluster) => (cluster === facts.nowhere ? data.called(cluster) : fill(facts.texts.cluster, { number: data.called(cluster) })),
    certainty: (i) => (confidence[i] / facts.steps).toFixed(2),
  };
  data.describe = (i) =>
    fill(facts.texts.image, {
      name: data.name(i), cluster: data.title(data.labels[i]), value: data.certainty(i),
    });
  data.facts = (i) =>
    [
      data.title(data.labels[i]),
      fill(facts.texts.confidence, { value: data.certainty(i) }),
    ].join(" · ");
  data.anchors = findAnchors(data);
  return data;
}

// The numbers of a part: base64 of 1, 2 or 4 bytes each, the lowest byte first.
function decode(part) {
  const kinds = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  return new kinds[part.dataset.width](fromBase64(part.textContent).buffer);
}

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

// Squares over the map, some four images in each: what is near a place is found without a look at
// the rest.
function createGrid(x, y) {
  const count = x.length;
  const side = Math.max(1, Math.min(512, Math.ceil(Math.sqrt(count / 4))));
  const column = (value) => Math.max(0, Math.min(side - 1, Math.floor(value * side)));
  const starts = new Uint32Array(side * side + 1);
  for (let i = 0; i < count; i++) starts[column(y[i]) * side + column(x[i]) + 1]++;
  const occupied = starts.reduce((sum, size) => sum + (size > 0), 0);
  for (let cell = 0; cell < side * side; cell++) starts[cell + 1] += starts[cell];
  const items = new Uint32Array(count);
  const next = starts.slice();
  for (let i = 0; i < count; i++) items[next[column(y[i]) * side + column(x[i])]++] = i;
  return {
    // How far apart images stand where there are any.
    spacing: Math.sqrt(occupied / count) / side,
    // Calls `visit` with each image whose square meets the box.
    within(left, top, right, bottom, visit) {
      const last = column(right);
      for (let row = column(top); row <= column(bottom); row++) {
        const end = starts[row * side + last + 1];
        for (let k = starts[row * side + column(left)]; k < end; k++) visit(items[k]);
      }
    },
  };
}

// Where to write each cluster's number: amid the most crowded square of a coarse grid over it.
function findAnchors({ count, x, y, labels, colours }) {
  const side = 10;
  const cells = colours.map(() => new Map());
  for (let i = 0; i < count; i++) {
    const key = Math.floor(y[i] * (side - 1)) * side + Math.floor(x[i] * (side - 1));
    const cell = cells[labels[i]].get(key) ?? { size: 0, x: 0, y: 0 };
    cell.size++;
    cell.x += x[i];
    cell.y += y[i];
    cells[labels[i]].set(key, cell);
  }
  return cells.map((own) => {
    let best = null;
    for (const cell of own.values()) if (!best || cell.size > best.size) best = cell;
    return best && { x: best.x / best.size, y: best.y / best.size };
  });
}

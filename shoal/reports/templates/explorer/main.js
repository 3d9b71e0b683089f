// Puts the parts together, once the page is whole.
function startExplorer(root) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const data = readData(root);
  const state = createState();
  state.listen(({ lit }) => {
    // An image of a cluster that is not shown cannot stay selected.
    if (lit && state.selected >= 0 && !state.isLit(data.labels[state.selected])) state.selected = -1;
  });
  const sheets = createSheets(root, data.tile);
  const canvas = part("canvas");
  const palette = createPalette(canvas, data);
  const photos = createPhotos(data, sheets);
  const placeCard = createCard(part, data, state, sheets, palette, photos);
  const map = createMap(canvas, data, state, sheets, palette, () => placeCard(map.view));
  controlMap(canvas, map, data, state, photos);
  createLegend(part, state);
  createSearch(part, data, state, map);
  const gallery = createGallery(part, data, state, sheets, palette, map, photos);
  gallery.choose();

  part("zoom-in").addEventListener("click", () => map.view.zoom(1.5));
  part("zoom-out").addEventListener("click", () => map.view.zoom(1 / 1.5));
  part("whole").addEventListener("click", map.view.reset);
  state.listen(({ lit, selected }) => {
    const { selected: i } = state;
    if (lit || selected !== undefined) part("announcement").textContent = i < 0 ? "" : data.describe(i);
    map.redraw();
  });

  document.addEventListener("themechange", () => {
    palette.refresh();
    gallery.show();
    map.redraw();
  });
  window.addEventListener("beforeprint", () => {
    palette.refresh(true);
    map.drawNow();
  });
  window.addEventListener("afterprint", () => {
    palette.refresh();
    map.redraw();
  });

  // For tests, and for whoever is curious at the console: where the image of a row is on the page.
  root.placeOf = (row) => {
    const i = data.rows.indexOf(row);
    const box = canvas.getBoundingClientRect();
    return [box.left + map.view.toX(data.x[i]), box.top + map.view.toY(data.y[i])];
  };
}

for (const root of document.querySelectorAll("[data-explorer]")) startExplorer(root);

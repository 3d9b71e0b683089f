// The images of the chosen clusters, a page at a time: only what is seen has a tag.
function createGallery(part, data, state, sheets, palette, map, photos) {
  const gallery = part("gallery");
  const sort = part("sort");
  const longer = Math.max(data.tile.width, data.tile.height);
  // Few pixels are enlarged a whole number of times, so that all of them are equal.
  const times = longer <= 64 ? Math.floor(128 / longer) : 128 / longer;
  let images = new Uint32Array(0), first = 0, columns = 0;
  const wide = Math.round(data.tile.width * times);
  const high = Math.round(data.tile.height * times);
  const buttons = () => [...gallery.querySelectorAll("button")];
  gallery.style.setProperty("--wide", `${wide}px`);
  gallery.style.setProperty("--high", `${high}px`);
  gallery.classList.toggle("smooth", longer > 64);

  const keys = {
    typical: (i) => data.ranks[i] * data.colours.length + data.labels[i],
    uncertain: (i) => data.confidence[i] * 2 ** 32 + data.rows[i],
    rows: (i) => data.rows[i],
  };

  function choose() {
    const key = keys[sort.value];
    const chosen = [];
    for (let i = 0; i < data.count; i++) if (state.isLit(data.labels[i])) chosen.push(i);
    const order = Float64Array.from(chosen, key);
    const places = Uint32Array.from(chosen, (_, k) => k).sort((a, b) => order[a] - order[b]);
    images = places.map((k) => chosen[k]);
    first = 0;
    part("gallery-shown").textContent = state.lit.size
      ? fill(data.texts.filtered, { shown: images.length, total: data.count })
      : "";
    show();
  }

  const pageSize = () => columns * (columns < 8 ? 6 : 4);

  function show() {
    const page = images.subarray(first, first + pageSize());
    gallery.replaceChildren(...Array.from(page, tile));
    buttons()[0]?.setAttribute("tabindex", "0");
    const last = first + page.length;
    part("page").textContent = fill(data.texts.page, { first: first + 1, last, total: images.length });
    part("previous").disabled = first === 0;
    part("next").disabled = last >= images.length;
    mark();
  }

  function tile(i) {
    const figure = document.createElement("figure");
    const button = document.createElement("button");
    const name = document.createElement("figcaption");
    const photo = photos.embedded(i);
    const picture = document.createElement(photo ? "img" : "canvas");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.image = i;
    button.title = data.name(i);
    button.setAttribute("aria-label", data.describe(i));
    button.style.setProperty("--colour", palette.clusters[data.labels[i]]);
    button.append(picture);
    if (photo) Object.assign(picture, { src: photo, alt: "" });
    else sheets.fillCanvas(picture, i);
    name.className = "photo-name";
    name.textContent = data.name(i);
    figure.append(button, name);
    return figure;
  }

  function mark() {
    for (const button of buttons()) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.image) === state.selected));
    }
  }

  function turn(pages) {
    first = Math.min(Math.max(0, first + pages * pageSize()), Math.max(0, images.length - 1));
    first -= first % pageSize();
    show();
  }

  function measure() {
    const now = Math.max(1, Math.floor((gallery.clientWidth + 6) / (wide + 6)));
    if (now === columns) return;
    columns = now;
    gallery.style.setProperty("--columns", columns);
    first -= first % pageSize();
    show();
  }

  gallery.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const selected = Number(button.dataset.image);
    state.change({ selected, hovered: -1 });
    map.view.focus(selected);
    photos.open(selected);
  });
  gallery.addEventListener("focusin", (event) => {
    for (const button of buttons()) button.tabIndex = button === event.target ? 0 : -1;
  });
  gallery.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const at = buttons().indexOf(document.activeElement);
    if (event.key === "PageDown" || event.key === "PageUp") {
      turn(event.key === "PageDown" ? 1 : -1);
      buttons()[0].focus();
    } else if (event.key in steps) buttons()[at + steps[event.key]]?.focus();
    else return;
    event.preventDefault();
  });
  part("previous").addEventListener("click", () => turn(-1));
  part("next").addEventListener("click", () => turn(1));
  sort.addEventListener("change", choose);
  state.listen(({ lit, selected }) => {
    if (lit) choose();
    else if (selected !== undefined) mark();
  });
  new ResizeObserver(measure).observe(gallery);
  return { choose, show };
}

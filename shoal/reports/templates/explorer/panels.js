// What stands beside the map: the card of one image, the legend, the search.

// Of a long path the beginning and, more telling, the end.
function shorten(name) {
  const letters = [...name];
  return letters.length <= 64 ? name : `${letters.slice(0, 20).join("")}…${letters.slice(-43).join("")}`;
}

// The card shows the image under the mouse, else the selected one, beside its place on the map.
function createCard(part, data, state, sheets, palette, photos) {
  const card = part("card");
  const picture = part("card-picture");
  const photo = document.createElement("img");
  const longer = Math.max(data.tile.width, data.tile.height);
  let shown = -1, waiting = 0;
  part("card-open").addEventListener("click", () => photos.open(shown));

  // A larger picture takes the thumbnail's place, unless the mouse has gone on meanwhile.
  function enlarge(i, room) {
    photos.load(i, (image) => {
      if (shown !== i) return;
      const scale = Math.min(1, room / Math.max(image.width, image.height));
      photo.width = Math.round(image.width * scale);
      photo.height = Math.round(image.height * scale);
      photo.src = image.src;
      picture.hidden = true;
      picture.after(photo);
      state.change({}); // the card has another size
    });
  }

  function fillIn(i, room) {
    const times = Math.max(1, Math.floor(room / longer)); // whole, so that all pixels are equal
    shown = i;
    photo.remove();
    picture.hidden = false;
    clearTimeout(waiting);
    waiting = setTimeout(enlarge, 60, i, Math.min(256, 1.4 * room)); // not all that are passed over
    picture.style.width = `${data.tile.width * times}px`;
    picture.style.height = `${data.tile.height * times}px`;
    sheets.fillCanvas(picture, i);
    part("card-name").textContent = shorten(data.name(i));
    part("card-cluster").textContent = data.title(data.labels[i]);
    part("card-confidence").textContent = fill(data.texts.confidence, { value: data.certainty(i) });
    card.style.setProperty("--confidence", data.certainty(i));
  }

  // Called after the map was drawn.
  return (view) => {
    const i = state.hovered >= 0 ? state.hovered : state.selected;
    const x = i < 0 ? 0 : view.toX(data.x[i]);
    const y = i < 0 ? 0 : view.toY(data.y[i]);
    card.hidden = i < 0 || x < 0 || y < 0 || x > view.width || y > view.height;
    if (card.hidden) return;
    card.classList.toggle("kept", i === state.selected && state.hovered < 0);
    if (i !== shown) fillIn(i, Math.min(192, 0.36 * view.width));
    card.style.setProperty("--colour", palette.clusters[data.labels[i]]);
    const gap = 16 + (view.showsPictures() ? view.pictureSize() / 2 : 0);
    const { offsetWidth: wide, offsetHeight: high } = card;
    const right = x + gap + wide <= view.width - 8 || x < view.width / 2;
    const left = Math.min(Math.max(8, right ? x + gap : x - gap - wide), view.width - wide - 8);
    const top = Math.min(Math.max(8, y - high / 2), Math.max(8, view.height - high - 8));
    card.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  };
}

function createLegend(part, state) {
  const legend = part("legend");
  const all = part("show-all");
  legend.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const lit = new Set(state.lit);
    const cluster = Number(button.dataset.cluster);
    if (!lit.delete(cluster)) lit.add(cluster);
    state.change({ lit });
  });
  all.addEventListener("click", () => state.change({ lit: new Set() }));
  state.listen(({ lit }) => {
    if (!lit) return;
    for (const button of legend.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(lit.has(Number(button.dataset.cluster))));
    }
    legend.classList.toggle("filtered", lit.size > 0);
    if (lit.size === 0 && document.activeElement === all) legend.querySelector("button").focus();
    all.disabled = lit.size === 0;
  });
}

// The whole name first, then names that begin so, then names with it inside; Enter goes on.
function createSearch(part, data, state, map) {
  const input = part("search").querySelector("input");
  const status = part("search-status");
  let asked = "", matches = [], position = -1;

  function look(text) {
    const kinds = [[], [], []];
    for (let i = 0; i < data.count; i++) {
      const name = data.name(i).toLowerCase();
      const at = name.indexOf(text);
      if (at >= 0) kinds[name === text ? 0 : at === 0 ? 1 : 2].push(i);
    }
    for (const kind of kinds) kind.sort((a, b) => data.rows[a] - data.rows[b]);
    return kinds.flat();
  }

  part("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim().toLowerCase();
    if (!text) return;
    if (text !== asked) [asked, matches, position] = [text, look(text), -1];
    if (!matches.length) {
      status.textContent = data.texts.not_found;
      return;
    }
    position = (position + 1) % matches.length;
    const found = matches[position];
    const lit = state.isLit(data.labels[found]) ? state.lit : new Set();
    state.change({ selected: found, hovered: -1, lit });
    map.view.focus(found);
    status.textContent = fill(data.texts.found, { position: position + 1, total: matches.length });
  });
  input.addEventListener("input", () => (status.textContent = ""));
}

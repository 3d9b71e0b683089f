// Larger pictures than the thumbnails: the files beside the page, and the photos of the text.
function createPhotos(data, sheets) {
  const { folder } = data;
  const longer = Math.max(data.tile.width, data.tile.height);
  const embedded = new Map();
  for (const image of document.querySelectorAll("img[data-row]")) {
    const larger = Math.max(image.width, image.height) > longer;
    if (larger) embedded.set(Number(image.dataset.row), image.src);
  }
  // An image within a file, as a frame of a video, links to the file; see `originals.link`.
  const path = (name) => {
    const [, file, within = ""] = name.match(/^(.*?)(#[a-z]+=[^#/]*)?$/s);
    const time = within.startsWith("#t=") ? within : "";
    return file.split("/").map(encodeURIComponent).join("/") + time;
  };
  const photos = {
    link: (i) => (folder ? folder + path(data.name(i)) : null),
    embedded: (i) => embedded.get(data.rows[i]) ?? null,
    // Calls `done` with the largest picture that can be shown, if any is larger than a thumbnail.
    load(i, done) {
      const sources = [photos.link(i), photos.embedded(i)].filter(Boolean);
      const next = () => {
        if (!sources.length) return;
        const image = new Image();
        const source = sources.shift();
        image.onload = () => (Math.max(image.width, image.height) > longer ? done(image) : next());
        image.onerror = next;
        image.src = source;
      };
      next();
    },
    // Shows image `i` enlarged.
    open(i) {
      const show = (source) => document.dispatchEvent(new CustomEvent("showphoto", {
        detail: { source, link: photos.link(i), name: data.name(i), facts: data.facts(i) },
      }));
      const known = photos.embedded(i);
      if (known) show(known);
      else sheets.whenReady(i, (canvas) => show(canvas.toDataURL()));
    },
  };
  return photos;
}

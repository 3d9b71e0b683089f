// Thumbnails: sheets are unpacked one by one when first needed, and few are kept, for each takes
// up to 16 MB.
function createSheets(root, tile) {
  const kept = 8;
  const sheets = new Map();
  const painted = new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  let turn = 0, uses = 0;
  let queue = painted; // first the page, then its pictures

  function unpack(number) {
    const bytes = fromBase64(root.querySelector(`script[data-sheet="${number}"]`).textContent);
    return createImageBitmap(new Blob([bytes], { type: "image/webp" }));
  }

  function forget() {
    const unpacked = [...sheets].filter(([, sheet]) => sheet.bitmap);
    const excess = Math.max(0, unpacked.length - kept);
    const old = unpacked.filter(([, sheet]) => sheet.seen < turn).sort(([, a], [, b]) => a.used - b.used);
    for (const [number, sheet] of old.slice(0, excess)) {
      sheet.bitmap.close();
      sheets.delete(number);
    }
  }

  function sheetOf(i) {
    const number = Math.floor(i / tile.perSheet);
    let sheet = sheets.get(number);
    if (!sheet) {
      sheet = { bitmap: null, waiting: [], seen: -1, used: 0 };
      sheets.set(number, sheet);
      queue = queue.then(async () => {
        sheet.bitmap = await unpack(number);
        for (const waiting of sheet.waiting.splice(0)) waiting();
        forget();
      }).catch((error) => console.error(error)); // the others can still be unpacked
    }
    sheet.used = ++uses;
    return sheet;
  }

  function paint(sheet, context, i, x, y, width, height) {
    const place = i % tile.perSheet;
    const left = (place % tile.columns) * tile.width;
    const top = Math.floor(place / tile.columns) * tile.height;
    context.imageSmoothingEnabled = width < tile.width; // shrunk smoothly, enlarged in squares
    context.drawImage(sheet.bitmap, left, top, tile.width, tile.height, x, y, width, height);
  }

  return {
    // The map is drawn anew: what that needs is not forgotten before the next time.
    begin: () => turn++,
    // Draws image `i` if its sheet is at hand; otherwise calls `again` once it is.
    draw(context, i, x, y, width, height, again) {
      const sheet = sheetOf(i);
      sheet.seen = turn;
      if (sheet.bitmap) paint(sheet, context, i, x, y, width, height);
      else if (!sheet.waiting.includes(again)) sheet.waiting.push(again);
    },
    // Calls `done` with a canvas that holds image `i`, pixel for pixel.
    whenReady(i, done) {
      const canvas = document.createElement("canvas");
      canvas.width = tile.width;
      canvas.height = tile.height;
      const sheet = sheetOf(i);
      const fill = () => {
        paint(sheet, canvas.getContext("2d"), i, 0, 0, tile.width, tile.height);
        done(canvas);
      };
      if (sheet.bitmap) fill();
      else sheet.waiting.push(fill);
    },
    // Fills a canvas with image `i`, pixel for pixel, as soon as its sheet is at hand.
    fillCanvas(canvas, i) {
      canvas.width = tile.width;
      canvas.height = tile.height;
      canvas.dataset.image = i;
      const sheet = sheetOf(i);
      const fill = () => {
        if (canvas.dataset.image !== String(i)) return; // another image was asked for meanwhile
        paint(sheet, canvas.getContext("2d"), i, 0, 0, tile.width, tile.height);
      };
      if (sheet.bitmap) fill();
      else sheet.waiting.push(fill);
    },
  };
}

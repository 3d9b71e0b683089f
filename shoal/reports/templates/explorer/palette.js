// Colours of the page as it is just now: light, dark, or on paper.
function createPalette(canvas, data) {
  const palette = { ink: "", ground: "", clusters: [], dark: false };

  palette.refresh = (onPaper = false) => {
    const style = getComputedStyle(canvas);
    const [red, green, blue] = style.backgroundColor.match(/[\d.]+/g).map(Number);
    palette.dark = !onPaper && 0.3 * red + 0.6 * green + 0.1 * blue < 128;
    palette.ink = onPaper ? "#000000" : style.color;
    palette.ground = onPaper ? "#ffffff" : style.backgroundColor;
    palette.clusters = data.colours.map(([light, dark]) => (palette.dark ? dark : light));
  };
  palette.refresh();
  return palette;
}

// The colours of weights.

// Colours of nine equally spaced weights from 0 to 1: their lightness in OKLab changes evenly,
// from that of the page to its opposite.
const COLORS = {
  light: ["#f2f3ee", "#ccdeb7", "#76d0a2", "#13b7a9", "#0197a3", "#0a74a2", "#214da5", "#2f2d83",
          "#281657"],
  dark: ["#1c1e24", "#2b3152", "#2f4a7c", "#146c95", "#058f9a", "#11b294", "#6ace7c", "#c4e061",
         "#fcf2a2"],
};

// For each byte: the colour as a pixel of a canvas, as text for CSS, and the colour of text on it.
function makePalette(colors) {
  const palette = {pixels: new Uint32Array(256), css: [], ink: []};
  const channels = colors.map((color) =>
      [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
  for (let byte = 0; byte < 256; ++byte) {
    const at = byte / 255 * (colors.length - 1);
    const low = Math.min(Math.floor(at), colors.length - 2);
    const [red, green, blue] = channels[low].map(
        (from, i) => Math.round(from + (at - low) * (channels[low + 1][i] - from)));
    palette.pixels[byte] = (255 << 24 | blue << 16 | green << 8 | red) >>> 0;
    palette.css.push(`rgb(${red} ${green} ${blue})`);
    const linear = [red, green, blue].map((value) => (value / 255) ** 2.2);
    const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    palette.ink.push(luminance > 0.179 ? "#000" : "#fff");  // 0.179: both contrast equally
  }
  return palette;
}

const PALETTES = {light: makePalette(COLORS.light), dark: makePalette(COLORS.dark)};
const palette = () => PALETTES[document.documentElement.dataset.theme];
const cssColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

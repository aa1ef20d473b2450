// The heat map of one attention: a canvas drawn in tiles, of which only those in view are made,
// between axes of tokens. It scrolls when it is zoomed in, and a cursor can be moved by keyboard.

const TILE = 256;  // pixels along a tile's side

// `size` x `size` pixels of a heat map from (row, column) on, each the colour of the largest of
// 2^level x 2^level weights: a thin line of large weights stays visible in a small picture.
function drawTile(canvas, weights, rows, columns, row, column, level) {
  const scale = 1 << level;
  const height = Math.min(TILE, Math.ceil((rows - row) / scale));
  const width = Math.min(TILE, Math.ceil((columns - column) / scale));
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const {pixels: colors} = palette();
  const largest = new Uint8Array(width);
  for (let y = 0; y < height; ++y) {
    largest.fill(0);
    for (let r = row + y * scale; r < Math.min(row + (y + 1) * scale, rows); ++r) {
      const end = Math.min(column + width * scale, columns);
      for (let c = column; c < end; ++c) {
        const weight = weights[r * columns + c];
        const x = (c - column) >> level;
        if (weight > largest[x]) largest[x] = weight;
      }
    }
    for (let x = 0; x < width; ++x) pixels[y * width + x] = colors[largest[x]];
  }
  context.putImageData(image, 0, 0);
}

const LARGEST_CELL = 44;
const READABLE_CELL = 16;  // leaves room for the label of every token
const TALLEST = 720;
const LABEL_FONT = "13px system-ui, sans-serif";
const LABEL_GAP = 14;    // between the beginnings of two labels, at least
const LABEL_MARGIN = 8;  // by which a label may reach beyond the cells
const AXIS_NAME = 20;    // the height of an axis's name
const ruler = document.createElement("canvas").getContext("2d");

// The width of the widest of the labels, at most `most`; of many tokens, some are measured.
function labelWidth(tokens, most) {
  ruler.font = LABEL_FONT;
  const every = Math.ceil(tokens.length / 300);
  let widest = 8;
  for (let i = 0; i < tokens.length && widest < most; i += every)
    widest = Math.max(widest, ruler.measureText(tokenLabel(tokens[i]).slice(0, 80)).width);
  return Math.min(Math.ceil(widest) + 12, most);
}

class HeatMap {
  // Calls `onPoint(query, key)` when a cell is pointed at, and `onPoint(null)` when none is.
  constructor(onPoint, {hasAxisNames = true} = {}) {
    this.onPoint = onPoint;
    this.margin = hasAxisNames ? AXIS_NAME : 0;
    this.zoom = 1;
    this.tiles = new Map();
    this.cursor = null;
    this.canvas = el("canvas", {"aria-hidden": "true"});
    this.rowLabels = el("div", {class: "row-labels", "aria-hidden": "true"});
    this.columnLabels = el("div", {class: "column-labels", "aria-hidden": "true"});
    const axisName = {"aria-hidden": "true", hidden: hasAxisNames ? false : ""};
    this.rowName = el("div", {class: "row-name", ...axisName});
    this.columnName = el("div", {class: "column-name", ...axisName});
    this.tip = el("div", {class: "tip", "aria-hidden": "true", hidden: ""});
    this.window = el("div", {class: "window"}, this.canvas, this.columnLabels, this.rowLabels,
                     this.columnName, this.rowName);
    this.space = el("div", {class: "space"}, this.window);
    this.scroller = el("div", {
      class: "heat-map", tabindex: "0", role: "application", "aria-roledescription": "heat map",
      onscroll: () => this.drawSoon(),
      onkeydown: (event) => this.pressed(event),
      onpointermove: (event) => this.pointed(event),
      onpointerdown: (event) => this.pointed(event),
      onpointerleave: (event) => event.pointerType === "mouse" && this.point(null),
      onblur: () => this.point(null),
    }, this.space);
    this.element = el("div", {class: "heat-map-frame"}, this.scroller, this.tip);
  }

  // Shows the heat map of other tokens. Its weights follow by setWeights().
  setAxes({queries, keys, queryName, keyName}) {
    Object.assign(this, {queries, keys, queryName, keyName, zoom: 1, cell: 0, cursor: null});
    this.rowName.textContent = queryName;
    this.columnName.textContent = keyName;
    for (const labels of [this.rowLabels, this.columnLabels]) labels.replaceChildren();
  }

  // `weights`: a byte per cell, row by row; `links`: [row, column] of outlined cells; `positions`:
  // a column, possibly between two, per row, drawn as a line, or null; `largest`: of a byte 255.
  setWeights({weights, links, positions, largest}) {
    Object.assign(this, {weights, links, positions, largest});
    this.tiles.clear();
    this.drawSoon();
  }

  // Fits the heat map into the size. It may be higher if this makes room for all labels.
  layout(width, height) {
    this.available = {width, height};
    const {queries, keys} = this;
    if (!queries.length || !keys.length) return;
    this.left = this.margin + labelWidth(queries, Math.min(120, width / 4));
    const columnWidth = labelWidth(keys, 110);
    this.fitBelow(this.margin + 20);
    const hasWords = keys.some((token) => Array.from(tokenLabel(token)).length > 1);
    this.isUpright = hasWords && columnWidth > this.cell + 4;
    if (this.isUpright) this.fitBelow(this.margin + columnWidth);
    this.place();
    this.draw();
  }

  // Calculates the side of a cell if the first row begins at `top`.
  fitBelow(top) {
    const {width, height} = this.available;
    const rows = this.queries.length;
    const readable = top + 2 + rows * READABLE_CELL;
    this.top = top;
    this.height = readable <= TALLEST ? Math.max(height, readable) : height;
    this.fit = Math.min((width - this.left - 2) / this.keys.length, (this.height - top - 2) / rows,
                        LARGEST_CELL);
    const cell = Math.min(this.fit * this.zoom, LARGEST_CELL);
    this.cell = cell >= 8 ? Math.floor(cell) : cell;
  }

  // Sizes and places the elements.
  place() {
    const {width} = this.available;
    const total = {width: Math.ceil(this.left + this.keys.length * this.cell) + 1,
                   height: Math.ceil(this.top + this.queries.length * this.cell) + 1};
    const pixels = (element, sizes) => {
      for (const [name, size] of Object.entries(sizes)) element.style[name] = size + "px";
    };
    pixels(this.scroller, {width: Math.min(total.width, width),
                           height: Math.min(total.height, this.height)});
    pixels(this.space, total);
    pixels(this.columnLabels, {top: this.margin, left: this.left - LABEL_MARGIN,
                               height: this.top - this.margin});
    pixels(this.rowLabels, {top: this.top - LABEL_MARGIN, left: this.margin,
                            width: this.left - this.margin});
    pixels(this.columnName, {left: this.left});
    pixels(this.rowName, {top: this.top});
    this.scroller.classList.toggle("scrolls", this.zoom > 1);
    this.columnLabels.classList.toggle("upright", this.isUpright);
  }

  get canZoomIn() { return this.fit < 14 && this.cell < 24; }
  get canZoomOut() { return this.zoom > 1; }

  // Zooms by a factor and keeps what is in the middle, or the cursor, in place.
  zoomBy(factor) {
    const {scrollLeft, scrollTop, clientWidth, clientHeight} = this.scroller;
    const before = this.cell;
    const middle = [(scrollLeft + (clientWidth - this.left) / 2) / before,
                    (scrollTop + (clientHeight - this.top) / 2) / before];
    const [column, row] = this.isAtCell ? [this.cursor.key, this.cursor.query] : middle;
    this.zoom = Math.min(Math.max(this.zoom * factor, 1), 24 / this.fit);
    this.layout(this.available.width, this.available.height);
    this.scroller.scrollLeft = column * this.cell - (this.scroller.clientWidth - this.left) / 2;
    this.scroller.scrollTop = row * this.cell - (this.scroller.clientHeight - this.top) / 2;
    this.draw();
  }

  drawSoon() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  // After a change of the colours.
  redraw() {
    this.tiles.clear();
    this.draw();
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    if (!this.cell || !this.weights) return;
    const {clientWidth: width, clientHeight: height, scrollLeft, scrollTop} = this.scroller;
    if (!width) return;
    const {left, top, cell, queries, keys} = this;
    const density = window.devicePixelRatio || 1;
    this.window.style.width = width + "px";
    this.window.style.height = height + "px";
    this.canvas.width = Math.round(width * density);
    this.canvas.height = Math.round(height * density);
    const context = this.canvas.getContext("2d");
    context.scale(density, density);
    context.beginPath();
    context.rect(left - 2, top - 2, width - left + 2, height - top + 2);
    context.clip();
    context.translate(left - scrollLeft, top - scrollTop);
    const view = {
      row: Math.floor(scrollTop / cell), column: Math.floor(scrollLeft / cell),
      rowEnd: Math.min(Math.ceil((scrollTop + height - top) / cell), queries.length),
      columnEnd: Math.min(Math.ceil((scrollLeft + width - left) / cell), keys.length),
    };
    this.drawCells(context, view, density);
    this.drawLinks(context, view);
    this.drawPositions(context, view);
    this.drawCursor(context);
    this.drawLabels(this.rowLabels, queries, view.row, view.rowEnd, this.cursor?.query,
                    (i) => `0 ${LABEL_MARGIN + (i + 0.5) * cell - scrollTop - 10}px`);
    this.drawLabels(this.columnLabels, keys, view.column, view.columnEnd, this.cursor?.key,
                    (i) => `${LABEL_MARGIN + (i + 0.5) * cell - scrollLeft}px`);
    this.drawTip(scrollLeft, scrollTop);
  }

  drawCells(context, view, density) {
    const {cell, queries, keys} = this;
    const level = Math.max(0, Math.floor(Math.log2(1 / (cell * density))));
    const step = TILE << level;  // cells along a tile's side
    context.imageSmoothingEnabled = false;
    for (let row = view.row - view.row % step; row < view.rowEnd; row += step) {
      for (let column = view.column - view.column % step; column < view.columnEnd; column += step) {
        const name = `${level} ${row} ${column}`;
        let tile = this.tiles.get(name);
        if (!tile) {
          tile = document.createElement("canvas");
          drawTile(tile, this.weights, queries.length, keys.length, row, column, level);
          this.tiles.set(name, tile);
        }
        const size = cell * (1 << level);
        context.drawImage(tile, column * cell, row * cell, tile.width * size, tile.height * size);
      }
    }
    if (cell < 8) return;
    context.fillStyle = cssColor("--page");
    const [width, height] = [keys.length * cell, queries.length * cell];
    for (let row = view.row; row <= view.rowEnd; ++row)
      context.fillRect(0, row * cell - 0.5, width, 1);
    for (let column = view.column; column <= view.columnEnd; ++column)
      context.fillRect(column * cell - 0.5, 0, 1, height);
  }

  get showsLinks() { return this.cell >= 4; }

  drawLinks(context, view) {
    if (!this.showsLinks) return;  // the outlines would cover all weights
    const {cell} = this;
    context.strokeStyle = cssColor("--truth");
    context.lineWidth = cell >= 12 ? 2 : 1;
    const inset = cell >= 12 ? 1.5 : 0.5;
    for (const [row, column] of this.links) {
      if (row < view.row || row >= view.rowEnd || column < view.column || column >= view.columnEnd)
        continue;
      const side = cell - 2 * inset;
      context.strokeRect(column * cell + inset, row * cell + inset, side, side);
    }
  }

  drawPositions(context, view) {
    if (!this.positions) return;
    context.strokeStyle = cssColor("--line");
    context.lineWidth = 2;
    context.beginPath();
    for (let row = Math.max(view.row - 1, 0); row < Math.min(view.rowEnd + 1, this.queries.length);
         ++row)
      context.lineTo((this.positions[row] + 0.5) * this.cell, (row + 0.5) * this.cell);
    context.stroke();
  }

  drawCursor(context) {
    if (!this.cursor) return;
    const {cell, cursor: {query, key}} = this;
    context.fillStyle = cssColor("--band");
    if (query !== undefined) context.fillRect(0, query * cell, this.keys.length * cell, cell);
    if (key !== undefined) context.fillRect(key * cell, 0, cell, this.queries.length * cell);
    if (!this.isAtCell) return;
    const side = Math.max(cell, 6);
    const shift = (cell - side) / 2;
    context.lineWidth = 2;
    context.strokeStyle = cssColor("--text");
    context.strokeRect(key * cell + shift, query * cell + shift, side, side);
  }

  // Places the labels of tokens `begin` to `end`, or of every second, third, ... if they are close,
  // and that of the token `active` in any case. Elements are used again for other tokens.
  drawLabels(labels, tokens, begin, end, active, place) {
    const stride = Math.ceil(LABEL_GAP / this.cell);
    const shown = [];
    for (let i = Math.ceil(begin / stride) * stride; i < end; i += stride)
      if (active === undefined || i === active || Math.abs(i - active) >= stride) shown.push(i);
    if (active >= begin && active < end && active % stride) shown.push(active);
    while (labels.children.length < shown.length) labels.append(el("bdi"));
    while (labels.children.length > shown.length) labels.lastChild.remove();
    shown.forEach((token, i) => {
      const label = labels.children[i];
      if (label.dataset.token !== String(token)) {
        label.dataset.token = token;
        label.textContent = tokenLabel(tokens[token]);
        label.title = visible(tokens[token]);
      }
      label.style.translate = place(token);
      label.classList.toggle("active", token === active);
    });
  }

  drawTip(scrollLeft, scrollTop) {
    this.tip.hidden = !this.isAtCell;
    if (!this.isAtCell) return;
    const {query, key} = this.cursor;
    this.tip.replaceChildren(
        el("strong", {}, this.weightLabel(query, key)),
        el("span", {}, tokenElement(this.queries[query]), " \u2190 ", tokenElement(this.keys[key])),
        el("small", {}, `${this.queryName} ${query + 1}, ${this.keyName} ${key + 1}`));
    // Beside the cell, on the side where there is room.
    const {offsetWidth, offsetHeight} = this.tip;
    const frame = this.element.getBoundingClientRect();
    const {clientWidth, clientHeight} = document.documentElement;
    const x = this.left + key * this.cell - scrollLeft;
    const y = this.top + query * this.cell - scrollTop;
    const besideX = x + this.cell + 10;
    const besideY = y + this.cell + 10;
    const flipX = frame.left + besideX + offsetWidth > clientWidth;
    const flipY = frame.top + besideY + offsetHeight > clientHeight;
    this.tip.style.left = (flipX ? Math.max(x - offsetWidth - 10, -frame.left) : besideX) + "px";
    this.tip.style.top = (flipY ? y - offsetHeight - 10 : besideY) + "px";
  }

  weightLabel(query, key) {
    return (this.weights[query * this.keys.length + key] / 255 * this.largest).toFixed(2);
  }

  // A sentence about a cell.
  describe(query, key) {
    return `${this.weightLabel(query, key)}: ${tokenLabel(this.queries[query])} looks at ${
        tokenLabel(this.keys[key])}`;
  }

  get isAtCell() { return this.cursor?.query !== undefined && this.cursor.key !== undefined; }

  // Highlights a whole row, {query}, or column, {key}, or nothing, null.
  highlight(line) {
    this.cursor = line;
    this.drawSoon();
  }

  // Moves the cursor to a cell, or away if `query` is null.
  point(query, key) {
    if (query === (this.cursor?.query ?? null) && key === this.cursor?.key) return;
    this.cursor = query === null ? null : {query, key};
    this.drawSoon();
    this.onPoint(query, key);
  }

  pointed(event) {
    if (!this.cell) return;
    const {left, top} = this.scroller.getBoundingClientRect();
    const x = event.clientX - left - this.scroller.clientLeft - this.left;
    const y = event.clientY - top - this.scroller.clientTop - this.top;
    const key = Math.floor((x + this.scroller.scrollLeft) / this.cell);
    const query = Math.floor((y + this.scroller.scrollTop) / this.cell);
    const isInside = x >= 0 && y >= 0 && key < this.keys.length && query < this.queries.length;
    if (isInside) this.point(query, key);
    else this.point(null);
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.cell) return;
    const moves = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
    if (event.key in moves) {
      const [down, right] = moves[event.key];
      const {query = -down, key = -right} = this.cursor ?? {};
      const clamp = (value, end) => Math.min(Math.max(value, 0), end - 1);
      this.point(clamp(query + down, this.queries.length), clamp(key + right, this.keys.length));
      this.reveal(this.cursor.query, this.cursor.key);
    } else if (event.key === "Escape") {
      this.point(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  // Scrolls until the cell can be seen.
  reveal(query, key) {
    const {scroller, cell} = this;
    const along = (at, size, scroll) =>
        Math.min(Math.max(scroll, (at + 1) * cell - size), at * cell);
    scroller.scrollLeft = along(key, scroller.clientWidth - this.left, scroller.scrollLeft);
    scroller.scrollTop = along(query, scroller.clientHeight - this.top, scroller.scrollTop);
  }
}

// One run's view of an example: heat map, text, and all heads in small.

// The tokens of an attention's rows and columns as text. Pointing at a token shades those of the
// other line by their weights.
class TextView {
  constructor(onPoint) {
    this.onPoint = onPoint;
    this.rows = this.makeLine("query");
    this.columns = this.makeLine("key");
    this.element = el("div", {class: "text-view"}, this.columns.name, this.columns.list,
                      this.rows.name, this.rows.list);
  }

  makeLine(side) {
    const id = `line-${TextView.count = (TextView.count ?? 0) + 1}`;
    const point = (event) => {
      const token = event.target.closest("[role=option]");
      if (token) this.onPoint(side, Number(token.dataset.at));
    };
    return {
      side, shades: [], selected: null,
      name: el("h4", {id}),
      list: el("div", {
        class: "line", role: "listbox", tabindex: "0", "aria-labelledby": id,
        "aria-orientation": "horizontal", onpointerover: point, onclick: point,
        onkeydown: (event) => this.pressed(event, side),
      }),
    };
  }

  setAxes({queries, keys, queryName, keyName}) {
    for (const [line, tokens, name] of [[this.rows, queries, queryName],
                                        [this.columns, keys, keyName]]) {
      line.name.textContent = name;
      line.list.dir = isRightToLeft(tokens) ? "rtl" : "ltr";
      line.list.replaceChildren(...tokens.map((token, i) => tokenElement(token, {
        role: "option", id: `${line.name.id}-${i}`, "data-at": i, "aria-selected": "false",
      })));
      line.shades = new Array(tokens.length).fill(-1);
      line.selected = null;
      line.list.removeAttribute("aria-activedescendant");
    }
  }

  // Shades the keys by the weights of the token `at` of the queries, or the other way round.
  shade(side, at, weights) {
    const [from, to] = side === "query" ? [this.rows, this.columns] : [this.columns, this.rows];
    const count = this.columns.list.children.length;
    this.select(to, null);
    this.select(from, at);
    this.fill(from, () => -1);
    this.fill(to, (i) => (side === "query" ? weights[at * count + i] : weights[i * count + at]));
  }

  fill(line, weightAt) {
    const {css, ink} = palette();
    line.shades.forEach((before, i) => {
      const weight = weightAt(i);
      if (weight === before) return;
      line.shades[i] = weight;
      const {style} = line.list.children[i];
      style.background = weight < 0 ? "" : css[weight];
      style.color = weight < 0 ? "" : ink[weight];
    });
  }

  // Makes shade() colour all tokens again, after a change of the colours.
  forgetShades() {
    for (const line of [this.rows, this.columns]) line.shades.fill(undefined);
  }

  select(line, at) {
    if (line.selected === at) return;
    line.list.children[line.selected]?.setAttribute("aria-selected", "false");
    line.selected = at;
    if (at === null) return;
    const token = line.list.children[at];
    token.setAttribute("aria-selected", "true");
    line.list.setAttribute("aria-activedescendant", token.id);
    const {offsetTop, offsetHeight} = token;
    const {scrollTop, clientHeight} = line.list;
    if (offsetTop < scrollTop || offsetTop + offsetHeight > scrollTop + clientHeight)
      line.list.scrollTop = offsetTop - clientHeight / 2;
  }

  pressed(event, side) {
    const line = side === "query" ? this.rows : this.columns;
    const back = line.list.dir === "rtl" ? 1 : -1;
    const last = line.shades.length - 1;
    const at = line.selected ?? -1;
    const next = {ArrowLeft: at + back, ArrowRight: at - back, ArrowUp: at - 1,
                  ArrowDown: at + 1, Home: 0, End: last}[event.key];
    if (next === undefined || last < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.onPoint(side, Math.min(Math.max(next, 0), last));
  }
}

// The heat maps of all heads of all attentions, each a button that selects it.
class HeadGrid {
  constructor(run, onSelect) {
    this.run = run;
    this.buttons = [];
    const rows = run.attentions.map((attention, a) => {
      const name = attentionLabel(attention.name);
      return el("div", {class: "heads", role: "group", "aria-label": name},
                el("h4", {}, name), ...Array.from({length: attention.heads}, (_, head) => {
                  const canvas = el("canvas", {"aria-hidden": "true"});
                  const button = el("button", {
                    type: "button", "aria-label": `${name}, head ${head + 1}`,
                    onclick: () => onSelect(a, head),
                  }, canvas, `${head + 1}`);
                  this.buttons.push({button, canvas, attention: a, head});
                  return button;
                }));
    });
    this.element = el("div", {class: "head-grid"}, ...rows);
  }

  get isUseful() { return this.buttons.length > 1; }

  mark(attention, head) {
    for (const each of this.buttons) {
      const isShown = each.attention === attention && each.head === head;
      each.button.setAttribute("aria-pressed", isShown);
    }
  }

  // Draws the pictures a few at a time, so that the page stays usable.
  draw(step, example) {
    cancelAnimationFrame(this.frame);
    const waiting = [...this.buttons];
    const drawSome = () => {
      const begin = performance.now();
      while (waiting.length && performance.now() - begin < 8) {
        const {canvas, attention, head} = waiting.shift();
        const {queries, keys} =
            axesOf(this.run.examples[example], this.run.attentions[attention]);
        if (!queries.length || !keys.length) continue;
        const level = Math.max(0, Math.ceil(Math.log2(Math.max(queries.length, keys.length) / TILE)));
        drawTile(canvas, this.run.weightsOf(step, example, attention, head), queries.length,
                 keys.length, 0, 0, level);
        canvas.classList.toggle("enlarged", canvas.width < 96);
      }
      if (waiting.length) this.frame = requestAnimationFrame(drawSome);
    };
    drawSome();
  }
}

// Whether an attention's rows and columns are those that the true alignment links.
const isAlignment = ({queries, keys}) => queries === "target" && keys === "source";

const WEIGHTS = -1;  // in place of a quantity's index: the attention weights themselves

// The column of one run: menus, heat map, text and heads.
class RunView {
  // `onSelect(attention, head)` is called when another heat map is chosen here, and `announce` with
  // sentences for screen readers.
  constructor(run, onSelect, announce) {
    this.run = run;
    this.onSelect = onSelect;
    this.announce = announce;
    this.attention = this.firstAttention =
        Math.max(run.attentions.map(isAlignment).lastIndexOf(true), 0);
    this.head = 0;
    this.shown = WEIGHTS;
    this.focus = ["query", 0];  // the token by which the text is shaded
    this.map = new HeatMap((query, key) => this.pointedAt(query, key));
    this.text = new TextView((side, at) => this.shade(side, at));
    this.grid = new HeadGrid(run, (attention, head) => onSelect(attention, head));
    this.attentionMenu = el("select", {onchange: () => onSelect(+this.attentionMenu.value, this.head)},
                            ...run.attentions.map((attention, i) =>
                                el("option", {value: i}, attentionLabel(attention.name))));
    this.headMenu = el("select", {onchange: () => onSelect(this.attention, +this.headMenu.value)});
    this.shownMenu = el("select", {onchange: () => {
      this.shown = +this.shownMenu.value;
      this.showWeights();
    }});
    this.zoomOut = el("button", {type: "button", "aria-label": "Zoom out",
                                 onclick: () => this.zoomBy(0.5)}, "\u2212");
    this.zoomIn = el("button", {type: "button", "aria-label": "Zoom in",
                                onclick: () => this.zoomBy(2)}, "+");
    this.zoom = el("span", {class: "zoom", role: "group", "aria-label": "Zoom"}, "Zoom", this.zoomOut,
                   this.zoomIn);
    this.heading = el("h3", {class: "run-name"}, el("span", {class: `letter run-${run.letter}`},
                      run.letter), el("bdi", {}, visible(run.name)));
    this.menus = el("div", {class: "menus"},
                    el("label", {}, "Attention ", this.attentionMenu),
                    el("label", {}, "Head ", this.headMenu),
                    el("label", {}, "Shown ", this.shownMenu), this.zoom);
    this.message = el("p", {class: "message"});
    this.caption = el("p", {class: "caption"});
    this.tableBody = el("tbody");
    this.table = el("details", {class: "as-text", ontoggle: () => this.fillTable()},
                    el("summary", {}, "This heat map as text"), el("div", {
                      class: "scroller", tabindex: "0", role: "region",
                      "aria-label": "The heat map as text",
                    }, el("table", {}, el("thead", {}, el("tr", {},
                       ...["Token", "Largest weight on", "Weight", "True alignment"].map((name) =>
                           el("th", {scope: "col"}, name)))), this.tableBody)));
    this.mapPart = el("div", {class: "map-part"}, this.map.element, this.caption);
    this.textPart = el("div", {class: "text-part"}, this.text.element, this.table);
    this.gridPart = el("div", {class: "grid-part"}, el("h3", {}, "All heads"), this.grid.element);
    this.element = el("section", {class: "run-view", "aria-label": `Run ${visible(run.name)}`},
                      this.heading, this.menus, this.message, this.mapPart, this.textPart,
                      this.gridPart);
  }

  // Shows an example as it was recorded at `step` or last before it.
  show(example, step) {
    const {run, attention, head} = this;
    const what = `${example} ${attention}`;
    const isOther = this.what !== what;
    Object.assign(this, {example, step, what, at: run.recordedAt(step)});
    const words = this.missing();
    this.message.textContent = words;
    for (const part of [this.mapPart, this.textPart, this.menus, this.gridPart])
      part.hidden = words !== "";
    if (words) return;
    if (isOther) this.showAxes();
    this.attentionMenu.value = attention;
    this.headMenu.value = head;
    this.gridPart.hidden = !this.grid.isUseful;
    this.grid.mark(attention, head);
    this.grid.draw(this.at, example);
    this.showWeights();
  }

  // A sentence if there is nothing to show.
  missing() {
    const {run, example} = this;
    if (!run.examples.length) return "This run recorded no examples.";
    if (!run.attentions.length) return "This run recorded no attention weights.";
    if (!run.examples[example]) return `This run recorded no example ${example + 1}.`;
    this.axes = this.readAxes();
    if (!this.axes.queries.length || !this.axes.keys.length)
      return "This example has no tokens on one side, and therefore no attention weights.";
    return "";
  }

  readAxes() {
    const attention = this.run.attentions[this.attention];
    const axes = axesOf(this.run.examples[this.example], attention);
    const fed = attention.queries === "target" && attention.keys === "target";
    return {...axes, queryName: attention.queries, keyName: fed ? "target so far" : attention.keys};
  }

  get isAlignment() { return isAlignment(this.run.attentions[this.attention]); }

  showAxes() {
    const {run, attention} = this;
    this.focus = ["query", 0];
    this.map.setAxes(this.axes);
    this.text.setAxes(this.axes);
    const heads = run.attentions[attention].heads;
    this.headMenu.replaceChildren(...Array.from({length: heads}, (_, i) =>
        el("option", {value: i}, `${i + 1} of ${heads}`)));
    const shown = [[WEIGHTS, "attention weights"]];
    run.quantities.forEach((each, i) => {
      if (each.perKey && each.attention === attention) shown.push([i, visible(each.name)]);
    });
    if (!shown.some(([i]) => i === this.shown)) this.shown = WEIGHTS;
    this.shownMenu.replaceChildren(...shown.map(([value, name]) => el("option", {value}, name)));
    this.shownMenu.value = this.shown;
    this.attentionMenu.parentNode.hidden = run.attentions.length < 2;
    this.headMenu.parentNode.hidden = heads < 2;
    this.shownMenu.parentNode.hidden = shown.length < 2;
  }

  showWeights() {
    const {run, at, example, attention, head, axes} = this;
    this.links = run.examples[example].truth;
    this.largest = 1;
    if (this.shown === WEIGHTS) {
      this.weights = run.weightsOf(at, example, attention, head);
    } else {
      const values = run.valuesOf(run.quantities[this.shown], at, example, head);
      this.largest = values.reduce((most, value) => (value > most ? value : most), 1);
      this.weights = Uint8Array.from(values, (value) => 255 * Math.max(value, 0) / this.largest);
    }
    this.setMap(this.weights);
    this.shade(...this.focus, false);
    this.showCaption();
    if (this.table.open) this.fillTable();
  }

  showCaption() {
    const {run, at, attention, head, axes} = this;
    this.caption.textContent = this.describe();
    const name = `${attentionLabel(run.attentions[attention].name)}, head ${head + 1}, step ${
        numberLabel(run.recordedSteps[at])}, of \u201c${sentence(axes.keys, 60)}\u201d. `;
    this.map.scroller.setAttribute("aria-label", `${name}${this.describe()} Arrow keys move ` +
                                                "between cells.");
  }

  setMap(weights) {
    const {run, at, example, attention, head} = this;
    const lines = run.quantities.find((each) => !each.perKey && each.attention === attention &&
                                                each.name === "position");
    this.map.setWeights({
      weights,
      largest: this.largest,
      links: this.isAlignment && this.links ? this.links : [],
      positions: lines ? run.valuesOf(lines, at, example, head) : null,
    });
  }

  // Shows weights between those of two steps, if this run recorded them: `part` of the way.
  blend(step, next, part) {
    const {run, example, attention, head} = this;
    const at = run.recordedSteps.indexOf(next);
    if (at < 1 || this.shown !== WEIGHTS || this.missing() || this.weights.length > 1 << 16) return;
    const [from, to] = [at - 1, at].map((each) => run.weightsOf(each, example, attention, head));
    const span = run.recordedSteps[at] - run.recordedSteps[at - 1];
    const share = (step - run.recordedSteps[at - 1] + part * (next - step)) / span;
    this.setMap(from.map((weight, i) => weight + share * (to[i] - weight)));
  }

  // How many target tokens look most at a source token that the true alignment links them to.
  describe() {
    const {run, at, step, axes} = this;
    const recorded = run.recordedSteps[at];
    const when = recorded === step ? "" : ` Recorded at step ${numberLabel(recorded)}.`;
    if (!this.isAlignment) return `Rows are ${axes.queryName}, columns ${axes.keyName}.${when}`;
    if (!this.links) return `No true alignment is known for this example.${when}`;
    const linked = new Map();
    for (const [row, key] of this.links) linked.set(row, [...linked.get(row) ?? [], key]);
    let right = 0;
    for (const [row, keys] of linked) right += keys.includes(this.largestKey(row));
    const hint = this.map.showsLinks ? "" : " Zoom in to see it outlined.";
    return `${numberLabel(right)} of ${numberLabel(linked.size)} aligned target tokens look most at a token of the true ` +
           `alignment.${hint}${when}`;
  }

  largestKey(query) {
    const count = this.axes.keys.length;
    const row = this.weights.subarray(query * count, (query + 1) * count);
    return row.indexOf(row.reduce((most, weight) => Math.max(most, weight), 0));
  }

  fillTable() {
    const {queries, keys} = this.axes;
    this.tableBody.replaceChildren(...(this.table.open ? queries : []).map((token, query) => {
      const key = this.largestKey(query);
      const truth = !this.isAlignment || !this.links ? [] :
          this.links.filter((link) => link[0] === query).map((link) => tokenElement(keys[link[1]]));
      return el("tr", {}, el("th", {scope: "row"}, tokenElement(token)),
                el("td", {}, tokenElement(keys[key])),
                el("td", {}, this.map.weightLabel(query, key)), el("td", {}, ...truth));
    }));
  }

  pointedAt(query, key) {
    if (query === null) return;
    this.shade("query", query, false);
    this.text.select(this.text.columns, key);
    if (document.activeElement === this.map.scroller)
      this.announce(`${this.map.weightLabel(query, key)}: ${tokenLabel(this.axes.queries[query])
          } looks at ${tokenLabel(this.axes.keys[key])}`);
  }

  // Shades the text by the token `at` of one side, and says what it looks at most.
  shade(side, at, isSpoken = true) {
    this.focus = [side, at];
    this.text.shade(side, at, this.weights);
    if (!isSpoken || side !== "query") return;
    const key = this.largestKey(at);
    this.announce(`${tokenLabel(this.axes.queries[at])} looks most at ${
        tokenLabel(this.axes.keys[key])}: ${this.map.weightLabel(at, key)}`);
  }

  zoomBy(factor) {
    this.map.zoomBy(factor);
    this.showZoom();
  }

  showZoom() {
    this.zoom.hidden = !this.map.canZoomIn && !this.map.canZoomOut;
    this.zoomIn.disabled = !this.map.canZoomIn;
    this.zoomOut.disabled = !this.map.canZoomOut;
    this.showCaption();
  }

  // Fits the heat map into its column and into `height`.
  layout(height) {
    if (this.missing()) return;
    const isBeside = getComputedStyle(this.element).getPropertyValue("--text-is-beside").trim() === "1";
    this.map.layout(this.element.clientWidth - (isBeside ? 340 : 0), height);
    this.showZoom();
  }

  recolor() {
    if (this.missing()) return;
    this.map.redraw();
    this.text.forgetShades();
    this.shade(...this.focus, false);
    this.grid.draw(this.at, this.example);
  }
}

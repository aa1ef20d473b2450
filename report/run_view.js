// One run's view of an example: heat map, text, and all heads in small.

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
    this.text = new TextView((side, at) => this.pointedAtText(side, at));
    this.grid = new HeadGrid(run, (attention, head) => onSelect(attention, head));
    this.heading = el("h3", {class: "run-name"}, el("span", {class: `letter run-${run.letter}`},
                      run.letter), el("bdi", {}, visible(run.name)));
    this.menus = this.makeMenus();
    this.message = el("p", {class: "message"});
    this.caption = el("p", {class: "caption"});
    this.table = this.makeTable();
    this.mapPart = el("div", {class: "map-part"}, this.map.element, this.caption);
    this.gridPart = el("div", {class: "grid-part"}, el("h3", {}, "All heads"), this.grid.element);
    this.side = el("div", {class: "side"}, this.text.element, this.table, this.gridPart);
    this.element = el("section", {class: "run-view", "aria-label": `Run ${visible(run.name)}`},
                      this.heading, this.menus, this.message, this.mapPart, this.side);
  }

  makeMenus() {
    this.attentionMenu = el("select", {
      onchange: () => this.onSelect(Number(this.attentionMenu.value), this.head),
    }, ...this.run.attentions.map(({name}, i) => el("option", {value: i}, attentionLabel(name))));
    this.headMenu = el("select", {
      onchange: () => this.onSelect(this.attention, Number(this.headMenu.value)),
    });
    this.shownMenu = el("select", {onchange: () => {
      this.shown = Number(this.shownMenu.value);
      this.showWeights();
    }});
    const zoomButton = (name, factor, sign) => el("button", {
      type: "button", "aria-label": name, onclick: () => this.zoomBy(factor),
    }, sign);
    this.zoomOut = zoomButton("Zoom out", 0.5, "\u2212");
    this.zoomIn = zoomButton("Zoom in", 2, "+");
    this.zoom = el("span", {class: "zoom", role: "group", "aria-label": "Zoom"}, "Zoom",
                   this.zoomOut, this.zoomIn);
    return el("div", {class: "menus"}, el("label", {}, "Attention ", this.attentionMenu),
              el("label", {}, "Head ", this.headMenu), el("label", {}, "Shown ", this.shownMenu),
              this.zoom);
  }

  // The heat map in words, which are written when it is opened.
  makeTable() {
    return el("details", {class: "as-text", ontoggle: () => this.fillTable()},
              el("summary", {}, "This heat map as text"),
              makeTable(`The heat map of run ${this.run.letter} as text`,
                        ["Token", "Largest weight on", "Weight", "True alignment"], []));
  }

  // Shows an example as it was recorded at `step` or last before it.
  show(example, step) {
    const {run, attention, head} = this;
    const what = `${example} ${attention}`;
    const isOther = this.what !== what;
    Object.assign(this, {example, step, what, at: run.recordedAt(step)});
    const words = this.missing();
    this.message.textContent = words;
    for (const part of [this.menus, this.mapPart, this.side]) part.hidden = words !== "";
    if (words) return;
    if (isOther) this.showAxes();
    this.attentionMenu.value = attention;
    this.headMenu.value = head;
    this.gridPart.hidden = !this.grid.isUseful;
    this.grid.mark(attention, head);
    if (this.grid.isUseful) this.grid.draw(this.at, example);
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
    const {run, at, example, attention, head} = this;
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
    this.shade(...this.focus);
    this.showCaption();
    if (this.table.open) this.fillTable();
  }

  showCaption() {
    const {run, at, attention, head, axes} = this;
    const words = this.describe();
    this.caption.textContent = words;
    const name = `${attentionLabel(run.attentions[attention].name)}, head ${head + 1}, step ${
        numberLabel(run.recordedSteps[at])}, of \u201c${sentence(axes.keys, 60)}\u201d. `;
    this.map.scroller.setAttribute("aria-label", `${name}${words} Arrow keys move between ` +
                                                "cells.");
  }

  // The positions that the attention reports for each query, if it does.
  get positions() {
    return this.run.quantities.find((each) => !each.perKey && each.name === "position" &&
                                              each.attention === this.attention);
  }

  setMap(weights) {
    const {run, at, example, head, positions} = this;
    this.map.setWeights({
      weights,
      largest: this.largest,
      links: this.isAlignment && this.links ? this.links : [],
      positions: positions ? run.valuesOf(positions, at, example, head) : null,
    });
  }

  // Shows weights between those of two steps, if this run recorded them: `part` of the way.
  blend(step, next, part) {
    const {run, example, attention, head} = this;
    if (this.shown !== WEIGHTS || this.missing() || this.weights.length > 1 << 16) return;
    const weights = run.weightsBetween(step, next, part, example, attention, head);
    if (weights) this.setMap(weights);
  }

  // How many target tokens look most at a source token that the true alignment links them to.
  describe() {
    const {run, at, step, axes} = this;
    const recorded = run.recordedSteps[at];
    const more = (this.positions ? " The line shows the positions." : "") +
        (this.largest > 1 ? ` The colours end at ${numberLabel(this.largest)}.` : "") +
        (recorded === step ? "" : ` Recorded at step ${numberLabel(recorded)}.`);
    if (!this.isAlignment) return `Rows are ${axes.queryName}, columns ${axes.keyName}.${more}`;
    if (!this.links) return `No true alignment is known for this example.${more}`;
    const {right, linked} = countAligned(this.weights, axes.keys.length, this.links);
    const hint = this.map.showsLinks ? "" : " Zoom in to see it outlined.";
    return `${numberLabel(right)} of ${numberLabel(linked)} aligned target tokens look most ` +
           `at a token of the true alignment.${hint}${more}`;
  }

  largestKey(query) { return largestKey(this.weights, this.axes.keys.length, query); }

  fillTable() {
    const {queries, keys} = this.axes;
    const rows = (this.table.open ? queries : []).map((token, query) => {
      const key = this.largestKey(query);
      const truth = !this.isAlignment || !this.links ? [] :
          this.links.filter((link) => link[0] === query).map((link) => tokenElement(keys[link[1]]));
      return el("tr", {}, el("th", {scope: "row"}, tokenElement(token)),
                el("td", {}, tokenElement(keys[key])),
                el("td", {}, this.map.weightLabel(query, key)), el("td", {}, ...truth));
    });
    this.table.querySelector("tbody").replaceChildren(...rows);
  }

  pointedAt(query, key) {
    if (query === null) return;
    this.shade("query", query);
    this.text.select(this.text.columns, key);
    if (document.activeElement === this.map.scroller)
      this.announce(this.map.describe(query, key));
  }

  // Shades the text by the token `at` of one side.
  shade(side, at) {
    this.focus = [side, at];
    this.text.shade(side, at, this.weights);
  }

  pointedAtText(side, at) {
    this.map.highlight(at === null ? null : {[side]: at});
    if (at === null) return;
    this.shade(side, at);
    if (side !== "query") return;
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

  // Where the heat map begins on the page.
  get top() { return this.mapPart.getBoundingClientRect().top + scrollY; }

  // Fits the heat map into its column and into `height`.
  layout(height) {
    if (this.missing()) return;
    const style = getComputedStyle(this.element);
    const besides = parseFloat(style.getPropertyValue("--width-of-text"));
    this.map.layout(this.element.clientWidth - besides, height);
    this.showZoom();
  }

  recolor() {
    if (this.missing()) return;
    this.map.redraw();
    this.text.forgetShades();
    this.shade(...this.focus);
    if (this.grid.isUseful) this.grid.draw(this.at, this.example);
  }
}

// The sentences that a run was tested on: a table to sort and search, with the alignment of the
// chosen sentence below its row.

const ROWS_AT_FIRST = 50;

class TestView {
  constructor(run) {
    Object.assign(this, {run, test: run.test, chosen: 0, sortedBy: 0, ascending: true});
    const {sentences, metrics} = this.test;
    this.columns = [
      {name: "No.", key: (i) => i},
      {name: "Source", key: (i) => sentences[i].sourceText},
      {name: "Output", key: (i) => sentences[i].output},
      {name: "Reference", key: (i) => sentences[i].references[0] ?? ""},
      ...metrics.map(({name}, m) => ({name, key: (i) => sentences[i].scores[m]})),
    ];
    this.map = new HeatMap((query, key) => this.pointedAt(query, key));
    this.text = new TextView((side, at) => this.pointedAtText(side, at));
    this.caption = el("p", {class: "caption"});
    this.references = el("ul", {class: "references"});
    this.mapPart = el("div", {class: "map-part"}, this.map.element, this.caption);
    this.detail = el("div", {class: "tested-sentence"}, this.mapPart,
                     el("div", {class: "side"}, this.text.element,
                        el("p", {class: "line-name"}, "references"), this.references));
    this.detailRow = el("tr", {class: "detail"},
                        el("td", {colspan: this.columns.length}, this.detail));
    this.element = el("section", {class: "tested", "aria-label": `Test of ${visible(run.name)}`},
                      this.makeSummary(), this.makeControls(), this.makeSentences());
    this.sort(0);
    this.choose(0);
  }

  makeSummary() {
    const {sentences, metrics, data} = this.test;
    const scores = metrics.map(({name, score}) =>
        el("div", {}, el("dt", {}, visible(name)), el("dd", {}, numberLabel(score))));
    return el("div", {class: "title"},
              el("p", {}, el("span", {class: `letter run-${this.run.letter}`}, this.run.letter),
                 `${numberLabel(sentences.length)} sentences of `, el("bdi", {}, visible(data))),
              el("dl", {class: "summary"}, ...scores));
  }

  makeControls() {
    this.search = el("input", {type: "search", oninput: () => this.find()});
    this.found = el("span", {class: "found", "aria-live": "polite"});
    return el("div", {class: "menus"}, el("label", {}, "Search ", this.search), this.found);
  }

  makeSentences() {
    this.heads = this.columns.map(({name}, i) =>
        el("th", {scope: "col"}, el("button", {type: "button", onclick: () => this.sort(i)},
                                    visible(name))));
    this.body = el("tbody", {});
    this.more = el("button", {type: "button", onclick: () => {
      this.most *= 4;
      this.showRows();
    }}, "Show more");
    return el("div", {},
              el("div", {class: "scroller", tabindex: "0", role: "region",
                         "aria-label": `Sentences of run ${this.run.letter}`},
                 el("table", {}, el("thead", {}, el("tr", {}, ...this.heads)), this.body)),
              this.more);
  }

  // Sorts by a column; a second time, the other way round.
  sort(column) {
    this.ascending = this.sortedBy === column && this.order ? !this.ascending : true;
    this.sortedBy = column;
    const {key} = this.columns[column];
    const keys = this.test.sentences.map((_, i) => key(i));
    const compare = (a, b) => (typeof keys[a] === "string" ?
        keys[a].localeCompare(keys[b]) : keys[a] - keys[b]) || a - b;
    this.order = keys.map((_, i) => i).sort((a, b) => (this.ascending ? 1 : -1) * compare(a, b));
    this.heads.forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", this.ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    this.find();
  }

  // Shows the sentences in which the words of the search occur.
  find() {
    const words = this.search.value.toLowerCase().trim();
    const {sentences} = this.test;
    this.shown = this.order.filter((i) => words === "" ||
        [sentences[i].sourceText, sentences[i].output, ...sentences[i].references].some(
            (text) => text.toLowerCase().includes(words)));
    this.found.textContent = words === "" ? "" :
        `${numberLabel(this.shown.length)} of ${numberLabel(sentences.length)}`;
    this.most = ROWS_AT_FIRST;
    this.showRows();
  }

  showRows() {
    this.body.replaceChildren(...this.shown.slice(0, this.most).map((i) => this.rowOf(i)));
    this.more.hidden = this.shown.length <= this.most;
    this.mark();
  }

  rowOf(i) {
    const {sourceText, output, references, scores, finished} = this.test.sentences[i];
    const cell = (text) => el("td", {}, el("bdi", {}, visible(text)));
    const button = el("button", {type: "button", "aria-label": `Show sentence ${i + 1}`,
                                 onclick: () => this.choose(i)}, numberLabel(i + 1));
    return el("tr", {"data-sentence": i, onclick: () => this.choose(i)},
              el("td", {}, button), cell(sourceText), cell(output + (finished ? "" : "\u2026")),
              cell(references[0] ?? ""),
              ...scores.map((score) => el("td", {class: "number"}, numberLabel(score))));
  }

  // Marks the row of the chosen sentence, and shows its alignment below it.
  mark() {
    this.detailRow.remove();
    for (const row of [...this.body.children]) {
      const isChosen = Number(row.dataset.sentence) === this.chosen;
      row.classList.toggle("chosen", isChosen);
      row.querySelector("button").setAttribute("aria-pressed", isChosen);
      if (isChosen) row.after(this.detailRow);
    }
    this.layout();
  }

  choose(i) {
    this.chosen = i;
    const {source, target, references} = this.test.sentences[i];
    this.weights = this.test.weightsOf(i);
    this.axes = {queries: target, keys: source, queryName: "output", keyName: "source"};
    this.text.setAxes(this.axes);
    this.references.replaceChildren(...references.map((text) =>
        el("li", {}, el("bdi", {}, visible(text)))));
    this.hasMap = Boolean(this.weights) && target.length > 0;
    this.mapPart.hidden = !this.hasMap;
    if (this.hasMap) {
      this.map.setAxes(this.axes);
      this.map.setWeights({weights: this.weights, links: [], positions: null, largest: 1});
      this.caption.textContent = `Sentence ${numberLabel(i + 1)}: rows are tokens of the output, ` +
                                 "columns those of the source.";
      this.map.scroller.setAttribute("aria-label", `The alignment of sentence ${i + 1}. ` +
                                                   "Arrow keys move between cells.");
      this.text.shade("query", 0, this.weights);
    }
    this.mark();
  }

  pointedAt(query, key) {
    if (query === null) return;
    this.text.shade("query", query, this.weights);
    this.text.select(this.text.columns, key);
  }

  pointedAtText(side, at) {
    if (!this.hasMap) return;
    this.map.highlight(at === null ? null : {[side]: at});
    if (at !== null) this.text.shade(side, at, this.weights);
  }

  layout() {
    const width = this.detail.clientWidth;
    if (this.hasMap && width) this.map.layout(width > 800 ? width * 0.6 : width, 420);
  }

  recolor() {
    if (!this.hasMap) return;
    this.map.redraw();
    this.text.forgetShades();
    this.text.shade("query", 0, this.weights);
  }
}

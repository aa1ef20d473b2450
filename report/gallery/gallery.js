// The gallery: the alignment that each mechanism of attention has learned after the same training
// step. Its data is a report whose runs are the mechanisms. The summary of a run has the family,
// what is said about the family, formula and source.

// One mechanism: what it is, and the heat map of its last attention from the target to the source.
class Card {
  constructor(run, announce) {
    this.run = run;
    this.about = new Map(run.summary);
    this.attention = run.attentions.findLastIndex(isAlignment);
    this.hasMap = this.attention >= 0 && run.examples[0]?.source.length > 0 &&
                  run.examples[0].target.length > 0;
    this.map = new HeatMap((query, key) => {
      if (query !== null && document.activeElement === this.map.scroller)
        announce(this.map.describe(query, key));
    }, {hasAxisNames: false});
    this.caption = el("p", {class: "caption"});
    const line = (name) => el("p", {class: name}, visible(this.about.get(name) ?? ""));
    this.element = el("article", {class: "card"},
        el("h3", {}, el("code", {}, visible(run.name))), line("formula"), line("source"),
        ...(this.hasMap ? [this.map.element, this.caption] :
            [sentenceOf("Nothing was recorded.")]));
    if (this.hasMap)
      this.map.setAxes({...axesOf(run.examples[0], run.attentions[this.attention]),
                        queryName: "target", keyName: "source"});
  }

  // Whether all words occur in what is said about the mechanism, in any order and case.
  matches(words) {
    const text = [this.run.name, ...this.about.values()].join(" ").replaceAll("_", " ")
        .toLowerCase();
    return words.every((word) => text.includes(word));
  }

  show(step) {
    if (!this.hasMap) return;
    const {run} = this;
    const at = run.recordedAt(step);
    const weights = run.weightsOf(at, 0, this.attention, 0);
    this.setMap(weights);
    const recorded = run.recordedSteps[at];
    const words = [];
    const {steps, values} = run.series.get("accuracy") ?? {steps: [], values: []};
    const accuracy = values[steps.indexOf(recorded)];
    if (accuracy !== undefined)
      words.push(`${(100 * accuracy).toFixed(0)}% right`);
    const {truth} = run.examples[0];
    if (truth?.length) {
      const {right, linked} = countAligned(weights, this.map.keys.length, truth);
      words.push(`${right} of ${linked} aligned`);
    }
    this.caption.textContent = words.join(" \u00b7 ");
    this.map.scroller.setAttribute("aria-label", `${visible(run.name)}, step ${
        numberLabel(recorded)}: ${words.join(", ")}. Arrow keys move between cells.`);
  }

  blend(step, next, part) {
    if (!this.hasMap) return;
    const weights = this.run.weightsBetween(step, next, part, 0, this.attention, 0);
    if (weights) this.setMap(weights);
  }

  // The true alignment is not outlined: it would hide where the learned one begins to show.
  setMap(weights) { this.map.setWeights({weights, links: [], positions: null, largest: 1}); }
}

class Gallery extends BasePage {
  constructor(text) {
    super();
    document.body.classList.add("gallery");
    const {runs, fault} = readReport(text);
    document.title = "Gallery of attention \u00b7 Attune";
    document.body.append(this.makeHeader());
    if (fault) {
      document.body.append(el("main", {}, sentenceOf(fault)));
      return;
    }
    this.cards = runs.map((run) => new Card(run, (words) => this.say(words)));
    this.timeline = this.makeTimeline(stepsOf(runs));
    this.search = el("input", {
      type: "search", oninput: () => {
        this.filter();
        this.writeAddress();
      },
    });
    this.controls = el("div", {class: "controls"}, this.timeline.element,
                       el("label", {class: "search"}, "Find ", this.search), this.makeLegend());
    this.nothing = sentenceOf("No mechanism has these words.");
    this.sections = this.makeSections();
    document.body.append(
        this.controls, el("main", {}, ...this.sections.map(({element}) => element), this.nothing),
        this.makeFooter([]), this.live);
    this.start();
  }

  makeHeader() {
    return el("header", {}, el("div", {class: "titles"}, el("h1", {}, "Gallery of attention"),
        sentenceOf("Each mechanism was trained on the same words, with the same seed, to write " +
                   "them backwards, or to copy them if it moves only to the right. Rows are " +
                   "output letters, columns input letters, and colours attention weights after " +
                   "the step on the slider. Below: the letters that were right in the batch of " +
                   "this step, and the rows with their largest weight on the right letter.",
                   "about")),
        this.makeThemeButton());
  }

  // A section for each family, in the order of the runs.
  makeSections() {
    const families = new Map();
    for (const card of this.cards) {
      const family = card.about.get("family") ?? "";
      families.set(family, [...families.get(family) ?? [], card]);
    }
    return [...families].map(([family, cards], i) => ({cards, element: el(
        "section", {class: "part", "aria-labelledby": `family-${i}`},
        el("h2", {id: `family-${i}`}, visible(family)),
        sentenceOf(visible(cards[0].about.get("about family") ?? ""), "about"),
        el("div", {class: "cards"}, ...cards.map((card) => card.element)))}));
  }

  // Shows the cards that have the words searched for.
  filter() {
    const words = this.search.value.toLowerCase().replaceAll("_", " ").split(" ").filter(Boolean);
    for (const card of this.cards) card.element.hidden = !card.matches(words);
    for (const {cards, element} of this.sections)
      element.hidden = cards.every((card) => card.element.hidden);
    const count = this.cards.filter((card) => !card.element.hidden).length;
    this.nothing.hidden = count > 0;
    if (words.length) this.say(`${count} of ${this.cards.length} mechanisms`);
    this.layout();
  }

  showStep(step, isPlaying) {
    for (const card of this.cards) card.show(step);
    if (isPlaying) return;
    this.say(`Step ${numberLabel(step)}`);
    this.writeAddress();
  }

  // Only what can be seen moves between two steps.
  blend(step, next, part) {
    const isSeen = (card) => {
      const {top, bottom} = card.element.getBoundingClientRect();
      return bottom > 0 && top < innerHeight;
    };
    for (const card of this.cards.filter(isSeen)) card.blend(step, next, part);
  }

  selection() { return this.search.value ? {find: this.search.value} : {}; }

  select(address) {
    this.search.value = address.get("find") ?? "";
    this.filter();
  }

  layout() {
    this.timeline.layout();
    const shown = this.cards.filter((card) => !card.element.hidden && card.hasMap);
    if (!shown.length) return;
    const width = shown[0].element.clientWidth;
    for (const {map} of shown) map.layout(width, width);
  }

  recolor() {
    for (const {map} of this.cards) map.redraw();
  }
}

addEventListener("DOMContentLoaded",
                 () => new Gallery(document.getElementById("data").textContent));

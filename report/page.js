// The report of one run or several: its parts.

function part(name, ...children) {
  const id = name.toLowerCase().replaceAll(" ", "-");
  return el("section", {class: `part ${id}`, "aria-labelledby": id}, el("h2", {id}, name),
            ...children);
}

class Page extends BasePage {
  constructor(text) {
    super();
    const {runs, fault} = readReport(text);
    this.runs = runs;
    document.body.append(this.makeHeader());
    if (fault) {
      document.body.append(el("main", {}, sentenceOf(fault)));
      return;
    }
    document.title = runs.map((run) => visible(run.name)).join(", ") + " \u00b7 Attune";
    document.body.classList.toggle("compares", runs.length > 1);
    this.example = 0;
    this.views = runs.map((run) => new RunView(
        run, (attention, head) => this.choose(run, attention, head), (words) => this.say(words)));
    this.charts = runs.some((run) => run.series.size) &&
                  new Charts(runs, (step) => this.timeline.goToStep(step));
    const steps = stepsOf(runs);
    if (!steps.length) steps.push(this.charts ? this.charts.lastStep : 0);
    this.timeline = this.makeTimeline(steps);
    document.body.append(
        el("main", {}, this.makeAttention(), this.makeTraining(), ...this.makeHypotheses(),
           ...this.makeTests(), this.makeConfiguration()),
        this.makeFooter([["arrows in a line of text", "move between tokens"]]), this.live);
    this.start();
  }

  makeHeader() {
    const names = this.runs.map((run) => this.makeTitle(run));
    return el("header", {}, el("div", {class: "titles"}, el("h1", {}, this.runs.length > 1 ?
        `Comparison of ${this.runs.length} runs` : "Training report"), ...names),
        this.makeThemeButton());
  }

  makeTitle(run) {
    const [step, steps] = [run.step, run.steps].map((each) =>
        (Number.isFinite(each) ? numberLabel(each) : null));
    const state = step === null ? "" : run.finished ? `finished at step ${step}` :
        `stopped at step ${step}${steps === null ? "" : ` of ${steps}`}`;
    const label = (text) => (/^\d+$/.test(text) ? numberLabel(Number(text)) : visible(text));
    return el("div", {class: "title"}, el("p", {},
        el("span", {class: `letter run-${run.letter}`}, run.letter),
        el("bdi", {class: "name"}, visible(run.name)), el("span", {class: "state"}, state)),
        el("dl", {class: "summary"}, ...run.summary.map(([name, value]) =>
            el("div", {}, el("dt", {}, visible(name)), el("dd", {}, label(value))))),
        ...run.faults.map((fault) => sentenceOf(fault, "fault")));
  }

  makeAttention() {
    this.truthLegend = el("span", {class: "truth"}, "true alignment");
    const count = Math.max(...this.runs.map((run) => run.examples.length));
    const label = (i) => {
      const {source, target} = this.runs.map((run) => run.examples[i]).find(Boolean);
      return `${i + 1}: ${sentence(source, 36)} \u2192 ${sentence(target, 36)}`;
    };
    this.exampleMenu = el("select", {onchange: () => {
      this.example = Number(this.exampleMenu.value);
      this.changed();
    }}, ...Array.from({length: count}, (_, i) => el("option", {value: i}, label(i))));
    const controls = el("div", {class: "controls"}, this.timeline.element,
                        el("label", {class: "example"}, "Example ", this.exampleMenu),
                        this.makeLegend(this.truthLegend));
    controls.hidden = !this.runs.some((run) => run.examples.length && run.attentions.length);
    return part("Attention", controls,
                el("div", {class: "run-views"}, ...this.views.map((view) => view.element)));
  }

  makeTraining() {
    const silent = this.runs.filter((run) => !run.series.size).map((run) => sentenceOf(
        this.runs.length > 1 ? `Run ${run.letter} has logged no measures.` :
        "This run has logged no measures."));
    return part("Training", ...(this.charts ? [this.charts.element] : []), ...silent);
  }

  makeHypotheses() {
    const runs = this.runs.filter((run) => run.hypotheses.length);
    if (!runs.length) return [];
    const rowOf = ({text, score, log_probability: probability}) =>
        el("tr", {}, el("th", {scope: "row"}, el("bdi", {}, visible(text ?? ""))),
           el("td", {}, numberLabel(score)), el("td", {}, numberLabel(probability)));
    const lists = runs.flatMap((run) => run.hypotheses.map(({source, best}) =>
        el("div", {class: "hypotheses"},
           el("h3", {}, this.runs.length > 1 ? `${run.letter}: ` : "",
              el("bdi", {}, visible(source))),
           makeTable(`Hypotheses of run ${run.letter} for ${shortened(visible(source), 60)}`,
                     ["Hypothesis", "Score", "Log-probability"], best.map(rowOf)))));
    return [part("Beam search", el("div", {class: "all-hypotheses"}, ...lists))];
  }

  makeTests() {
    this.tests = this.runs.filter((run) => run.test).map((run) => new TestView(run));
    return this.tests.length ? [part("Test", ...this.tests.map((view) => view.element))] : [];
  }

  makeConfiguration() {
    const {runs} = this;
    const commands = runs.filter((run) => run.command).map((run) =>
        el("pre", {tabindex: "0", role: "region", "aria-label": "Command"},
           el("code", {}, visible(run.command))));
    const names = [...new Set(runs.flatMap((run) => run.config.map(([name]) => name)))];
    const configs = runs.map((run) => new Map(run.config));
    const rowOf = (name) => el("tr", {}, el("th", {scope: "row"}, visible(name)),
        ...configs.map((config) => el("td", {},
            config.has(name) ? el("bdi", {}, visible(config.get(name))) : "\u2013")));
    const differs = (name) => new Set(configs.map((config) => config.get(name))).size > 1;
    const head = ["Option", ...(runs.length > 1 ? runs.map((run) => run.letter) : ["Value"])];
    const section = part("Configuration", ...commands);
    if (!names.length) {
      section.append(sentenceOf("No configuration was recorded."));
    } else if (runs.length > 1) {
      const different = names.filter(differs);
      section.append(el("h3", {}, "What differs"), different.length ?
          makeTable("Options that differ", head, different.map(rowOf)) :
          sentenceOf("All options are the same."));
    }
    if (names.length)
      section.append(el("details", {open: runs.length === 1 && ""},
                        el("summary", {}, `All options (${names.length})`),
                        makeTable("All options", head, names.map(rowOf))));
    return section;
  }

  // Chooses a heat map in the column of one run, and in others that have one of the same name.
  choose(run, attention, head) {
    const {name} = run.attentions[attention];
    for (const view of this.views) {
      const same = view.run === run ? attention :
          view.run.attentions.findIndex((each) => each.name === name);
      if (same < 0) continue;
      view.attention = same;
      view.head = Math.min(head, view.run.attentions[same].heads - 1);
    }
    this.changed();
  }

  // After a choice: shows it and keeps it in the address.
  changed() {
    this.showStep(this.timeline.step, this.timeline.isPlaying);
    this.layout();
  }

  showStep(step, isPlaying) {
    for (const view of this.views) view.show(this.example, step);
    this.truthLegend.hidden = !this.views.some((view) => view.map.links?.length);
    if (this.charts) this.charts.setStep(step);
    if (isPlaying) return;
    this.say(`Step ${numberLabel(step)}`);
    this.writeAddress();
  }

  blend(step, next, part) {
    for (const view of this.views) view.blend(step, next, part);
    if (this.charts) this.charts.setStep(step + part * (next - step));
  }

  selection() {
    return {
      example: this.example + 1,
      attention: this.views.map((view) => view.attention + 1),
      head: this.views.map((view) => view.head + 1),
    };
  }

  select(address) {
    const numbers = (name) => (address.get(name) ?? "").split(",").map((each) => Number(each) - 1);
    const within = (value, count, otherwise = 0) =>
        (Number.isInteger(value) && value >= 0 && value < count ? value : otherwise);
    this.example = within(numbers("example")[0], this.exampleMenu.options.length);
    this.exampleMenu.value = this.example;
    this.views.forEach((view, i) => {
      view.attention = within(numbers("attention")[i], view.run.attentions.length,
                              view.firstAttention);
      view.head = within(numbers("head")[i], view.run.attentions[view.attention]?.heads);
    });
  }

  // Sizes the heat maps for the first screen.
  layout() {
    this.timeline.layout();
    const top = Math.max(...this.views.map((view) => view.top));
    const height = Math.max(340, Math.min(720, innerHeight - top - 50));
    for (const view of this.views) view.layout(height);
    for (const view of this.tests) view.layout();
  }

  recolor() {
    for (const view of [...this.views ?? [], ...this.tests ?? []]) view.recolor();
  }

  prepare(theme, isPrint) {
    super.prepare(theme, isPrint);
    if (this.charts) this.charts.draw();
  }
}

addEventListener("DOMContentLoaded", () => new Page(document.getElementById("data").textContent));

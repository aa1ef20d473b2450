// Charts of the measures over training steps, one small chart each, with a common crosshair.

// The charts come in this order, and others that a run may have after them.
const CHART_ORDER = ["loss", "accuracy", "sequence_accuracy", "token_error_rate",
                     "alignment_accuracy", "attention_entropy", "learning_rate", "gradient_norm"];
const VALIDATION = "valid_";

// [{name, lines: [{run, isValidation, steps, values}]}]: a chart for each measure, in which
// training and validation of all runs share the axes.
function chartsOf(runs) {
  const charts = new Map(CHART_ORDER.map((name) => [name, []]));
  for (const run of runs) {
    for (const [series, {steps, values}] of run.series) {
      const isValidation = series.startsWith(VALIDATION);
      const name = isValidation ? series.slice(VALIDATION.length) : series;
      if (!charts.has(name)) charts.set(name, []);
      charts.get(name).push({run, isValidation, steps, values});
    }
  }
  return [...charts].filter(([, lines]) => lines.length).map(([name, lines]) => ({name, lines}));
}

function measureLabel(name) {
  const words = visible(name).replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

// The class that gives a line its colour, and its dashes when runs are compared.
function lineStyle({run, isValidation}) {
  return `run-${run.letter}${isValidation ? " validation" : ""}`;
}

// The mean of earlier values, of which each counts `keep` times the one after it.
function smoothed(values, keep) {
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = keep * sum + (1 - keep) * value;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

// The index of the step nearest to `step`, of those that have a value; -1 if none has.
function nearestAt(steps, values, step) {
  let best = -1;
  for (let i = 0; i < steps.length; ++i) {
    if (values[i] === null) continue;
    if (best < 0 || Math.abs(steps[i] - step) <= Math.abs(steps[best] - step)) best = i;
  }
  return best;
}

// Round numbers between `low` and `high`, about `count` of them.
function linearTicks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i)
    ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function logTicks(low, high, count) {
  const decades = Math.log10(high / low);
  const every = Math.max(1, Math.ceil(decades / count));
  const digits = decades < 1 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += every)
    for (const digit of digits) ticks.push(Number((digit * 10 ** power).toPrecision(6)));
  const inside = ticks.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  return inside.length > 1 ? inside : [low, high];
}

// A mapping from values between `low` and `high` to pixels between `from` and `to`.
function makeScale(low, high, from, to, isLog) {
  const of = isLog ? Math.log : (value) => value;
  const back = isLog ? Math.exp : (value) => value;
  const [begin, size] = [of(low), of(high) - of(low) || 1];
  const scale = (value) => from + (of(value) - begin) / size * (to - from);
  scale.back = (pixel) => back(begin + (pixel - from) / (to - from) * size);
  scale.ticks = (count) => (isLog ? logTicks : linearTicks)(low, high, count);
  return scale;
}

const CHART_HEIGHT = 150;
const MARGIN = {left: 46, right: 10, top: 8, bottom: 22};

// One chart: its title, the values at the crosshair, which are its legend, and its picture.
class Chart {
  constructor({name, lines}, charts) {
    this.name = measureLabel(name);
    this.lines = lines;
    this.charts = charts;
    this.readouts = lines.map(() => el("span", {class: "value"}));
    const legend = lines.map((line, i) => el("li", {}, el("span", {
      class: `swatch ${lineStyle(line)}`,
      "aria-hidden": "true",
    }), `${this.lineName(line)} `, this.readouts[i]));
    this.picture = svg("svg", {role: "img", height: CHART_HEIGHT});
    this.picture.addEventListener("pointermove", (event) => charts.hover(this.stepAt(event)));
    this.picture.addEventListener("pointerleave", () => charts.hover(null));
    this.picture.addEventListener("click", (event) => charts.onStep(this.stepAt(event)));
    this.element = el("figure", {class: "chart"}, el("figcaption", {}, el("h3", {}, this.name),
                      el("ul", {class: "legend"}, ...legend)), this.picture);
  }

  lineName({run, isValidation}) {
    const name = isValidation ? "validation" : "training";
    return this.charts.runs.length > 1 ? `${run.letter} ${name}` : name;
  }

  stepAt(event) {
    const [first, last] = this.charts.range;
    const step = this.x.back(event.clientX - this.picture.getBoundingClientRect().left);
    return Math.min(Math.max(step, first), last);
  }

  draw() {
    const {options: {isLogX, isLogY, smoothing}, range} = this.charts;
    const width = Math.max(this.element.clientWidth, 160);
    const [right, bottom] = [width - MARGIN.right, CHART_HEIGHT - MARGIN.bottom];
    const isShown = (value) => value !== null && (!isLogY || value > 0);
    this.shown = this.lines.map(({steps, values, isValidation}) => {
      const allowed = values.map((value) => (isShown(value) ? value : null));
      return {steps, raw: allowed,
              values: isValidation || !smoothing ? allowed : smoothed(allowed, smoothing)};
    });
    const [low, high] = this.rangeOfValues(isLogY);
    this.x = makeScale(...range, MARGIN.left, right, isLogX);
    this.y = makeScale(low, high, bottom, MARGIN.top, isLogY);
    this.crosshair = svg("line", {class: "crosshair", y1: MARGIN.top, y2: bottom});
    this.dots = svg("g", {class: "dots"});
    const lines = this.shown.flatMap((line, i) => this.drawLine(line, this.lines[i]));
    this.picture.setAttribute("viewBox", `0 0 ${width} ${CHART_HEIGHT}`);
    this.picture.replaceChildren(...this.drawAxes(right, bottom), ...lines, this.crosshair,
                                 this.dots);
    this.picture.setAttribute("aria-label", this.describe());
  }

  rangeOfValues(isLog) {
    let low = Infinity;
    let high = -Infinity;
    for (const {raw} of this.shown) {
      for (const value of raw) {
        if (value === null) continue;
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (low > high) return isLog ? [0.1, 1] : [0, 1];  // there are no values
    if (isLog) return low === high ? [low / 2, high * 2] : [low, high];
    if (low >= 0 && low < high / 2) low = 0;
    if (low === high) [low, high] = [low - Math.abs(low) / 2, high + (Math.abs(high) / 2 || 1)];
    const space = (high - low) * 0.04;
    return [low === 0 ? 0 : low - space, high + space];
  }

  drawAxes(right, bottom) {
    const rows = this.y.ticks(3).flatMap((tick) => [
      svg("line", {class: "grid", x1: MARGIN.left, x2: right, y1: this.y(tick), y2: this.y(tick)}),
      svg("text", {class: "y", x: MARGIN.left - 6, y: this.y(tick) + 4}, numberLabel(tick)),
    ]);
    const columns = this.x.ticks(4).map((tick) => {
      const end = this.x(tick) > right - 20 ? " end" : "";
      const x = end ? right : this.x(tick);
      return svg("text", {class: `x${end}`, x, y: CHART_HEIGHT - 5}, numberLabel(tick));
    });
    return [...rows, ...columns];
  }

  drawLine({steps, raw, values}, line) {
    const style = lineStyle(line);
    const parts = [];
    if (raw !== values) parts.push(svg("path", {class: `raw ${style}`, d: this.path(steps, raw)}));
    parts.push(svg("path", {class: style, d: this.path(steps, values)}));
    const count = values.filter((value) => value !== null).length;
    if (line.isValidation && count <= 40 || count === 1) {
      values.forEach((value, i) => {
        if (value !== null)
          parts.push(this.dot(style, steps[i], value, 2.2));
      });
    }
    return parts;
  }

  dot(style, step, value, radius) {
    return svg("circle", {class: style, cx: this.xOf(step), cy: this.y(value), r: radius});
  }

  // Where a step is; one before the range of a logarithmic scale is at its beginning.
  xOf(step) {
    const [first, last] = this.charts.range;
    return this.x(Math.min(Math.max(step, first), last));
  }

  // The path through the points. Of many points in one column of pixels, the lowest and the
  // highest are kept.
  path(steps, values) {
    let path = "";
    let isPen = false;
    let column = null;
    const flush = () => {
      if (!column) return;
      const {x, low, high, last} = column;
      const ys = low === high ? [low] : [low, high, last];
      for (const y of ys) {
        path += `${isPen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
        isPen = true;
      }
      column = null;
    };
    steps.forEach((step, i) => {
      if (values[i] === null) {
        flush();
        isPen = false;
        return;
      }
      const [x, y] = [this.xOf(step), this.y(values[i])];
      if (column && Math.abs(x - column.x) < 0.5) {
        column.low = Math.min(column.low, y);
        column.high = Math.max(column.high, y);
        column.last = y;
      } else {
        flush();
        column = {x, low: y, high: y, last: y};
      }
    });
    flush();
    return path;
  }

  // Moves the crosshair to a step and shows the values there.
  point(step) {
    const x = this.xOf(step);
    this.crosshair.setAttribute("x1", x);
    this.crosshair.setAttribute("x2", x);
    this.dots.replaceChildren();
    this.shown.forEach(({steps, values}, i) => {
      const at = nearestAt(steps, values, step);
      this.readouts[i].textContent = at < 0 ? "no values" : numberLabel(values[at]);
      if (at < 0) return;
      this.dots.append(this.dot(lineStyle(this.lines[i]), steps[at], values[at], 3.5));
    });
  }

  describe() {
    return `${this.name}. ` + this.lines.map((line, i) => {
      const {steps, values} = this.shown[i];
      const first = values.findIndex((value) => value !== null);
      const last = nearestAt(steps, values, this.charts.range[1]);
      if (last < 0) return `${this.lineName(line)}: no values`;
      return `${this.lineName(line)}: ${numberLabel(values[first])} at step ${
          numberLabel(steps[first])}, ${numberLabel(values[last])} at step ${
          numberLabel(steps[last])}`;
    }).join("; ");
  }
}

// All charts and their controls. Calls `onStep(step)` when a step is chosen in one of them.
class Charts {
  constructor(runs, onStep) {
    this.runs = runs;
    this.onStep = onStep;
    this.options = {isLogX: false, isLogY: false, smoothing: 0};
    this.step = 0;
    const steps = runs.flatMap((run) => [...run.series.values()].flatMap((each) => [
      each.steps[0], each.steps[each.steps.length - 1]]));
    this.lastStep = Math.max(...steps);
    this.firstStep = Math.min(...steps);
    this.charts = chartsOf(runs).map((chart) => new Chart(chart, this));
    this.at = el("strong", {class: "at-step"});
    const change = (name, value) => {
      this.options[name] = value;
      this.draw();
    };
    this.element = el("div", {},
        el("div", {class: "menus"},
           this.makeChoice("Values", (isLog) => change("isLogY", isLog)),
           this.makeChoice("Steps", (isLog) => change("isLogX", isLog)),
           el("label", {}, "Smoothing ", el("input", {
             type: "range", min: 0, max: 0.98, step: 0.02, value: 0,
             oninput: (event) => change("smoothing", Number(event.target.value)),
           })), this.at),
        el("div", {class: "charts"}, ...this.charts.map((chart) => chart.element)));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  makeChoice(name, onChange) {
    return el("label", {}, `${name} `, el("select", {
      onchange: (event) => onChange(event.target.value === "log"),
    }, el("option", {value: "linear"}, "linear"), el("option", {value: "log"}, "logarithmic")));
  }

  get range() {
    const first = this.options.isLogX ? Math.max(this.firstStep, 1) : this.firstStep;
    return [first, Math.max(this.lastStep, first + 1)];
  }

  draw() {
    for (const chart of this.charts) chart.draw();
    this.hover(null);
  }

  // The step that the crosshair shows when no chart is hovered.
  setStep(step) {
    this.step = step;
    this.hover(null);
  }

  hover(step) {
    const shown = step ?? this.step;
    this.at.textContent = `at step ${numberLabel(Math.round(shown))}`;
    for (const chart of this.charts) if (chart.x) chart.point(shown);
  }
}

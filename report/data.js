// Reads the runs from the page's JSON, which may be damaged, and makes text safe to show.

// Characters that nobody would see, or that change the direction of what surrounds them.
const HIDDEN = new RegExp(
    "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b\\u200e\\u200f\\u2028-\\u202e" +
    "\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\p{Surrogate}]", "gu");

// These shape their neighbours, as in Persian and in emoji, and are hidden only if there is none.
const JOINERS_ALONE = /^[\u200c\u200d\ufe00-\ufe0f]+$/u;

function escaped(character) {
  return "\\u" + character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

// `text` with a visible sign in place of each control character: "␉" for a tab, "\u202E" for an
// override of the direction.
function visible(text) {
  return String(text).replace(HIDDEN, (hidden) => {
    const code = hidden.codePointAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return escaped(hidden);
  });
}

// The label of a token: a token without ink gets some, and a combining mark a circle to sit on.
function tokenLabel(token) {
  if (token === "") return "\u2205";
  if (/^\s+$/u.test(token)) return visible(token).replace(/\s/gu, "\u2423");
  if (JOINERS_ALONE.test(token)) return Array.from(token).map(escaped).join("");
  return visible(/^\p{Mark}/u.test(token) ? "\u25cc" + token : token);
}

const RIGHT_TO_LEFT = /^[^\p{L}]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/u;

// Whether most of the tokens are written from right to left.
function isRightToLeft(tokens) {
  return tokens.filter((token) => RIGHT_TO_LEFT.test(token)).length > tokens.length / 2;
}

// `text` with at most `length` characters, the last of which shows whether some are missing.
function shortened(text, length) {
  const characters = Array.from(text);
  return characters.length <= length ? text : characters.slice(0, length - 1).join("") + "\u2026";
}

// A sentence of tokens for a menu or a label.
function sentence(tokens, length) {
  return shortened(tokens.slice(0, length).map(tokenLabel).join(" "), length);
}

// "decoder.layer0.cross_attention" as "decoder · layer0 · cross attention".
function attentionLabel(name) {
  return visible(name).replaceAll("_", " ").replaceAll(".", " \u00b7 ");
}

// A number with four digits that count; a long dash for what is missing.
function numberLabel(value) {
  if (value === null || !Number.isFinite(value)) return "\u2013";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7))
    return value.toExponential(2).replace(/\.?0*e\+?/, "e").replace("-", "\u2212");
  return value.toLocaleString("en", {maximumSignificantDigits: size >= 1000 ? 7 : 4});
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) bytes[i] = text.charCodeAt(i);
  return bytes;
}

const isList = Array.isArray;
const isTokens = (value) => isList(value) && value.every((token) => typeof token === "string");
const isIndex = (value, list) => Number.isInteger(value) && value >= 0 && value < list.length;
const listOf = (value) => (isList(value) ? value : []);
const textOf = (value) => (value === undefined || value === null ? "" : String(value));

const MOST_HEADS = 1000;

function isAttentionData(value) {
  const isSide = (side) => side === "source" || side === "target";
  return value && Number.isInteger(value.heads) && value.heads >= 1 && value.heads <= MOST_HEADS &&
         isSide(value.queries) && isSide(value.keys);
}

function pairsOf(rows) {
  return listOf(rows).filter((row) => isList(row) && row.length >= 2)
      .map(([name, value]) => [textOf(name), textOf(value)]);
}

// The tokens of the rows and of the columns of an attention's heat map. A decoder's self-attention
// looks at the tokens fed to it, which are those it wrote, one later.
function axesOf(example, attention) {
  const fed = attention.keys === "target" && attention.queries === "target";
  return {
    queries: example[attention.queries],
    keys: fed ? ["<s>", ...example.target.slice(0, -1)] : example[attention.keys],
  };
}

// One run. What is damaged is left out and named by a sentence in `faults`.
class Run {
  constructor(raw, letter) {
    this.letter = letter;
    this.faults = [];
    if (raw === null || typeof raw !== "object") {
      raw = {};
      this.faults.push("The data of this run is damaged.");
    }
    this.name = textOf(raw.name) || "unnamed run";
    this.command = textOf(raw.command);
    this.finished = raw.finished === true;
    this.step = raw.step;
    this.steps = raw.steps;
    this.config = pairsOf(raw.config);
    this.summary = pairsOf(raw.summary);
    this.series = this.readSeries(raw.series);
    this.hypotheses = this.readHypotheses(raw.hypotheses);
    this.test = this.readTest(raw.test);
    this.examples = [];
    this.recordedSteps = [];
    this.attentions = [];
    this.quantities = [];
    this.readExamples(raw.examples);
    this.readWeights(raw);
  }

  readSeries(raw) {
    const all = new Map();
    for (const [name, points] of Object.entries(raw ?? {})) {
      const [steps, values] = listOf(points);
      if (isList(steps) && isList(values) && steps.length === values.length &&
          steps.every(Number.isFinite)) {
        const numbers = values.map((value) => (Number.isFinite(value) ? value : null));
        if (numbers.length) all.set(name, {steps, values: numbers});
      } else {
        this.faults.push(`The values of \u201c${visible(name)}\u201d are damaged and left out.`);
      }
    }
    return all;
  }

  readHypotheses(raw) {
    return listOf(raw).filter((each) => each && isList(each.best))
        .map((each) => ({source: textOf(each.source), best: each.best.filter(Boolean)}));
  }

  // The sentences of a test; null if there are none. weightsOf(i) are those of sentence i: bytes, a
  // row for each token of the output, or null without attention.
  readTest(raw) {
    if (!raw) return null;
    const isNumbers = (list) => isList(list) && list.every(Number.isFinite);
    const isSentence = (each) => each && isTokens(each.source) && isTokens(each.target) &&
        isTokens(each.references) && isNumbers(each.scores);
    const sentences = listOf(raw.sentences);
    const metrics = listOf(raw.metrics).filter(Boolean);
    if (!sentences.length || !sentences.every(isSentence)) {
      this.faults.push("The sentences of the test are damaged and left out.");
      return null;
    }
    const begins = [0];
    for (const {source, target} of sentences)
      begins.push(begins.at(-1) + source.length * target.length);
    let weights = new Uint8Array(0);
    try {
      weights = bytesOf(raw.weights ?? "");
    } catch {}  // has the wrong length then
    if (weights.length && weights.length !== begins.at(-1))
      this.faults.push("The weights of the tested sentences are damaged and left out.");
    const hasWeights = weights.length === begins.at(-1);
    return {
      data: textOf(raw.data), metrics,
      sentences: sentences.map((each) => ({...each, sourceText: textOf(each.source_text),
                                           output: textOf(each.output)})),
      weightsOf: (i) => (hasWeights ? weights.subarray(begins[i], begins[i + 1]) : null),
    };
  }

  readExamples(raw) {
    const examples = listOf(raw);
    if (!examples.every((each) => each && isTokens(each.source) && isTokens(each.target))) {
      this.faults.push("The recorded examples are damaged and left out.");
      return;
    }
    this.examples = examples.map(({source, target, truth}) => ({
      source,
      target,
      truth: isList(truth) ? truth.filter((link) => isList(link) && isIndex(link[0], target) &&
                                                    isIndex(link[1], source)) : null,
    }));
  }

  readWeights(raw) {
    const attentions = listOf(raw.attentions);
    const steps = listOf(raw.recorded_steps);
    if (!this.examples.length || !attentions.length || !steps.length) return;
    const isStep = (step, i) => Number.isFinite(step) && !(step <= steps[i - 1]);
    if (!attentions.every(isAttentionData) || !steps.every(isStep)) {
      this.faults.push("The description of the attention weights is damaged; they are left out.");
      return;
    }
    this.attentions = attentions.map((each) => ({...each, name: textOf(each.name)}));
    const size = this.measure(steps.length);
    try {
      this.weights = bytesOf(raw.weights ?? "");
    } catch {
      this.weights = new Uint8Array(0);
    }
    if (this.weights.length === size) {
      this.recordedSteps = steps;
      this.quantities = listOf(raw.quantities).map((each) => this.readQuantity(each))
          .filter(Boolean);
      return;
    }
    this.attentions = [];
    if (raw.weights)
      this.faults.push(`The attention weights are damaged and left out: expected ${
          numberLabel(size)} bytes, found ${numberLabel(this.weights.length)}.`);
  }

  // Finds where the weights of each example and attention begin, and how many there are in all.
  measure(steps) {
    let offset = 0;
    this.offsets = this.examples.map((example) => this.attentions.map((attention) => {
      const {queries, keys} = axesOf(example, attention);
      const begin = offset;
      offset += attention.heads * queries.length * keys.length;
      return begin;
    }));
    this.weightsPerStep = offset;
    return steps * offset;
  }

  // A quantity of an attention: numbers per query, or per query and key, of each head or of all.
  readQuantity(raw) {
    const attention = this.attentions[raw?.attention];
    if (!attention || !this.weightsPerStep) return null;
    const perKey = raw.shape === "query x key";
    const sizes = this.examples.map((example) => {
      const {queries, keys} = axesOf(example, attention);
      return queries.length * (perKey ? keys.length : 1);
    });
    const total = sizes.reduce((sum, size) => sum + size, 0) * this.recordedSteps.length;
    let values = new Float32Array(0);
    try {
      values = new Float32Array(bytesOf(raw.values).buffer);
    } catch {}  // has the wrong length then
    const heads = values.length / total;
    if (heads !== 1 && heads !== attention.heads) {
      this.faults.push(`The values of \u201c${visible(textOf(raw.name))}\u201d are damaged and ` +
                       "left out.");
      return null;
    }
    return {attention: raw.attention, name: textOf(raw.name), perKey, sizes, heads, values};
  }

  // The weights of one heat map, row by row: bytes, of which 255 means 1.
  weightsOf(step, example, attention, head) {
    const {queries, keys} = axesOf(this.examples[example], this.attentions[attention]);
    const size = queries.length * keys.length;
    const begin = step * this.weightsPerStep + this.offsets[example][attention] + head * size;
    return this.weights.subarray(begin, begin + size);
  }

  // Weights between those of two steps, `part` of the way; null if this run did not record `next`.
  weightsBetween(step, next, part, example, attention, head) {
    const at = this.recordedSteps.indexOf(next);
    if (at < 1) return null;
    const [from, to] = [at - 1, at].map((each) => this.weightsOf(each, example, attention, head));
    const span = this.recordedSteps[at] - this.recordedSteps[at - 1];
    const share = (step - this.recordedSteps[at - 1] + part * (next - step)) / span;
    return from.map((weight, i) => weight + share * (to[i] - weight));
  }

  valuesOf(quantity, step, example, head) {
    const {sizes, heads, values} = quantity;
    const before = sizes.slice(0, example).reduce((sum, size) => sum + size, 0);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const begin = heads * (step * all + before) + (heads > 1 ? head : 0) * sizes[example];
    return values.subarray(begin, begin + sizes[example]);
  }

  // The index of the last recorded step that is not after `step`.
  recordedAt(step) {
    const after = this.recordedSteps.findIndex((each) => each > step);
    return after < 0 ? this.recordedSteps.length - 1 : Math.max(after - 1, 0);
  }
}

// The steps that any of the runs recorded.
function stepsOf(runs) {
  return [...new Set(runs.flatMap((run) => run.recordedSteps))].sort((a, b) => a - b);
}

// {runs, fault}: `fault` is a sentence if nothing can be shown.
function readReport(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch (error) {
    return {runs: [], fault: `The data of this report is damaged: ${error.message}`};
  }
  if (report?.version !== 1)
    return {runs: [], fault: "The data of this report has a version that this page cannot read."};
  const runs = listOf(report.runs).map((run, i) => new Run(run, String.fromCharCode(65 + i)));
  return {runs, fault: runs.length ? "" : "This report contains no run."};
}

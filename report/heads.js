// All heads of a run in small.

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
        const longest = Math.max(queries.length, keys.length);
        const level = Math.max(0, Math.ceil(Math.log2(longest / TILE)));
        drawTile(canvas, this.run.weightsOf(step, example, attention, head), queries.length,
                 keys.length, 0, 0, level);
        canvas.classList.toggle("enlarged", canvas.width < 61);
      }
      if (waiting.length) this.frame = requestAnimationFrame(drawSome);
    };
    drawSome();
  }
}

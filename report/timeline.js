// The training step that is shown.

const prefersStillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

const STEP_TIME = 500;  // milliseconds per recorded step while it plays

// The slider over the recorded steps, on a logarithmic scale, and the button that plays them.
// Calls `onStep(step, isPlaying)` at recorded steps and `onBlend(step, part)` on the way to the
// next one.
class Timeline {
  constructor(steps, onStep, onBlend) {
    Object.assign(this, {steps, onStep, onBlend, at: steps.length - 1});
    const position = (step) => Math.log1p(step);
    const [first, last] = [steps[0], steps[steps.length - 1]].map(position);
    this.positions = steps.map((step) => (position(step) - first) / (last - first || 1));
    this.button = el("button", {type: "button", class: "play", onclick: () => this.toggle()});
    this.slider = el("input", {
      type: "range", min: 0, max: 1, step: "any", "aria-label": "Training step",
      oninput: () => this.slid(), onkeydown: (event) => this.pressed(event),
    });
    this.value = el("output", {class: "step"});
    this.ticks = el("div", {class: "ticks", "aria-hidden": "true"}, ...this.positions.map((at) =>
        el("span", {style: `left: ${at * 100}%`})));
    this.element = el("div", {class: "timeline"}, this.button,
                      el("div", {class: "track"}, this.slider, this.ticks), this.value);
    this.button.disabled = this.slider.disabled = steps.length < 2;
    this.showButton();
  }

  // Labels the ticks for which there is room, that of the last step in any case.
  layout() {
    const width = this.ticks.clientWidth;
    const half = this.steps.map((step) => 4 + 3.5 * numberLabel(step).length);
    const last = this.steps.length - 1;
    let free = -Infinity;  // where the next label may begin
    this.steps.forEach((step, i) => {
      const x = this.positions[i] * width;
      const fits = i === last || x - half[i] >= free && x + half[i] <= width - half[last];
      if (fits) free = x + half[i];
      this.ticks.children[i].textContent = fits ? numberLabel(step) : "";
    });
  }

  get step() { return this.steps[this.at]; }

  go(at) {
    this.at = Math.min(Math.max(at, 0), this.steps.length - 1);
    this.slider.value = this.positions[this.at];
    this.slider.setAttribute("aria-valuetext", `step ${numberLabel(this.step)}`);
    this.value.replaceChildren("step ", el("strong", {}, numberLabel(this.step)));
    this.onStep(this.step, this.isPlaying);
  }

  // The recorded step whose position is nearest.
  nearest(position) {
    const distances = this.positions.map((each) => Math.abs(each - position));
    return distances.indexOf(Math.min(...distances));
  }

  goToStep(step) {
    this.stop();
    const distances = this.steps.map((each) => Math.abs(Math.log1p(each) - Math.log1p(step)));
    this.go(distances.indexOf(Math.min(...distances)));
  }

  slid() {
    this.stop();
    this.go(this.nearest(Number(this.slider.value)));
  }

  pressed(event) {
    const last = this.steps.length - 1;
    const next = {ArrowLeft: this.at - 1, ArrowDown: this.at - 1, ArrowRight: this.at + 1,
                  ArrowUp: this.at + 1, PageDown: this.at - 3, PageUp: this.at + 3,
                  Home: 0, End: last}[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.move(next);
  }

  move(at) {
    this.stop();
    this.go(at);
  }

  get isPlaying() { return this.frame !== undefined; }

  toggle() {
    if (this.isPlaying) this.stop();
    else this.play();
  }

  // Plays from here to the end, or from the beginning if this is the end.
  play() {
    if (this.steps.length < 2) return;
    const isAtEnd = this.at === this.steps.length - 1;
    const isStill = prefersStillness();
    let begin = null;
    let from = isAtEnd ? 0 : this.at;
    const advance = (now) => {
      begin ??= now;
      const part = (now - begin) / STEP_TIME;
      this.frame = requestAnimationFrame(advance);
      if (part >= 1) {
        begin = now;
        ++from;
        if (from === this.steps.length - 1) this.stop();
        this.go(from);
      } else if (!isStill) {
        const [here, next] = [this.positions[from], this.positions[from + 1]];
        this.slider.value = here + part * (next - here);
        this.onBlend(this.steps[from], this.steps[from + 1], part);
      }
    };
    this.frame = requestAnimationFrame(advance);
    this.go(from);
    this.showButton();
  }

  stop() {
    if (!this.isPlaying) return;
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    this.showButton();
    this.go(this.at);
  }

  showButton() {
    const word = this.isPlaying ? "Pause" : "Play";
    this.button.setAttribute("aria-label", `${word} training steps`);
    this.button.textContent = this.isPlaying ? "\u275a\u275a" : "\u25b6\ufe0e";
  }
}

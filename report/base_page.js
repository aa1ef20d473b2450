// What all pages have in common: a training step, keyboard, address, theme and print. A page has a
// `timeline` and the methods showStep(step, isPlaying), blend(step, next, part), layout(),
// recolor(), selection() and select(address).

const sentenceOf = (text, className = "message") => el("p", {class: className}, text);

class BasePage {
  constructor() {
    this.live = el("div", {class: "only-spoken", "aria-live": "polite"});
    this.setTheme(this.address().get("theme") ?? "");
  }

  makeTimeline(steps) {
    return new Timeline(steps, (step, isPlaying) => this.showStep(step, isPlaying),
                        (step, next, part) => this.blend(step, next, part));
  }

  makeThemeButton() {
    this.themeButton = el("button", {type: "button", onclick: () => {
      this.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
      this.recolor();
      this.writeAddress();
    }});
    this.showTheme();
    return this.themeButton;
  }

  makeLegend(...more) {
    return el("p", {class: "legend"}, "0 ", el("span", {class: "color-bar"}), " 1", ...more);
  }

  // `keys`: [key, use] of those that only this page has.
  makeFooter(keys) {
    const all = [["space", "play or pause"], ["\u2190 \u2192", "one recorded step back or on"],
                 ["arrows in the heat map", "move between cells"], ...keys];
    return el("footer", {}, el("dl", {"aria-label": "Keys"}, ...all.map(([key, use]) =>
        el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, use)))));
  }

  // Shows what the address selects, and plays unless it selects a step.
  start() {
    this.readAddress();
    this.layout();
    this.listen();
    if (!this.address().has("step") && !prefersStillness()) this.timeline.play();
  }

  say(words) { this.live.textContent = words; }

  address() { return new URLSearchParams(location.hash.slice(1)); }

  // Keeps what is selected in the address, a little later, as browsers limit how often it changes.
  writeAddress() {
    clearTimeout(this.writing);
    this.writing = setTimeout(() => {
      const address = new URLSearchParams({
        ...this.selection(),
        step: this.timeline.step,
        ...(this.chosenTheme && {theme: this.chosenTheme}),
      });
      history.replaceState(null, "", `#${address.toString().replaceAll("%2C", ",")}`);
    }, 200);
  }

  // Selects what the address says, as far as it exists.
  readAddress() {
    const address = this.address();
    this.select(address);
    const step = address.has("step") ? Number(address.get("step")) : NaN;
    if (Number.isFinite(step)) this.timeline.goToStep(step);
    else this.timeline.go(this.timeline.at);
  }

  listen() {
    addEventListener("resize", () => this.layout());
    addEventListener("keydown", (event) => this.pressed(event));
    addEventListener("hashchange", () => {
      this.readAddress();
      this.layout();
    });
    addEventListener("beforeprint", () => this.beginPrint());
    addEventListener("afterprint", () => this.endPrint());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.setTheme(this.chosenTheme);
      this.recolor();
    });
  }

  pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, .scroller, pre")) return;  // these use the keys
    if (event.key === " " && !event.target.closest("button, summary")) this.timeline.toggle();
    else if (event.key === "ArrowLeft") this.timeline.move(this.timeline.at - 1);
    else if (event.key === "ArrowRight") this.timeline.move(this.timeline.at + 1);
    else return;
    event.preventDefault();
  }

  // "light", "dark" or "", which follows the system.
  setTheme(theme) {
    this.chosenTheme = ["light", "dark"].includes(theme) ? theme : "";
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    document.documentElement.dataset.theme = this.chosenTheme || system;
    this.showTheme();
  }

  showTheme() {
    if (!this.themeButton) return;
    const isDark = document.documentElement.dataset.theme === "dark";
    this.themeButton.textContent = isDark ? "Light theme" : "Dark theme";
  }

  // Paper is white and about 700 pixels wide.
  beginPrint() {
    this.timeline.stop();
    this.themeBeforePrint = document.documentElement.dataset.theme;
    this.prepare("light", true);
  }

  endPrint() { this.prepare(this.themeBeforePrint, false); }

  prepare(theme, isPrint) {
    document.documentElement.dataset.theme = theme;
    document.documentElement.classList.toggle("prints", isPrint);
    this.layout();
    this.recolor();
  }
}

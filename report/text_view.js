// The text of an example.

// The tokens of an attention's rows and columns as text. Pointing at a token shades those of the
// other line by their weights.
class TextView {
  // Calls `onPoint(side, at)` when the token `at` of the "query" or the "key" side is pointed at,
  // and `onPoint(side, null)` when none is any more.
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
      name: el("p", {class: "line-name", id}),
      list: el("div", {
        class: "line", role: "listbox", tabindex: "0", "aria-labelledby": id,
        "aria-orientation": "horizontal", onpointerover: point, onclick: point,
        onpointerleave: () => this.onPoint(side, null), onblur: () => this.onPoint(side, null),
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

// Makes the elements of the page.

// An element with attributes, listeners ("onclick") and children; text is set as text.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A token, isolated from the direction of the text around it, with all of it in its title.
function tokenElement(token, attributes = {}) {
  return el("bdi", {title: visible(token), ...attributes}, tokenLabel(token));
}

const SVG = "http://www.w3.org/2000/svg";

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A table that scrolls if it is too large; `name` is for screen readers.
function makeTable(name, head, rows) {
  const names = el("tr", {}, ...head.map((each) => el("th", {scope: "col"}, each)));
  return el("div", {class: "scroller", tabindex: "0", role: "region", "aria-label": name},
            el("table", {}, el("thead", {}, names), el("tbody", {}, ...rows)));
}

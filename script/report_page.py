"""Joins the parts of a page in report/ with data, as report_html() does, and reads such data."""
import base64
import json
import pathlib
import re

REPORT = pathlib.Path(__file__).resolve().parent.parent / "report"


def report_scripts():
    """The scripts of a report."""
    return sorted(REPORT.glob("*.js"))


def make_page(data, scripts, styles=(REPORT / "page.css",)):
    """The page with `data`: of a report, or any text in place of its JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    page = (REPORT / "page.html").read_text()
    for name, files in (("STYLE", styles), ("SCRIPT", scripts)):
        page = page.replace(f"/*{name}*/", "\n".join(path.read_text() for path in files))
    return page.replace("/*DATA*/", text.replace("<", "\\u003c"))


def read_data(path):
    """The data of a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>',
                      pathlib.Path(path).read_text(), re.S)
    if not found:
        raise RuntimeError(f"{path}: this is no page of a report; expected an element 'data'")
    return json.loads(found.group(1))


def axes(example, attention):
    """How many rows and columns a heat map has."""
    return len(example[attention["queries"]]), len(example[attention["keys"]])


def weights_of(run, step, example, attention, head):
    """The rows of one heat map, as bytes; all arguments but the run are indices."""
    sizes = [[axes(each, other) for other in run["attentions"]] for each in run["examples"]]
    heads = [each["heads"] for each in run["attentions"]]

    def total(rows):
        return sum(count * height * width for count, (height, width) in zip(heads, rows))

    offset = step * sum(map(total, sizes)) + sum(map(total, sizes[:example]))
    offset += total(sizes[example][:attention])
    height, width = sizes[example][attention]
    offset += head * height * width
    weights = base64.b64decode(run["weights"])[offset:offset + height * width]
    return [weights[row * width:(row + 1) * width] for row in range(height)]


def alignment_of(run):
    """The index of the attention that is shown first: the last one from target to source."""
    kinds = [(each["queries"], each["keys"]) for each in run["attentions"]]
    return max((i for i, kind in enumerate(kinds) if kind == ("target", "source")), default=0)

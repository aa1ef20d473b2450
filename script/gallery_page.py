"""The page that plays all mechanisms of the gallery at once, docs/gallery.html. Its data is that of
a report: a run for each mechanism, of which one example and one heat map are kept."""
import base64
import pathlib

import report_page

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/gallery.html"
END = "</s>"


def make_page(data):
    parts = report_page.REPORT
    scripts = [parts / f"{name}.js" for name in ("alignment", "base_page", "colors", "data",
                                                 "elements", "heatmap", "timeline")]
    return report_page.make_page(data, [*scripts, parts / "gallery/gallery.js"],
                                 [parts / "page.css", parts / "gallery/gallery.css"])


def make_card(name, summary, run):
    """A run of a report with its example of the most different letters, and the weights of the last
    attention from target to source, averaged over its heads, without the row of </s>: what
    `seq2seq translate` draws."""
    examples = run["examples"]
    chosen = max(range(len(examples)), key=lambda i: len(set(examples[i]["source"])))
    attention = report_page.alignment_of(run)
    heads = run["attentions"][attention]["heads"]
    target = [token for token in examples[chosen]["target"] if token != END]
    weights = bytearray()
    for step in range(len(run["recorded_steps"])):
        of_heads = [report_page.weights_of(run, step, chosen, attention, head)
                    for head in range(heads)]
        for row in range(len(target)):
            weights += bytes(round(sum(column) / heads)
                             for column in zip(*(rows[row] for rows in of_heads)))
    accuracies = dict(zip(*run["series"].get("accuracy", [[], []])))
    logged = [step for step in run["recorded_steps"] if step in accuracies]
    return {
        "name": name,
        "summary": summary,
        "series": {"accuracy": [logged, [round(accuracies[step], 3) for step in logged]]},
        "examples": [{**examples[chosen], "target": target}],
        "recorded_steps": run["recorded_steps"],
        "attentions": [{**run["attentions"][attention], "heads": 1}],
        "weights": base64.b64encode(weights).decode(),
    }


def write(mechanisms):
    """Writes the page of (name, summary, run folder): those without a run keep the card that the
    page has of them."""
    def key(card):
        return card["name"], card["summary"][0][1]  # the family

    kept = {}
    if PAGE.exists():
        kept = {key(card): card for card in report_page.read_data(PAGE)["runs"]}
    cards = []
    for name, summary, folder in mechanisms:
        report = folder / "report.html"
        if report.exists():
            cards.append(make_card(name, summary, report_page.read_data(report)["runs"][0]))
        elif (name, summary[0][1]) in kept:
            cards.append({**kept[name, summary[0][1]], "summary": summary})
    PAGE.write_text(make_page({"version": 1, "runs": cards}))

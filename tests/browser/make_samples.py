"""Makes reports of runs that do not exist, to test what the report of a real short run lacks.

    python3 tests/browser/make_samples.py FOLDER

writes FOLDER/NAME.html for each sample, from the parts of the page in report/ and data that is
calculated here: a recurrent model, a Transformer, two runs side by side, tokens that are hard to
show, a source of 2,000 tokens, and data that is missing or damaged.
"""

import array
import base64
import math
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "script"))
from report_page import axes, make_page, report_scripts

STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 800, 1000]


def row_of_weights(count, center, sharpness):
    """`count` weights as bytes: a bump around `center`, the narrower the greater `sharpness`."""
    scores = [-sharpness * (key - center) ** 2 for key in range(count)]
    largest = max(scores)
    powers = [math.exp(score - largest) for score in scores]
    return bytes(round(255 * power / sum(powers)) for power in powers)


def make_weights(run, reversed_order=True):
    weights = bytearray()
    for at, _ in enumerate(run["recorded_steps"]):
        progress = (at + 1) / len(run["recorded_steps"])
        for example in run["examples"]:
            for number, attention in enumerate(run["attentions"]):
                rows, columns = axes(example, attention)
                for head in range(attention["heads"]):
                    sharpness = 2 * progress ** 3 / (1 + head) ** 2
                    for row in range(rows):
                        center = row * columns / rows + head - number % 3
                        if reversed_order and attention["keys"] != attention["queries"]:
                            center = columns - 1 - center
                        weights += row_of_weights(columns, center, sharpness)
    return base64.b64encode(weights).decode()


def make_series(seed):
    chance = random.Random(seed)
    steps = list(range(10, 1001, 10))
    evaluated = list(range(100, 1001, 100))

    def curve(first, last, at, noise):
        return [last + (first - last) * math.exp(-step / 150) + chance.gauss(0, noise)
                for step in at]

    return {
        "loss": [steps, [abs(value) for value in curve(3.2, 0.02, steps, 0.03)]],
        "valid_loss": [evaluated, [abs(value) for value in curve(3.1, 0.05, evaluated, 0.005)]],
        "accuracy": [steps, curve(0.05, 0.99, steps, 0.01)],
        "valid_sequence_accuracy": [evaluated, curve(0, 0.985, evaluated, 0.002)],
        "valid_token_error_rate": [evaluated, curve(0.9, 0.01, evaluated, 0.001)],
        "valid_alignment_accuracy": [evaluated, curve(0.1, 0.97, evaluated, 0.002)],
        "valid_attention_entropy": [evaluated, [None] + curve(2.1, 0.3, evaluated[1:], 0.01)],
        "learning_rate": [steps, [1e-3 * min(1, step / 100) for step in steps]],
        "gradient_norm": [steps, [abs(value) for value in curve(4, 0.3, steps, 0.2)]],
    }


def reversal(word):
    source = list(word)
    links = [[i, len(source) - 1 - i] for i in range(len(source))]
    return {"source": source, "target": source[::-1] + ["</s>"], "truth": links}


def make_run(name, **parts):
    run = {
        "name": name,
        "command": f"seq2seq train --task reverse --run {name}",
        "finished": True, "step": 1000, "steps": 1000,
        "config": [["task", "reverse"], ["embedding", "32"], ["hidden", "64"], ["cell", "gru"],
                   ["attention", "additive"], ["seed", "1"]],
        "summary": [["parameters", "202,000"], ["sequences right", "99.9%"],
                    ["training took", "1 min 12 s"]],
        "series": make_series(1),
        "examples": [reversal(word) for word in ("attention", "alignment", "emerge", "watching")],
        "recorded_steps": STEPS,
        "attentions": [{"name": "decoder.attention", "heads": 1, "queries": "target",
                        "keys": "source"}],
    }
    run.update(parts)
    if "weights" not in run:
        run["weights"] = make_weights(run)
    return run


def transformer_run(name, **parts):
    kinds = [("encoder.transformer.layer{}.self_attention", "source", "source"),
             ("decoder.transformer.layer{}.self_attention", "target", "target"),
             ("decoder.transformer.layer{}.cross_attention", "target", "source")]
    attentions = [{"name": pattern.format(layer), "heads": 4, "queries": queries, "keys": keys}
                  for pattern, queries, keys in kinds for layer in (0, 1)]
    return make_run(name, attentions=attentions, series=make_series(2), **parts)


def translation_run(name):
    examples = [{"source": "the black cat sleeps on the old sofa .".split(),
                 "target": "le chat noir dort sur le vieux canapé . </s>".split(),
                 "truth": [[0, 0], [1, 2], [2, 1], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [8, 8]]}]
    best = [{"text": "le chat noir dort sur le vieux canapé .", "score": -0.31,
             "log_probability": -1.24},
            {"text": "le chat noir dort sur le sofa .", "score": -0.62, "log_probability": -2.8}]
    config = [["task", "pairs"], ["embedding", "64"], ["hidden", "64"], ["cell", "lstm"],
              ["attention", "general"], ["seed", "1"], ["beam", "4"]]
    run = make_run(name, examples=examples, config=config, series=make_series(3), weights="",
                   recorded_steps=[1, 10, 100, 700], finished=False, step=700,
                   hypotheses=[{"source": "the black cat sleeps on the old sofa .", "best": best}])
    run["weights"] = make_weights(run, reversed_order=False)
    return run


def hostile_run():
    source = ["tab\there", "\t", " ", "", "👩‍👩‍👧‍👦", "🇫🇷", "e\u0301", "\u0301", "שלום",
              "العربية", "\u202eevil\u202c", "\u0000\u0007\u001b[31m", "\u200b", "x" * 1000,
              "<script>window.hacked=1</script>", "<img src=x onerror='window.hacked=1'>",
              "</script>", "&lt;", "می‌خواهم", "\u2028", "ไทย", "漢字"]
    example = {"source": source, "target": source[::-1],
               "truth": [[i, len(source) - 1 - i] for i in range(len(source))]}
    hebrew = {"source": "אני אוהב ללמוד".split(), "target": "I love to learn </s>".split(),
              "truth": None}
    name = "<b>run</b>\u202e\t"
    return make_run(name, examples=[example, hebrew], config=[["<i>task</i>", "</script>\n"]],
                    command="seq2seq train --task '<script>alert(1)</script>'",
                    hypotheses=[{"source": "<script>", "best": [
                        {"text": "\u202e<b>", "score": None, "log_probability": None}]}])


def long_run(count=2000):
    tokens = [f"word{i}" for i in range(count)]
    example = {"source": tokens, "target": tokens, "truth": [[i, i] for i in range(count)]}
    attentions = [{"name": "decoder.attention", "heads": 1, "queries": "target", "keys": "source"}]
    weights = bytearray()
    for step in (1, 2):
        for row in range(count):
            near = range(max(0, row - 4 // step), min(count, row + 4 // step + 1))
            line = bytearray(count)
            for key in near:
                line[key] = 60 if step == 1 else 220 - 90 * abs(key - row)
            weights += line
    return make_run("runs/long", examples=[example], attentions=attentions,
                    recorded_steps=[100, 1000], weights=base64.b64encode(weights).decode())


def quantities_run():
    run = make_run("runs/monotonic")
    positions, coverage = array.array("f"), array.array("f")
    for at, _ in enumerate(STEPS):
        for example in run["examples"]:
            rows, columns = len(example["target"]), len(example["source"])
            positions.extend((columns - 1 - row) * (at + 1) / len(STEPS) for row in range(rows))
            coverage.extend(min(1.5, 0.1 * at * row * key / columns)
                            for row in range(rows) for key in range(columns))
    run["quantities"] = [
        {"attention": 0, "name": name, "shape": shape,
         "values": base64.b64encode(values.tobytes()).decode()}
        for name, shape, values in [("position", "query", positions),
                                    ("coverage", "query x key", coverage)]]
    return run


def tested_run():
    pairs = [("the cat sleeps", "le chat dort"), ("the old sofa", "le vieux sofa"),
             ("<b>a bird</b> sings", "un oiseau chante")] + [
                 (f"number {i}", f"nombre {i}") for i in range(200)]
    weights, sentences = bytearray(), []
    for number, (source, target) in enumerate(pairs):
        words, written = source.split(), target.split()
        for row in range(len(written)):
            line = bytearray(len(words))
            line[min(row, len(words) - 1)] = 200
            weights += line
        sentences.append({"source": words, "target": written, "source_text": source,
                          "output": target, "references": [target, f"reference {number}"],
                          "scores": [100 - number % 7, number / 10], "finished": number != 1})
    return make_run("runs/tested", test={
        "data": "test.tsv", "metrics": [{"name": "BLEU", "score": 38.25},
                                        {"name": "chrF2", "score": 60.5}],
        "sentences": sentences, "weights": base64.b64encode(weights).decode()})


def make_samples():
    def report(*runs):
        return {"version": 1, "runs": list(runs)}

    return {
        "recurrent": report(make_run("runs/reverse")),
        "transformer": report(transformer_run("runs/transformer")),
        "compare": report(make_run("runs/reverse"), transformer_run("runs/transformer")),
        "vocabularies": report(make_run("runs/reverse"), translation_run("runs/translate")),
        "translate": report(translation_run("runs/translate")),
        "hostile": report(hostile_run()),
        "long": report(long_run()),
        "quantities": report(quantities_run()),
        "tested": report(tested_run()),
        "damaged_test": report(make_run("runs/reverse", test={"sentences": [{"source": 3}]})),
        "no_examples": report(make_run("runs/reverse", examples=[], weights="")),
        "no_weights": report(make_run("runs/reverse", weights="")),
        "no_series": report(make_run("runs/reverse", series={})),
        "empty": report({"name": "runs/empty"}),
        "no_tokens": report(make_run("runs/reverse", weights="", examples=[
            {"source": [], "target": ["</s>"], "truth": []}])),
        "damaged_weights": report(make_run("runs/reverse", weights="AAAA")),
        "damaged_parts": report(make_run("runs/reverse", weights="%%", config=7, series={
            "loss": [[1, 2], [3]], "accuracy": "x"}, hypotheses=[None, {"best": 3}])),
        "damaged_run": {"version": 1, "runs": [None]},
        "damaged_json": '{"version": 1, "runs": [',
        "no_runs": report(),
        "future": {"version": 2, "runs": []},
    }


def write_samples(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in make_samples().items():
        (folder / f"{name}.html").write_text(make_page(data, report_scripts()))


if __name__ == "__main__":
    write_samples(pathlib.Path(sys.argv[1]))

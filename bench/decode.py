"""Compares decoding with CTranslate2's; see script/bench --help."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time

import safetensors_file

PROGRAM = "build/bench/decode"
VOCABULARY, LENGTH, BATCH, FILE = 1000, 32, 32, 256
# Of the lines of a file: the most tokens of an output, and the sizes of a batch to try.
LONGEST, BATCHES = 100, ((32, "examples"), (64, "examples"), (1024, "tokens"), (4096, "tokens"))
SIZES = {"2+2 layers of 128": dict(layers=2, width=128, heads=4),
         "4+4 layers of 256": dict(layers=4, width=256, heads=4),
         "6+6 layers of 512": dict(layers=6, width=512, heads=8)}


def say(text):
    print(text, file=sys.stderr, flush=True)


def run_program(*arguments):
    command = [PROGRAM, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)} failed: {result.stderr.strip()}")
    return json.loads(result.stdout)


def attune(size, sentences, beam, threads, seconds, save=None):
    return run_program("--vocabulary", VOCABULARY, "--length", LENGTH, "--batch", BATCH,
                       "--sentences", sentences, "--beam", beam, "--threads", threads,
                       "--seconds", seconds,
                       *(word for name, value in size.items() for word in ("--" + name, value)),
                       *(["--save", save] if save else []))


def sinusoids(width):
    import numpy
    angles = numpy.arange(512)[:, None] * numpy.exp(
        numpy.arange(0, width, 2) * (-math.log(10000.0) / width))[None]
    return numpy.stack([numpy.sin(angles), numpy.cos(angles)], 2).reshape(512, width)


def save_for_ctranslate2(parameters, size, folder):
    """Writes a model that computes the same in CTranslate2's format."""
    import numpy
    import ctranslate2

    spec = ctranslate2.specs.TransformerSpec.from_config(size["layers"], size["heads"])

    def linear(layer, *names):
        layer.weight = numpy.concatenate([parameters[name + ".weight"] for name in names])
        layer.bias = numpy.concatenate([parameters[name + ".bias"] for name in names])

    def norm(layer, name):
        layer.gamma, layer.beta = parameters[name + ".weight"], parameters[name + ".bias"]

    # A tied matrix has the name of its first place.
    source = parameters["encoder.embedding.weight"]
    target = parameters.get("decoder.embedding.weight", source)
    embedding = {"encoder": source, "decoder": target}

    def attention(layer, name, norm_name, joined):
        norm(layer.layer_norm, norm_name)
        for linear_layer, parts in zip(layer.linear, [*joined, ["out"]]):
            linear(linear_layer, *(f"{name}.{part}" for part in parts))

    for side, part in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        embeddings = part.embeddings[0] if side == "encoder" else part.embeddings
        embeddings.weight = embedding[side]
        part.scale_embeddings = True
        part.position_encodings.encodings = sinusoids(size["width"]).astype("float32")
        norm(part.layer_norm, f"{side}.transformer.norm")
        for index, layer in enumerate(part.layer):
            name = f"{side}.transformer.layer{index}."
            attention(layer.self_attention, name + "self_attention", name + "norm1",
                      [["query", "key", "value"]])
            if side == "decoder":
                attention(layer.attention, name + "cross_attention", name + "norm2",
                          [["query"], ["key", "value"]])
            norm(layer.ffn.layer_norm, name + ("norm3" if side == "decoder" else "norm2"))
            linear(layer.ffn.linear_0, name + "feed_forward.layer0")
            linear(layer.ffn.linear_1, name + "feed_forward.layer1")
    spec.decoder.projection.weight = parameters.get("decoder.output.weight", target)
    spec.decoder.projection.bias = parameters["decoder.output.bias"]
    special = ["<pad>", "<s>", "</s>", "<unk>"]

    def tokens(weight):
        return special + [str(token) for token in range(len(special), len(weight))]

    spec.register_source_vocabulary(tokens(source))
    spec.register_target_vocabulary(tokens(target))
    spec.validate()
    spec.save(folder)


def ctranslate2_main(folder, sources, sentences, beam, translators, threads, compute_type,
                     seconds, length=LENGTH, batch=(BATCH, "examples")):
    """Prints the speed of CTranslate2 in this process."""
    import ctranslate2

    translator = ctranslate2.Translator(folder, device="cpu", inter_threads=translators,
                                        intra_threads=threads, compute_type=compute_type)
    with open(sources, encoding="utf-8") as file:
        tokens = [[str(token) for token in source] for source in json.load(file)[:sentences]]
    best, begin = math.inf, time.perf_counter()
    while True:
        start = time.perf_counter()
        found = translator.translate_batch(
            tokens, max_batch_size=batch[0], batch_type=batch[1], beam_size=beam, length_penalty=0,
            min_decoding_length=0, max_decoding_length=length, max_input_length=0,
            disable_unk=True)
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() - begin > seconds:
            break
    outputs = [[int(token) for token in result.hypotheses[0]] for result in found]
    print(json.dumps({"tokens_per_second": sum(map(len, outputs)) / best, "best_seconds": best,
                      "outputs": outputs, "setting": f"{translators} x {threads} threads"}))


def ctranslate2_run(*arguments):
    result = subprocess.run([sys.executable, __file__, "--peer", json.dumps(arguments)],
                            capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"CTranslate2 failed: {result.stderr.strip()[-500:]}")
    return json.loads(result.stdout)


def main():
    parser = argparse.ArgumentParser(prog="script/bench --decode")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--run", metavar="DIR", help="a trained Transformer, to translate a file")
    parser.add_argument("--sources", metavar="FILE", help="the file, one source a line")
    parser.add_argument("--sentences", type=int, default=10000, help="its first lines (10000)")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return ctranslate2_main(*json.loads(args.peer))
    if bool(args.run) != bool(args.sources):
        parser.error("--run and --sources go together")
    if args.quick:
        args.rounds, args.seconds = 1, 0.5
    try:
        import ctranslate2
    except ImportError:
        sys.exit("script/bench: CTranslate2 is missing: pip install ctranslate2")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    report = []
    if args.run:
        return translate_file(args, cores)
    print(f"Tokens a second; Attune against CTranslate2 {ctranslate2.__version__} in float32, "
          "each with its fastest number of threads\n")
    print("| model | sources | beam | Attune | CTranslate2 | ratio | its int8 | equal outputs |")
    print("| --- " * 8 + "|")
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            parameters = os.path.join(folder, "model.safetensors")
            first = attune(size, FILE, 1, 1, 0, save=parameters)
            save_for_ctranslate2(safetensors_file.load(parameters)[0], size, folder)
            sources = os.path.join(folder, "sources.json")
            with open(sources, "w", encoding="utf-8") as file:
                json.dump(first["sources"], file)
            for sentences in (1, FILE):
                # One thread for each batch, or all for one.
                settings = [(1, threads) for threads in range(1, cores + 1)]
                settings += [(cores, 1)] if sentences > 1 else []
                for beam in (1, 5):
                    report.append(compare(name, size, folder, sources, sentences, beam, settings,
                                          cores, args))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return 0


def compare(name, size, folder, sources, sentences, beam, settings, cores, args):
    def own(threads, seconds):
        return attune(size, sentences, beam, threads, seconds)

    def peer(setting, seconds, compute_type="float32"):
        return ctranslate2_run(folder, sources, sentences, beam, *setting, compute_type, seconds)

    def speed(result):
        return result["tokens_per_second"]

    short = min(args.seconds, 0.5)
    threads = max(range(1, cores + 1), key=lambda count: speed(own(count, short)))
    setting = max(settings, key=lambda one: speed(peer(one, short)))
    runs = [(own(threads, args.seconds), peer(setting, args.seconds),
             peer(setting, args.seconds, "int8")) for _ in range(args.rounds)]
    figures = [statistics.median(speed(run[i]) for run in runs) for i in range(3)]
    outputs, expected = runs[0][0]["outputs"], runs[0][1]["outputs"]
    equal = sum(a == b for a, b in zip(outputs, expected)) / len(outputs)
    what = "1 sentence" if sentences == 1 else f"{sentences}, {BATCH} a batch"
    print(f"| {name} | {what} | {beam} | {figures[0]:.0f} ({threads} thr.) | {figures[1]:.0f} "
          f"({setting[0]} x {setting[1]} thr.) | **{figures[0] / figures[1]:.2f}x** | "
          f"{figures[2]:.0f} | {100 * equal:.0f}% |", flush=True)
    return {"model": name, "sentences": sentences, "beam": beam, "attune": figures[0],
            "ctranslate2": figures[1], "int8": figures[2], "threads": threads,
            "setting": setting, "equal": equal}


def translate_file(args, cores):
    """Compares the translation of a file by a trained model, with a beam of 5."""
    import ctranslate2

    def own(batch, sentences):
        return run_program("--run", args.run, "--sources", args.sources, "--sentences", sentences,
                           "--beam", 5, "--length", LONGEST, "--threads", cores, "--seconds", 0,
                           "--batch", batch)

    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(args.run, "config.json"), encoding="utf-8") as file:
            model = json.load(file)["model"]
        parameters, _ = safetensors_file.load(os.path.join(args.run, "model.safetensors"))
        save_for_ctranslate2(parameters, dict(layers=model["layers"], heads=model["heads"],
                                              width=model["embedding"]), folder)
        sources = os.path.join(folder, "sources.json")
        with open(sources, "w", encoding="utf-8") as file:
            json.dump(own(BATCH, args.sentences)["sources"], file)

        def peer(setting, sentences):
            translators, threads, batch = setting
            return ctranslate2_run(folder, sources, sentences, 5, translators, threads, "float32",
                                   0, LONGEST, batch)

        def seconds(result):
            return result["best_seconds"]

        settings = [(*threads, batch) for threads in ((1, cores), (cores, 1)) for batch in BATCHES]
        few = min(args.sentences, 1000)
        setting = min(settings, key=lambda one: seconds(peer(one, few)))
        batch = min((size for size, unit in BATCHES if unit == "examples"),
                    key=lambda size: seconds(own(size, few)))
        say(f"CTranslate2 {ctranslate2.__version__} at its best: {setting[0]} x {setting[1]} "
            f"threads, batches of {setting[2][0]} {setting[2][1]}; Attune: {cores} threads, "
            f"batches of {batch} examples")
        rounds = [(own(batch, args.sentences), peer(setting, args.sentences))
                  for _ in range(args.rounds)]
    figures = [statistics.median(seconds(both[i]) for both in rounds) for i in range(2)]
    pairs = list(zip(*(result["outputs"] for result in rounds[0])))
    equal = sum(a == b for a, b in pairs) / len(pairs)
    print(f"{len(pairs)} sentences, beam 5, median of {args.rounds} rounds: Attune {figures[0]:.2f} "
          f"s, CTranslate2 {figures[1]:.2f} s, {figures[1] / figures[0]:.2f}x; "
          f"{100 * equal:.1f}% of outputs equal")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"attune": figures[0], "ctranslate2": figures[1], "setting": setting,
                       "equal": equal, "pairs": pairs}, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())

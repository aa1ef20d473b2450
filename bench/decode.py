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
SIZES = {"2+2 layers of 128": dict(layers=2, width=128, heads=4),
         "4+4 layers of 256": dict(layers=4, width=256, heads=4),
         "6+6 layers of 512": dict(layers=6, width=512, heads=8)}


def say(text):
    print(text, file=sys.stderr, flush=True)


def attune(size, sentences, beam, threads, seconds, save=None):
    command = [PROGRAM, "--vocabulary", VOCABULARY, "--length", LENGTH, "--batch", BATCH,
               "--sentences", sentences, "--beam", beam, "--threads", threads,
               "--seconds", seconds]
    for name, value in size.items():
        command += ["--" + name, value]
    if save:
        command += ["--save", save]
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {result.stderr.strip()}")
    return json.loads(result.stdout)


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

    def attention(layer, name, norm_name, joined):
        norm(layer.layer_norm, norm_name)
        for linear_layer, parts in zip(layer.linear, [*joined, ["out"]]):
            linear(linear_layer, *(f"{name}.{part}" for part in parts))

    for side, part in (("encoder", spec.encoder), ("decoder", spec.decoder)):
        embeddings = part.embeddings[0] if side == "encoder" else part.embeddings
        embeddings.weight = parameters[f"{side}.embedding.weight"]
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
    linear(spec.decoder.projection, "decoder.output")
    tokens = ["<pad>", "<s>", "</s>", "<unk>"]
    tokens += [str(token) for token in range(len(tokens), VOCABULARY)]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.validate()
    spec.save(folder)


def ctranslate2_main(folder, sources, sentences, beam, translators, threads, compute_type,
                     seconds):
    """Prints the speed of CTranslate2 in this process."""
    import ctranslate2

    translator = ctranslate2.Translator(folder, device="cpu", inter_threads=translators,
                                        intra_threads=threads, compute_type=compute_type)
    with open(sources, encoding="utf-8") as file:
        batch = [[str(token) for token in source] for source in json.load(file)[:sentences]]
    best, begin = math.inf, time.perf_counter()
    while True:
        start = time.perf_counter()
        found = translator.translate_batch(batch, max_batch_size=BATCH, beam_size=beam,
                                           max_decoding_length=LENGTH, max_input_length=0)
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() - begin > seconds:
            break
    outputs = [[int(token) for token in result.hypotheses[0]] for result in found]
    print(json.dumps({"tokens_per_second": sum(map(len, outputs)) / best, "outputs": outputs,
                      "setting": f"{translators} x {threads} threads"}))


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
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return ctranslate2_main(*json.loads(args.peer))
    if args.quick:
        args.rounds, args.seconds = 1, 0.5
    try:
        import ctranslate2
    except ImportError:
        sys.exit("script/bench: CTranslate2 is missing: pip install ctranslate2")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    report = []
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


if __name__ == "__main__":
    sys.exit(main())

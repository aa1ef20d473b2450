"""Compares the training of a translation model with PyTorch's; see script/bench --help.

Both train the same Transformer from the same parameters on the same batches with the same learning
rates, and end with the mean of the parameters at the last validations. seq2seq decodes with both
results.
"""

import argparse
import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import safetensors_file

SEQ2SEQ, BATCHES = "build/examples/seq2seq", "build/bench/training_batches"
# The tiny Transformer of Wu et al. 2021, "Good for Misconceived Reasons".
MODEL = dict(layers=4, embedding=128, heads=4, feed_forward=256, dropout=0.3)
TRAINING = dict(learning_rate=0.004, label_smoothing=0.1, batch_tokens=4096, clip_norm=1)
TEXT = ["--source-tokens", "subwords", "--target-tokens", "subwords", "--vocabulary", "10000",
        "--subword-model", "bpe", "--joint-vocabulary", "--lowercase", "--normalization", "nfc"]
IGNORE = -100
KEPT, LOOKS = 10, 20  # the mean of the parameters at the last 10 of 20 validations


def say(text):
    print(text, file=sys.stderr, flush=True)


def flags(options):
    return [word for name, value in options.items()
            for word in ("--" + name.replace("_", "-"), str(value))]


def train_flags(args, steps, seed=1, dropout=MODEL["dropout"]):
    return ["--data", args.data, *TEXT, "--model", "transformer", "--tied-embeddings", "all",
            *flags(MODEL | {"dropout": dropout}), *flags(TRAINING), "--warmup", str(steps // 10),
            "--steps", str(steps), "--seed", str(seed), "--average", str(KEPT), "--record", "0"]


def checked(command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed: {result.stderr.strip()[-1000:]}")
    return result.stdout


# --- PyTorch ------------------------------------------------------------------------------------


def peer_model(parameters, dropout):
    """The model as an experienced PyTorch user would write it, with Attune's names."""
    import torch
    from torch import nn
    from torch.nn import functional

    width, heads = MODEL["embedding"], MODEL["heads"]

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
            self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)

        def forward(self, x, memory, mask=None, causal=False):
            """x [B, T, width], memory [B, S, width], mask [B, 1, 1, S] -> [B, T, width]"""
            def split(y):
                return y.view(*y.shape[:2], heads, width // heads).transpose(1, 2)
            context = functional.scaled_dot_product_attention(
                split(self.query(x)), split(self.key(memory)), split(self.value(memory)),
                attn_mask=mask, is_causal=causal)
            return self.out(context.transpose(1, 2).flatten(2))

    class FeedForward(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer0 = nn.Linear(width, MODEL["feed_forward"])
            self.layer1 = nn.Linear(MODEL["feed_forward"], width)

        def forward(self, x):
            hidden = functional.relu(self.layer0(x))
            return self.layer1(functional.dropout(hidden, dropout, self.training))

    class Layer(nn.Module):
        def __init__(self, is_decoder):
            super().__init__()
            self.self_attention = Attention()
            self.feed_forward = FeedForward()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            if is_decoder:
                self.cross_attention = Attention()
                self.norm3 = nn.LayerNorm(width)
            self.is_decoder = is_decoder

        def forward(self, x, memory, mask):
            def drop(y):
                return functional.dropout(y, dropout, self.training)
            y = self.norm1(x)
            if not self.is_decoder:
                x = x + drop(self.self_attention(y, y, mask))
                return x + drop(self.feed_forward(self.norm2(x)))
            x = x + drop(self.self_attention(y, y, causal=True))
            x = x + drop(self.cross_attention(self.norm2(x), memory, mask))
            return x + drop(self.feed_forward(self.norm3(x)))

    class Stack(nn.Module):
        def __init__(self, is_decoder):
            super().__init__()
            for index in range(MODEL["layers"]):
                self.add_module(f"layer{index}", Layer(is_decoder))
            self.norm = nn.LayerNorm(width)

        def forward(self, x, memory, mask):
            for index in range(MODEL["layers"]):
                x = getattr(self, f"layer{index}")(x, memory, mask)
            return self.norm(x)

    class Side(nn.Module):
        def __init__(self, is_decoder):
            super().__init__()
            self.transformer = Stack(is_decoder)

    class Model(nn.Module):
        def __init__(self, tokens):
            super().__init__()
            self.encoder, self.decoder = Side(False), Side(True)
            self.encoder.embedding = nn.Embedding(tokens, width)  # the only one: all are tied
            self.decoder.output = nn.Module()
            self.decoder.output.bias = nn.Parameter(torch.zeros(tokens))
            angles = torch.arange(1024).unsqueeze(1) * torch.exp(
                torch.arange(0, width, 2) * (-math.log(10000.0) / width))
            self.register_buffer("positions",
                                 torch.stack([angles.sin(), angles.cos()], 2).reshape(-1, width),
                                 persistent=False)

        def embed(self, tokens):
            x = self.encoder.embedding(tokens) * math.sqrt(width)
            return functional.dropout(x + self.positions[:tokens.shape[1]], dropout,
                                      self.training)

        def forward(self, source, target):
            """source [B, S], target [B, T] -> logits [B, T, V]"""
            mask = (source != 0)[:, None, None, :]
            memory = self.encoder.transformer(self.embed(source), None, mask)
            x = self.decoder.transformer(self.embed(target), memory, mask)
            return functional.linear(x, self.encoder.embedding.weight, self.decoder.output.bias)

    model = Model(parameters["encoder.embedding.weight"].shape[0])
    model.load_state_dict({name: torch.from_numpy(value.copy())
                           for name, value in parameters.items()})
    return model


def read_batches(path):
    import numpy
    numbers = numpy.fromfile(path, "<i4")
    at = 0
    while at < len(numbers):
        source, target, batch = (int(number) for number in numbers[at:at + 3])
        at += 3
        parts = []
        for length in (source, target, target):
            parts.append(numbers[at:at + length * batch].reshape(length, batch))
            at += length * batch
        yield parts


def learning_rate(step, steps):
    """As seq2seq train: a linear warm-up, then a cosine; step counts from 0."""
    warmup = steps // 10
    if step < warmup:
        return TRAINING["learning_rate"] * (step + 1) / warmup
    share = (step - warmup) / (steps - warmup)
    return TRAINING["learning_rate"] * (1 + math.cos(math.pi * share)) / 2


def peer_main(initial, batches, output, steps, threads, mode, seed, dropout):
    """Trains in this process, and prints its speed and memory."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    parameters = {name.removeprefix("model/"): value
                  for name, value in safetensors_file.load(initial)[0].items()
                  if name.startswith("model/")}
    model = peer_model(parameters, dropout)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    forward = torch.compile(model, dynamic=True) if mode == "compile" else model
    copies, tokens, times = [], [], []
    for step, parts in enumerate(read_batches(batches)):
        begin = time.perf_counter()
        source, target, correct = (torch.from_numpy(part.T.astype("int64")) for part in parts)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, steps)
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(forward(source, target).flatten(0, 1), correct.flatten(),
                                        ignore_index=IGNORE,
                                        label_smoothing=TRAINING["label_smoothing"])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), TRAINING["clip_norm"])
        optimizer.step()
        loss = loss.item()
        times.append(time.perf_counter() - begin)
        tokens.append(int((parts[2] != IGNORE).sum()))
        if (step + 1) % max(1, steps // LOOKS) == 0 or step + 1 == steps:
            copies = (copies + [{name: value.detach().clone()
                                 for name, value in model.named_parameters()}])[-KEPT:]
        if (step + 1) % 100 == 0:
            say(f"PyTorch: step {step + 1} of {steps}, loss {loss:.4f}")
    if output:
        average = {name: sum(copy[name].double() for copy in copies) / len(copies)
                   for name in copies[0]}
        run = safetensors_file.load(os.path.join(os.path.dirname(initial), "model.safetensors"))[1]
        safetensors_file.save(output, {name: value.numpy() for name, value in average.items()},
                              {"run": run["run"]})
    skipped = min(5, steps // 2)  # while memory is first taken and code compiled
    print(json.dumps({"tokens_per_second": sum(tokens[skipped:]) / sum(times[skipped:]),
                      "loss": loss,
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                      "version": f"PyTorch {torch.__version__} {mode}"}))


def peer(args, folder, steps, mode, seed=1, dropout=MODEL["dropout"], output=""):
    return json.loads(checked([sys.executable, __file__, "--peer", json.dumps(
        [f"{folder}/run/checkpoint-0.safetensors", f"{folder}/batches", output, steps,
         args.threads, mode, seed, dropout])]))


# --- Attune -------------------------------------------------------------------------------------


def attune(args, folder, steps, seed=1, dropout=MODEL["dropout"]):
    """Trains into folder/run, which keeps the parameters before the first step."""
    shutil.rmtree(f"{folder}/run", ignore_errors=True)
    command = [SEQ2SEQ, "train", "--run", f"{folder}/run", "--threads", args.threads,
               "--keep", 2, "--save-every", steps, *train_flags(args, steps, seed, dropout)]
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"seq2seq train failed: {errors.strip()[-1000:]}")
    with open(f"{folder}/run/speed.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    skipped = lines[min(4, len(lines) // 2 - 1)]
    return {"tokens_per_second": (lines[-1]["target_tokens"] - skipped["target_tokens"]) /
                                 (lines[-1]["seconds"] - skipped["seconds"]),
            "peak_mb": usage.ru_maxrss / 1024}


def write_batches(args, folder, steps, **options):
    checked([BATCHES, "--run", "none", "--output", f"{folder}/batches",
             *train_flags(args, steps, **options)])


def difference(args, folder, mode):
    """The distance between the parameters of both models after 20 steps without dropout, as a share
    of how far ours have moved."""
    import numpy
    steps, output = 20, f"{folder}/without-dropout.safetensors"
    write_batches(args, folder, steps, dropout=0)
    attune(args, folder, steps, dropout=0)
    peer(args, folder, steps, mode, dropout=0, output=output)
    ours, theirs, first = (safetensors_file.load(path)[0] for path in (
        f"{folder}/run/model.safetensors", output, f"{folder}/run/checkpoint-0.safetensors"))
    def distance(others):
        return math.sqrt(sum(numpy.square(ours[name] - others[name]).sum() for name in ours))
    return distance(theirs) / distance({name: first["model/" + name] for name in ours})


def bleu(args, run):
    scores = json.loads(checked([SEQ2SEQ, "test", "--run", run, "--data", args.test, "--beam", 5,
                                 "--metrics", "bleu:lowercase=true", "--json"]))
    return scores["metrics"][0]["score"]


def main():
    parser = argparse.ArgumentParser(prog="script/bench --translation")
    parser.add_argument("--data", help="pairs to train on: source TAB target")
    parser.add_argument("--test", metavar="FILE",
                        help="train both to the end, and compare their BLEU on these pairs")
    parser.add_argument("--steps", type=int, default=6000, help="of the training for --test")
    parser.add_argument("--seeds", default="1", help="of the trainings for --test, such as 1,2,3")
    parser.add_argument("--rounds", type=int, default=3, help="of measuring the speed, in turns")
    parser.add_argument("--measured", type=int, default=60, help="steps of each")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--modes", default="eager,compile", help="of PyTorch")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.peer:
        return peer_main(*json.loads(args.peer))
    if not args.data:
        parser.error("--data is missing")
    modes = args.modes.split(",")
    with tempfile.TemporaryDirectory() as folder:
        say("comparing the parameters after a few steps without dropout")
        print("after 20 steps without dropout, parameters differ by "
              f"{difference(args, folder, modes[0]):.2%} of their change", flush=True)
        say("measuring the speed")
        write_batches(args, folder, args.measured)
        results = {}
        for _ in range(args.rounds):
            results.setdefault("Attune", []).append(attune(args, folder, args.measured))
            for mode in modes:
                result = peer(args, folder, args.measured, mode)
                results.setdefault(result["version"], []).append(result)
        for name, rounds in results.items():
            speed = statistics.median(r["tokens_per_second"] for r in rounds)
            ours = statistics.median(r["tokens_per_second"] for r in results["Attune"])
            print(f"{name:<28} {speed:8.0f} target tokens/s, "
                  f"{max(r['peak_mb'] for r in rounds):6.0f} MB, {ours / speed:.2f}")
        if not args.test:
            return None
        scores = {}
        for seed in map(int, args.seeds.split(",")):
            say(f"training both for {args.steps} steps with seed {seed}")
            write_batches(args, folder, args.steps, seed=seed)
            ours = attune(args, folder, args.steps, seed)
            shutil.copytree(f"{folder}/run", f"{folder}/peer", dirs_exist_ok=True)
            theirs = peer(args, folder, args.steps, modes[0], seed,
                          output=f"{folder}/peer/model.safetensors")
            for name, result, run in (("Attune", ours, "run"), (theirs["version"], theirs, "peer")):
                score = bleu(args, f"{folder}/{run}")
                scores.setdefault(name, []).append(score)
                print(f"{name:<28} {result['tokens_per_second']:8.0f} target tokens/s, "
                      f"{result['peak_mb']:6.0f} MB, BLEU {score:.2f}, seed {seed}", flush=True)
        for name, values in scores.items():
            print(f"{name:<28} mean BLEU {statistics.mean(values):.2f}")
    return None


if __name__ == "__main__":
    main()

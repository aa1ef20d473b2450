"""The workloads of bench/workloads in PyTorch, for a side-by-side comparison.

    python3 bench/pytorch.py --workload W1 --mode compile --threads 2 --seconds 5 --json

Written as an experienced PyTorch user would: nn.GRU over the whole source, keys projected once per
source, the output layer over all steps at once, Transformer layers, Adam with its fused kernel.
Prints the same figures as build/bench/workloads. Mode "compile" needs a C++ compiler and Python's
headers, and takes up to two minutes before its first step. Needs PyTorch (pip install torch).
"""

import argparse
import json
import math
import resource
import statistics
import time

import torch
from torch import nn

# The same as bench/harness/sizes.h.
RNNSEARCH = {
    "W1": dict(vocabulary=64, embedding=128, hidden=256, attention=256, batch=64, length=20),
    "W2": dict(vocabulary=16, embedding=32, hidden=64, attention=64, batch=32, length=10),
    "W4": dict(vocabulary=4000, embedding=256, hidden=512, attention=512, batch=64, length=30),
}
TRANSFORMER = {
    "W3": dict(vocabulary=64, width=128, heads=4, feed_forward=512, layers=2, batch=64, length=32),
}
LANGUAGE_MODEL = dict(vocabulary=65, width=128, heads=4, feed_forward=512, layers=4, batch=12,
                      length=64)
ATTENTION = dict(batch=8, heads=8, length=512, width=64)
CHAIN = dict(operations=1000, elements=8)


class RnnSearch(nn.Module):
    """GRU encoder, GRU decoder with additive attention (Bahdanau et al. 2015)."""

    def __init__(self, vocabulary, embedding, hidden, attention, **_):
        super().__init__()
        self.source_embedding = nn.Embedding(vocabulary, embedding)
        self.target_embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.GRU(embedding, hidden)
        self.cell = nn.GRUCell(embedding + hidden, hidden)
        self.key = nn.Linear(hidden, attention, bias=False)
        self.query = nn.Linear(hidden, attention, bias=False)
        self.v = nn.Parameter(torch.empty(attention).uniform_(-0.1, 0.1))
        self.output = nn.Linear(2 * hidden, vocabulary)

    def forward(self, source, target_input):
        """source [S, B], target_input [T, B] -> logits [T, B, V]"""
        values, last = self.encoder(self.source_embedding(source))
        values = values.transpose(0, 1).contiguous()  # [B, S, H]
        keys = self.key(values)
        state = last[0]
        outputs = []
        for token in self.target_embedding(target_input).unbind(0):
            scores = torch.tanh(keys + self.query(state).unsqueeze(1)) @ self.v  # [B, S]
            weights = torch.softmax(scores, dim=1)
            context = torch.bmm(weights.unsqueeze(1), values).squeeze(1)
            state = self.cell(torch.cat([token, context], dim=1), state)
            outputs.append(torch.cat([state, context], dim=1))
        return self.output(torch.stack(outputs))


def sinusoids(length, width):
    """Sinusoidal positional encodings, [length, 1, width]."""
    frequencies = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(length).unsqueeze(1) * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=2).reshape(length, 1, width)


class Transformer(nn.Module):
    """Encoder and decoder with layer norm after each residual connection (Vaswani et al. 2017)."""

    def __init__(self, vocabulary, width, heads, feed_forward, layers, length, **_):
        super().__init__()
        self.source_embedding = nn.Embedding(vocabulary, width)
        self.target_embedding = nn.Embedding(vocabulary, width)
        # Without the layer norms that nn.Transformer adds at the end.
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(width, heads, feed_forward, dropout=0.0), layers,
            enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(width, heads, feed_forward, dropout=0.0), layers)
        self.output = nn.Linear(width, vocabulary)
        self.scale = math.sqrt(width)
        self.register_buffer("positions", sinusoids(length, width))
        self.register_buffer("causal_mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, source, target_input):
        """source [S, B], target_input [T, B] -> logits [T, B, V]"""
        read = self.source_embedding(source) * self.scale + self.positions
        written = self.target_embedding(target_input) * self.scale + self.positions
        decoded = self.decoder(written, self.encoder(read), tgt_mask=self.causal_mask,
                               tgt_is_causal=True)
        return self.output(decoded)


class Block(nn.Module):
    """A layer of a language model, as in nanoGPT."""

    def __init__(self, width, heads, feed_forward):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.inner = nn.Linear(width, feed_forward)
        self.outer = nn.Linear(feed_forward, width)

    def forward(self, x):
        """x [B, T, width] -> [B, T, width]"""
        batch, length, width = x.shape
        query, key, value = (
            y.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for y in self.query_key_value(self.norm1(x)).split(width, dim=2))
        context = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(context.transpose(1, 2).contiguous().view(batch, length, width))
        return x + self.outer(nn.functional.gelu(self.inner(self.norm2(x))))


class LanguageModel(nn.Module):
    """The decoder of a Transformer alone, with learned positions and a tied embedding."""

    def __init__(self, vocabulary, width, heads, feed_forward, layers, length, **_):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, feed_forward) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, vocabulary)
        self.output.weight = self.embedding.weight
        self.register_buffer("steps", torch.arange(length))

    def forward(self, tokens):
        """tokens [B, T] -> logits [B, T, V]"""
        x = self.embedding(tokens) + self.positions(self.steps)
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x))


def training_step(model, compiled, inputs, output):
    """A step: zero gradients, forward, loss, backward, Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    output = output.flatten()

    def loss_of(*inputs):
        return nn.functional.cross_entropy(model(*inputs).flatten(0, 1), output)

    if compiled:
        # Without this, torch.compile falls back to the eager kernels for nn.GRU.
        torch._dynamo.config.allow_rnn = True
        # The C++ wrapper makes W2 faster by a sixth; "max_autotune" does not help.
        loss_of = torch.compile(loss_of, dynamic=False, options={"cpp_wrapper": True})

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(*inputs)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def translation_step(model, compiled, vocabulary, batch, length, **_):
    """A training step of a model of source and target, and its number of tokens."""
    source = torch.randint(vocabulary, (length, batch))
    target = torch.randint(vocabulary, (length + 1, batch))
    return training_step(model, compiled, (source, target[:-1]), target[1:]), 2 * batch * length


def language_model_step(model, compiled, vocabulary, batch, length, **_):
    """A training step of a language model, and its number of tokens."""
    tokens = torch.randint(vocabulary, (batch, length + 1))
    return (training_step(model, compiled, (tokens[:, :-1].contiguous(),), tokens[:, 1:]),
            batch * length)


def attention_step(batch, heads, length, width):
    """Scaled dot-product attention alone, forward and backward."""
    shape = (batch, heads, length, width)
    query, key, value = (torch.randn(shape, requires_grad=True) for _ in range(3))
    output_gradient = torch.randn(shape)

    def step():
        query.grad = key.grad = value.grad = None
        output = nn.functional.scaled_dot_product_attention(query, key, value)
        output.backward(output_gradient)
        return output.flatten()[0].item()

    return step, batch * length


def chain_step(operations, elements):
    """A chain of element-wise operations, forward and backward, including graph construction."""
    x = torch.ones(elements, requires_grad=True)
    y = torch.full((elements,), 0.01)

    def step():
        x.grad = None
        z = x
        for _ in range(operations // 2):
            z = torch.tanh(z + y)
        loss = z.sum()
        loss.backward()
        return loss.item()

    return step, operations


def make_step(workload, compiled, length):
    if workload in RNNSEARCH:
        sizes = RNNSEARCH[workload]
        return translation_step(RnnSearch(**sizes), compiled, **sizes)
    if workload in TRANSFORMER:
        sizes = TRANSFORMER[workload]
        return translation_step(Transformer(**sizes), compiled, **sizes)
    if workload == "W8":
        return language_model_step(LanguageModel(**LANGUAGE_MODEL), compiled, **LANGUAGE_MODEL)
    if workload == "W5":
        return attention_step(**{**ATTENTION, "length": length})
    return chain_step(**CHAIN)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--workload", default="W1",
                        choices=["W1", "W2", "W3", "W4", "W5", "W6", "W8"])
    parser.add_argument("--mode", choices=["eager", "compile"], default="eager")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=5,
                        help="how long to measure; slow steps up to ten times as long")
    parser.add_argument("--length", type=int, default=ATTENTION["length"],
                        help="of the sequences of W5")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    compiled = args.mode == "compile"
    if compiled and args.workload in ["W5", "W6"]:
        parser.error(f"{args.workload} has no model to compile")
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    step, tokens = make_step(args.workload, compiled, args.length)
    begin = time.perf_counter()
    step()
    first = time.perf_counter() - begin
    if first < 10 * args.seconds or compiled:
        step(), step()
    times = []
    begin = time.perf_counter()
    end, latest_end = begin + args.seconds, begin + 10 * args.seconds
    while not times or time.perf_counter() < (latest_end if len(times) < 5 else end):
        begin = time.perf_counter()
        loss = step()
        times.append(time.perf_counter() - begin)
    seconds = statistics.median(times)
    result = {
        "workload": args.workload,
        "ms_per_step": seconds * 1e3,
        "tokens_per_second": tokens / seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "threads": args.threads,
        "loss": loss,
        "version": f"PyTorch {torch.__version__} {args.mode}",
    }
    if compiled:
        result["compile_seconds"] = first
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{args.workload}: {result['ms_per_step']:.3f} ms/step, "
              f"{result['tokens_per_second']:.0f} tokens/s, {result['peak_rss_mb']:.0f} MB, "
              f"{args.threads} threads, loss {loss:.4f} ({result['version']})")


if __name__ == "__main__":
    main()

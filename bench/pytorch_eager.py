"""The workloads of bench/workloads.cpp in PyTorch eager, for a side-by-side comparison.

    python3 bench/pytorch_eager.py --workload W1 [--threads N] [--seconds S] [--json]

Written as a competent PyTorch user would: nn.GRU over the whole source, keys projected once per
source, the output layer over all steps at once, Adam with its fused kernel. Prints the same figures
as build/bench/workloads. Needs PyTorch (pip install torch); nothing else in the project does.
"""

import argparse
import json
import resource
import statistics
import time

import torch
from torch import nn

RNNSEARCH = {
    # vocabulary, embedding, hidden, attention width, batch, source and target length
    "W1": (64, 128, 256, 256, 64, 20),
    "W2": (16, 32, 64, 64, 32, 10),
}


class RnnSearch(nn.Module):
    """GRU encoder, GRU decoder with additive attention (Bahdanau et al. 2015)."""

    def __init__(self, vocabulary, embedding, hidden, attention):
        super().__init__()
        self.source_embedding = nn.Embedding(vocabulary, embedding)
        self.target_embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.GRU(embedding, hidden)
        self.cell = nn.GRUCell(embedding + hidden, hidden)
        self.key = nn.Linear(hidden, attention, bias=False)
        self.query = nn.Linear(hidden, attention, bias=False)
        self.v = nn.Linear(attention, 1, bias=False)
        self.output = nn.Linear(2 * hidden, vocabulary)

    def forward(self, source, target_input):
        values, last = self.encoder(self.source_embedding(source))
        values = values.transpose(0, 1)  # [B, S, H]
        keys = self.key(values)
        state = last[0]
        embedded = self.target_embedding(target_input)
        outputs = []
        for t in range(target_input.shape[0]):
            scores = self.v(torch.tanh(keys + self.query(state).unsqueeze(1))).squeeze(2)
            weights = torch.softmax(scores, dim=1)
            context = torch.bmm(weights.unsqueeze(1), values).squeeze(1)
            state = self.cell(torch.cat([embedded[t], context], dim=1), state)
            outputs.append(torch.cat([state, context], dim=1))
        return self.output(torch.stack(outputs))


def rnnsearch_step(workload):
    vocabulary, embedding, hidden, attention, batch, length = RNNSEARCH[workload]
    model = RnnSearch(vocabulary, embedding, hidden, attention)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    source = torch.randint(vocabulary, (length, batch))
    target = torch.randint(vocabulary, (length + 1, batch))

    def step():
        optimizer.zero_grad(set_to_none=True)
        logits = model(source, target[:-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[1:].flatten())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step, batch * 2 * length


def chain_step():
    x = torch.ones(8, requires_grad=True)
    y = torch.full((8,), 0.01)

    def step():
        x.grad = None
        z = x
        for _ in range(500):
            z = torch.tanh(z + y)
        loss = z.sum()
        loss.backward()
        return loss.item()

    return step, 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--workload", choices=["W1", "W2", "W6"], required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    step, tokens = chain_step() if args.workload == "W6" else rnnsearch_step(args.workload)
    for _ in range(3):
        loss = step()
    times = []
    end = time.perf_counter() + args.seconds
    while time.perf_counter() < end or len(times) < 5:
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
    }
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{args.workload}: {result['ms_per_step']:.3f} ms/step, "
              f"{result['tokens_per_second']:.0f} tokens/s, {result['peak_rss_mb']:.0f} MB, "
              f"{args.threads} threads, loss {loss:.4f} (PyTorch {torch.__version__})")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes the golden values: what PyTorch gives for layers, losses, operations and optimizers.

    python tests/golden/make_golden.py            writes the JSON files beside this script
    python tests/golden/make_golden.py --check    compares them with what is computed now

Needs PyTorch (the committed files were made with 2.13 on a CPU). Everything is float64 with fixed
seeds. Only the JSON files are needed to run the tests.

Each file of layers, losses or operations is an object from case to what happened there:
    parameters, inputs   named arrays {"shape": [...], "data": [...]}, parameters under Attune's names
    indices              named whole numbers: token ids, targets, lengths
    outputs, cotangents  the results, and the random gradient that each was given
    gradients            of every parameter and input, for the loss sum(output * cotangent)
optimizers.json has the starting values, the gradient of each of 20 steps, and for each case its
options and the values after every step.
"""

import argparse
import json
import pathlib
import re
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = pathlib.Path(__file__).parent


def normal(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def case(function, inputs, parameters=(), indices=()):
    """Runs function() -> {name: output} and differentiates it from random cotangents."""
    inputs, parameters, indices = dict(inputs), dict(parameters), dict(indices)
    leaves = {**parameters, **inputs}
    for leaf in leaves.values():
        leaf.requires_grad_()
        leaf.grad = None
    outputs = function()
    cotangents = {name: torch.randn_like(output) for name, output in outputs.items()}
    sum((outputs[name] * cotangents[name]).sum() for name in outputs).backward()
    return {
        "parameters": parameters,
        "inputs": inputs,
        "indices": {name: torch.as_tensor(value) for name, value in indices.items()},
        "outputs": outputs,
        "cotangents": cotangents,
        "gradients": {name: leaf.grad for name, leaf in leaves.items()},
    }


def renamed(module, rename=lambda name: name):
    """A module's parameters under Attune's names, with values that no initialiser leaves at 0 or 1."""
    module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(0.5 * torch.randn_like(parameter))
    return {rename(name): parameter for name, parameter in module.named_parameters()}


# Layers


def linear(bias):
    layer, x = nn.Linear(4, 3, bias=bias), normal(2, 5, 4)
    return case(lambda: {"y": layer(x)}, {"x": x}, renamed(layer))


def embedding():
    layer, ids = nn.Embedding(7, 3), torch.tensor([[0, 6, 2], [2, 2, 5]])
    return case(lambda: {"y": layer(ids)}, {}, renamed(layer), {"ids": ids})


def feed_forward():
    layer = nn.Sequential(nn.Linear(3, 5), nn.GELU(), nn.Linear(5, 4), nn.GELU(), nn.Linear(4, 2))
    parameters = renamed(layer, lambda name: f"layer{int(name[0]) // 2}{name[1:]}")
    x = normal(6, 3)
    return case(lambda: {"y": layer(x)}, {"x": x}, parameters)


def layer_norm():
    layer, x = nn.LayerNorm(5), normal(3, 2, 5)
    parameters = renamed(layer, str)
    return case(lambda: {"y": layer(x)}, {"x": x}, parameters)


def softmax(axis):
    x = 3 * normal(3, 4, 5)
    return case(lambda: {"y": torch.softmax(x, axis), "log": torch.log_softmax(x, axis)}, {"x": x})


def logcumsumexp(axis):
    """Also of numbers whose exponentials overflow float64."""
    x, far = 3 * normal(3, 4, 5), 1000 * normal(2, 3)
    return case(
        lambda: {"y": torch.logcumsumexp(x, axis), "far": torch.logcumsumexp(far, axis)},
        {"x": x, "far": far},
    )


def dropout():
    layer, x = nn.Dropout(0.5).eval(), normal(3, 4)
    return case(lambda: {"y": layer(x)}, {"x": x})


# Recurrent cells and networks


def cell(layer):
    x, h, c = normal(3, 4), normal(3, 5), normal(3, 5)
    if isinstance(layer, nn.LSTMCell):
        return case(
            lambda: dict(zip(("h", "c"), layer(x, (h, c)))), {"x": x, "h": h, "c": c}, renamed(layer)
        )
    return case(lambda: {"h": layer(x, h)}, {"x": x, "h": h}, renamed(layer))


def nested(name):
    """weight_ih_l1_reverse -> layer1.backward.weight_ih"""
    kind, layer, reverse = re.fullmatch(r"(\w+)_l(\d)(_reverse)?", name).groups()
    return f"layer{layer}.{'backward' if reverse else 'forward'}.{kind}"


def network(kind, lengths=None, initial=False, **options):
    layer = kind(4, 3, **options)
    parameters = renamed(layer, nested)
    steps, batch = 5, 3
    states = layer.num_layers * (2 if layer.bidirectional else 1)
    lstm = kind is nn.LSTM
    inputs = {"x": normal(steps, batch, 4)}
    if initial:
        inputs["h"] = normal(states, batch, 3)
        if lstm:
            inputs["c"] = normal(states, batch, 3)

    def run():
        x, state = inputs["x"], None
        if initial:
            state = (inputs["h"], inputs["c"]) if lstm else inputs["h"]
        if lengths is not None:
            x = pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        output, state = layer(x, state)
        if lengths is not None:
            output, _ = pad_packed_sequence(output, total_length=steps)
        return {"output": output, **dict(zip("hc", state if lstm else [state]))}

    return case(run, inputs, parameters, {} if lengths is None else {"lengths": lengths})


# Attention, step by step. Keys are [S, B, K], queries [B, Q].


def dot_score(keys, query):
    return torch.einsum("sbk,bk->bs", keys, query)


def general_score(keys, query, weight):
    return torch.einsum("sbk,kq,bq->bs", keys, weight, query)


def additive_score(keys, query, weight, v):
    pairs = torch.cat([keys, query.expand(keys.shape[0], *query.shape)], dim=-1)  # [h_s ; y_i]
    return (torch.tanh(pairs @ weight.T) @ v).T


def attention(score, query_size, key_size, parameters, lengths=None, own_values=False):
    source, batch = 4, 3
    inputs = {"query": normal(batch, query_size), "keys": normal(source, batch, key_size)}
    if own_values:
        inputs["values"] = normal(source, batch, 2)

    def run():
        scores = score(inputs["keys"], inputs["query"], *parameters.values())
        exps = torch.exp(scores)
        if lengths is not None:
            exps = exps * (torch.arange(source) < torch.tensor(lengths)[:, None])
        weights = exps / exps.sum(dim=1, keepdim=True).clamp(min=1e-300)
        values = inputs.get("values", inputs["keys"])
        return {"context": torch.einsum("bs,sbv->bv", weights, values), "weights": weights}

    named = {f"score.{name}": value for name, value in parameters.items()}
    return case(run, inputs, named, {} if lengths is None else {"lengths": lengths})


# Attention by several heads and the Transformer's layers


def attune_name(name):
    """layers.0.self_attn.out_proj.weight -> layer0.self_attention.out.weight"""
    name = re.sub(r"layers\.(\d+)", r"layer\1", name)
    for theirs, ours in {
        "self_attn": "self_attention",
        "multihead_attn": "cross_attention",
        "out_proj": "out",
        "linear1": "feed_forward.layer0",
        "linear2": "feed_forward.layer1",
    }.items():
        name = name.replace(theirs, ours)
    return re.sub(r"([qkv])_proj_weight", lambda m: f"{PROJECTIONS[m[1]]}.weight", name)


PROJECTIONS = {"q": "query", "k": "key", "v": "value"}


def split_projections(parameters):
    """in_proj_weight becomes three weights, and in_proj_bias three biases."""
    result = {}
    for name, value in parameters.items():
        path, joined, kind = name.rpartition("in_proj_")
        if not joined:
            result[name] = value
            continue
        for part, projection in zip(value.detach().chunk(3), PROJECTIONS.values()):
            result[f"{path}{projection}.{kind}"] = part.clone()
    return result


def with_parameters(layer, parameters):
    """layer(...) with the parameters of split_projections() in place of its own."""

    def given(name):
        path, joined, kind = attune_name(name).rpartition("in_proj_")
        if not joined:
            return parameters[attune_name(name)]
        return torch.cat([parameters[f"{path}{part}.{kind}"] for part in PROJECTIONS.values()])

    def call(*arguments, **options):
        values = {name: given(name) for name, _ in layer.named_parameters()}
        return torch.func.functional_call(layer, values, arguments, options)

    return call


def padding(lengths, positions):
    """PyTorch's mask: true where a position is padding."""
    return None if lengths is None else torch.arange(positions) >= torch.tensor(lengths)[:, None]


def no_look_ahead(positions):
    return torch.ones(positions, positions, dtype=torch.bool).triu(1)


def multi_head(lengths=None, causal=False, cross=False):
    layer = nn.MultiheadAttention(6, 2, **({"kdim": 4, "vdim": 5} if cross else {}))
    parameters = split_projections(renamed(layer, attune_name))
    call, x = with_parameters(layer, parameters), normal(5, 3, 6)
    inputs = {"query": normal(4, 3, 6), "keys": normal(5, 3, 4), "values": normal(5, 3, 5)}
    inputs = inputs if cross else {"x": x}

    def run():
        output, weights = call(
            *(inputs.values() if cross else (x, x, x)),
            key_padding_mask=padding(lengths, 5),
            attn_mask=no_look_ahead(5) if causal else None,
            average_attn_weights=False,
        )
        return {"output": output, "weights": weights}

    return case(run, inputs, parameters, {} if lengths is None else {"lengths": lengths})


def scaled_dot_product():
    """With a float mask: a bias of each head, and -infinity outside a window."""
    inputs = {
        "query": normal(4, 2, 6), "key": normal(7, 2, 6), "value": normal(7, 2, 4),
        "bias": normal(2, 4, 7),
    }
    distance = torch.arange(7) - (torch.arange(4)[:, None] + 3)
    outside = (distance < -2) | (distance > 1)

    def of_heads(x):  # [T, B, H d] -> [B, H, T, d]
        return x.unflatten(2, (2, -1)).permute(1, 2, 0, 3)

    def run():
        context = F.scaled_dot_product_attention(
            *(of_heads(inputs[name]) for name in ["query", "key", "value"]),
            attn_mask=inputs["bias"].masked_fill(outside, -torch.inf),
        )
        return {"context": context.permute(2, 0, 1, 3).flatten(2)}

    return case(run, inputs)


def transformer_encoder(norm_first, activation, layers=0):
    """One layer, or a stack of them."""
    layer = nn.TransformerEncoderLayer(4, 2, 5, 0.0, activation, norm_first=norm_first)
    if layers:
        norm = nn.LayerNorm(4) if norm_first else None
        layer = nn.TransformerEncoder(layer, layers, norm, enable_nested_tensor=False)
    parameters = split_projections(renamed(layer, attune_name))
    call, x, lengths = with_parameters(layer, parameters), normal(5, 3, 4), [5, 2, 3]
    hidden = padding(lengths, 5)

    def run():  # with zeros beyond the lengths, where PyTorch leaves what happens to be there
        output = call(x, src_key_padding_mask=hidden)
        return {"output": output.masked_fill(hidden.T[..., None], 0)}

    return case(run, {"x": x}, parameters, {"lengths": lengths})


def transformer_decoder(norm_first, activation, layers=0):
    """One layer, or a stack of them."""
    layer = nn.TransformerDecoderLayer(4, 2, 5, 0.0, activation, norm_first=norm_first)
    if layers:
        layer = nn.TransformerDecoder(layer, layers, nn.LayerNorm(4) if norm_first else None)
    parameters = split_projections(renamed(layer, attune_name))
    call, x, source = with_parameters(layer, parameters), normal(3, 3, 4), normal(5, 3, 4)
    lengths = [5, 2, 3]

    def run():
        masks = {"tgt_mask": no_look_ahead(3), "memory_key_padding_mask": padding(lengths, 5)}
        return {"output": call(x, source, **masks)}

    return case(run, {"x": x, "source": source}, parameters, {"lengths": lengths})


# Losses


def cross_entropy(targets, smoothing=0.0):
    logits = 2 * normal(3, 2, 5)
    return case(
        lambda: {
            "loss": F.cross_entropy(
                logits.reshape(-1, 5), torch.tensor(targets).reshape(-1), ignore_index=0,
                label_smoothing=smoothing,
            )
        },
        {"logits": logits},
        indices={"targets": targets},
    )


def nll(targets):
    x = torch.log_softmax(normal(3, 2, 5), -1)
    return case(
        lambda: {
            "loss": F.nll_loss(x.reshape(-1, 5), torch.tensor(targets).reshape(-1), ignore_index=0)
        },
        {"x": x},
        indices={"targets": targets},
    )


def pair_loss(function, target):
    x = 2 * normal(3, 4)
    return case(lambda: {"loss": function(x, target)}, {"x": x, "target": target})


# Optimizers


def optimizers():
    start = normal(6)
    gradients = normal(20, 6) + torch.tensor([0, 0.5, -0.5, 1, -1, 0.1], dtype=torch.float64)
    cases = [
        ("SGD", torch.optim.SGD, {"lr": 0.1}),
        ("SGD with weight decay", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.05}),
        ("SGD with momentum", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        (
            "SGD with Nesterov momentum and weight decay",
            torch.optim.SGD,
            {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05},
        ),
        ("Adagrad", torch.optim.Adagrad, {"lr": 0.1}),
        ("Adagrad with weight decay", torch.optim.Adagrad, {"lr": 0.1, "weight_decay": 0.05}),
        ("RMSprop", torch.optim.RMSprop, {"lr": 0.01}),
        ("RMSprop with momentum", torch.optim.RMSprop, {"lr": 0.01, "momentum": 0.9}),
        ("RMSprop centered", torch.optim.RMSprop, {"lr": 0.01, "centered": True}),
        (
            "RMSprop centered with momentum and weight decay",
            torch.optim.RMSprop,
            {"lr": 0.01, "alpha": 0.95, "centered": True, "momentum": 0.9, "weight_decay": 0.05},
        ),
        ("Adam", torch.optim.Adam, {"lr": 0.01}),
        (
            "Adam with weight decay",
            torch.optim.Adam,
            {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6, "weight_decay": 0.05},
        ),
        ("AdamW", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    ]

    def run(maker, options):
        options = dict(options)
        if "beta1" in options:
            options["betas"] = (options.pop("beta1"), options.pop("beta2"))
        w = start.clone().requires_grad_()
        optimizer = maker([w], **options)
        values = []
        for gradient in gradients:
            w.grad = gradient.clone()
            optimizer.step()
            values.append(w.detach().clone())
        return values

    return {
        "start": start,
        "gradients_per_step": list(gradients),
        "cases": [
            {"name": name, "options": options, "values": run(maker, options)}
            for name, maker, options in cases
        ],
    }


def files():
    """All files: {name: content}; every case starts from a seed of its own."""
    targets = [[3, 1], [4, 0], [0, 2]]  # 0 is padding
    additive = lambda hidden, both: {"weight": normal(hidden, both), "v": normal(hidden)}
    families = {
        "layers": {
            "linear": lambda: linear(True),
            "linear without bias": lambda: linear(False),
            "embedding": embedding,
            "feed forward": feed_forward,
            "layer norm": layer_norm,
            "softmax over the last axis": lambda: softmax(-1),
            "softmax over the first axis": lambda: softmax(0),
            "softmax over a middle axis": lambda: softmax(1),
            "dropout in use": dropout,
        },
        "recurrent": {
            "rnn cell": lambda: cell(nn.RNNCell(4, 5)),
            "rnn_relu cell": lambda: cell(nn.RNNCell(4, 5, nonlinearity="relu")),
            "gru cell": lambda: cell(nn.GRUCell(4, 5)),
            "lstm cell": lambda: cell(nn.LSTMCell(4, 5)),
            **{
                f"{name}{what}": lambda kind=kind, extra=extra, options=options: network(
                    kind, **extra, **options
                )
                for name, kind, extra in [
                    ("rnn", nn.RNN, {}),
                    ("rnn_relu", nn.RNN, {"nonlinearity": "relu"}),
                    ("gru", nn.GRU, {}),
                    ("lstm", nn.LSTM, {}),
                ]
                for what, options in [
                    ("", {}),
                    (" with lengths", {"lengths": [3, 5, 1]}),
                    (
                        " stacked in two directions",
                        {"num_layers": 2, "bidirectional": True, "lengths": [2, 5, 4], "initial": True},
                    ),
                ]
            },
        },
        "attention": {
            "dot": lambda: attention(dot_score, 3, 3, {}),
            "dot with lengths": lambda: attention(dot_score, 3, 3, {}, [4, 0, 2]),
            "general": lambda: attention(general_score, 2, 3, {"weight": normal(3, 2)}),
            "general with lengths": lambda: attention(
                general_score, 2, 3, {"weight": normal(3, 2)}, [4, 0, 2]
            ),
            "additive": lambda: attention(additive_score, 2, 3, additive(4, 5)),
            "additive with lengths": lambda: attention(
                additive_score, 2, 3, additive(4, 5), [4, 0, 2]
            ),
            "additive with values": lambda: attention(
                additive_score, 2, 3, additive(4, 5), [1, 4, 2], own_values=True
            ),
        },
        "losses": {
            "cross entropy": lambda: cross_entropy([[3, 1], [4, 4], [1, 2]]),
            "cross entropy with padding": lambda: cross_entropy(targets),
            "cross entropy with padding and smoothing": lambda: cross_entropy(targets, 0.1),
            "nll": lambda: nll(targets),
            "mse": lambda: pair_loss(F.mse_loss, normal(3, 4)),
            "binary cross entropy with logits": lambda: pair_loss(
                F.binary_cross_entropy_with_logits, torch.rand(3, 4, dtype=torch.float64)
            ),
        },
        "transformer": {
            "multi-head attention": multi_head,
            "multi-head attention with lengths": lambda: multi_head([5, 1, 3]),
            "multi-head attention that is causal": lambda: multi_head([4, 5, 2], causal=True),
            "multi-head attention of another sequence": lambda: multi_head([2, 5, 3], cross=True),
            **{
                f"{part} {what}": lambda make=make, options=options: make(*options)
                for part, make in [
                    ("encoder", transformer_encoder),
                    ("decoder", transformer_decoder),
                ]
                for what, options in [
                    ("layer with relu", (False, "relu")),
                    ("layer with gelu", (False, "gelu")),
                    ("layer with relu, norm first", (True, "relu")),
                    ("layer with gelu, norm first", (True, "gelu")),
                    ("stack", (False, "relu", 2)),
                    ("stack, norm first", (True, "gelu", 2)),
                ]
            },
            "scaled dot-product attention with a float mask": scaled_dot_product,
        },
        "operations": {
            "logcumsumexp over the first axis": lambda: logcumsumexp(0),
            "logcumsumexp over the last axis": lambda: logcumsumexp(-1),
        },
    }
    seed = 0
    result = {}
    for family, cases in families.items():
        result[family] = {}
        for name, make in cases.items():
            seed += 1
            torch.manual_seed(seed)
            result[family][name] = make()
    torch.manual_seed(1000)
    result["optimizers"] = optimizers()
    return result


# JSON with an array on each line


def plain(value, with_shape):
    if isinstance(value, torch.Tensor):
        data = value.detach().reshape(-1).tolist()
        return {"shape": list(value.shape), "data": data} if with_shape else data
    if isinstance(value, dict):
        return {key: plain(member, with_shape) for key, member in value.items() if member != {}}
    if isinstance(value, list):
        return [plain(member, with_shape) for member in value]
    return value


def is_line(value):
    """True for an array and anything without further structure."""
    if isinstance(value, dict):
        return "data" in value or not any(isinstance(m, (dict, list)) for m in value.values())
    return not isinstance(value, list) or not any(isinstance(m, (dict, list)) for m in value)


def to_json(value, indent=""):
    if is_line(value):
        return json.dumps(value)
    inner = indent + " "
    if isinstance(value, dict):
        members = [f"{json.dumps(key)}: {to_json(m, inner)}" for key, m in value.items()]
    else:
        members = [to_json(m, inner) for m in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return opening + "\n" + ",\n".join(inner + m for m in members) + "\n" + indent + closing


def difference(a, b, path=""):
    """Where two JSON values differ by more than rounding, or None."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return None if abs(a - b) <= 1e-12 * max(1, abs(b)) else f"{path}: {a} now {b}"
    if type(a) is not type(b) or (isinstance(a, (dict, list)) and len(a) != len(b)):
        return f"{path}: another structure"
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return f"{path}: other names"
        return next(filter(None, (difference(a[k], b[k], f"{path}/{k}") for k in a)), None)
    if isinstance(a, list):
        pairs = enumerate(zip(a, b))
        return next(filter(None, (difference(x, y, f"{path}/{i}") for i, (x, y) in pairs)), None)
    return None if a == b else f"{path}: {a} now {b}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check

    differs = False
    for name, content in files().items():
        path = HERE / f"{name}.json"
        values = plain(content, with_shape=name != "optimizers")
        if not check:
            path.write_text(to_json(values) + "\n")
            print(f"{path.name}: {path.stat().st_size} bytes")
            continue
        found = difference(json.loads(path.read_text()), values)
        print(f"{path.name}: {found or 'same'}")
        differs = differs or found is not None
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())

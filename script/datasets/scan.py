"""scan.py FOLDER [ARCHIVE]: generates all commands of SCAN with their actions, in four splits.

The grammar and the interpretation are those of Lake and Baroni 2018, figures 6 and 7. The archive
is a tar file of the published data, with which everything is compared, and from which the random
split is taken."""
import collections
import hashlib
import io
import sys
import tarfile

import files

VERBS = {"walk": "I_WALK", "look": "I_LOOK", "run": "I_RUN", "jump": "I_JUMP", "turn": None}
TURNS = {"left": "I_TURN_LEFT", "right": "I_TURN_RIGHT"}


def phrases():
    """V: a verb, with a direction or without, and its actions."""
    for verb, action in VERBS.items():
        own = [action] if action else []  # "turn" is nothing but its turns
        if action:
            yield verb, own
        for direction, turn in TURNS.items():
            yield f"{verb} {direction}", [turn] + own
            yield f"{verb} opposite {direction}", [turn, turn] + own
            yield f"{verb} around {direction}", ([turn] + own) * 4


def sentences():
    """S: a phrase, once, twice or thrice."""
    for phrase, actions in phrases():
        yield phrase, actions
        yield f"{phrase} twice", actions * 2
        yield f"{phrase} thrice", actions * 3


def commands():
    """C: one sentence, or two of them."""
    parts = list(sentences())
    yield from parts
    for first, actions in parts:
        for second, others in parts:
            yield f"{first} and {second}", actions + others
            yield f"{first} after {second}", others + actions


def without_primitive(examples, primitive):
    """All commands that contain the primitive are for the test, but for itself, which makes up a
    tenth of the training."""
    train = [pair for pair in examples if primitive not in pair[0]]
    test = [pair for pair in examples if primitive in pair[0] and pair[0] != primitive]
    alone = [pair for pair in examples if pair[0] == primitive]
    return train + alone * -(-len(train) // 9), test


def random_split(examples):
    """A fifth of the commands for the test: those with the smallest SHA-256."""
    by_hash = sorted(examples, key=lambda pair: hashlib.sha256(pair[0].encode()).digest())
    test = set(by_hash[:len(examples) // 5])
    return [p for p in examples if p not in test], [p for p in examples if p in test]


def published(archive):
    """The published files as {name: pairs}."""
    found = {}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                if not (member.isfile() and name.startswith("tasks_")):
                    continue
                text = io.TextIOWrapper(tar.extractfile(member), encoding="utf-8")
                found[name] = [tuple(line.strip().removeprefix("IN: ").split(" OUT: "))
                               for line in text]
    except (OSError, tarfile.TarError, UnicodeDecodeError):
        files.fail(f"'{archive}' cannot be read as a tar file of the SCAN repository")
    return found


def compare(splits, archive):
    """Compares the splits with published ones, and takes over the random one."""
    found = published(archive)
    everything = collections.Counter(splits["simple"][0] + splits["simple"][1])
    for split, parts in splits.items():
        names = [f"tasks_{part}_{split}.txt" for part in ("train", "test")]
        missing = [name for name in names if name not in found]
        if missing:
            files.fail(f"'{archive}' has no {missing[0]}")
        truth = [found[name] for name in names]
        same = (collections.Counter(truth[0] + truth[1]) == everything if split == "simple" else
                all(collections.Counter(a) == collections.Counter(b) for a, b in zip(parts, truth)))
        if not same:
            files.fail(f"the {split} split of '{archive}' differs from what the grammar generates;"
                       " is it another release?")
        if split == "simple":
            splits[split] = tuple(truth)


def main(folder, archive=None):
    examples = [(command, " ".join(actions)) for command, actions in commands()]
    length = {command: actions.count(" ") + 1 for command, actions in examples}
    splits = {
        "simple": random_split(examples),
        "length": ([p for p in examples if length[p[0]] <= 22],
                   [p for p in examples if length[p[0]] > 22]),
        "addprim_turn_left": without_primitive(examples, "turn left"),
        "addprim_jump": without_primitive(examples, "jump"),
    }
    if archive:
        compare(splits, archive)
    made = {f"{split}/{part}.tsv": ["\t".join(pair) for pair in pairs]
            for split, parts in splits.items() for part, pairs in zip(("train", "test"), parts)}
    files.write_all(folder, {name: files.lines(rows) for name, rows in made.items()})
    for name, rows in made.items():
        files.report(folder, name, f"{len(rows):,} commands")
    if not archive:
        print("the random split, simple, is not that of the paper, which --from takes from a copy "
              "of the published files")


main(*sys.argv[1:])

"""synopses.py FOLDER [COPY]: writes Debian's package descriptions, up to 100 words of each, and the
one-line synopses that sum them up, one a line: train.text, train.synopsis, valid.text and so on.

Words are in lower case, with spaces around punctuation. Descriptions of related packages are often
alike, so those that have twelve words in a row in common, or their first eight words, are in the
same part."""
import sys
import re

import debian
import files
import groups
import sources

WORDS = 100  # of a text
IN_COMMON, AT_START = 12, 8
TOKEN = re.compile(r"\w+|[^\w\s]")


def tokens(text):
    return TOKEN.findall(text.lower())


def pairs_of(descriptions):
    """(package, words of the text, words of the synopsis), each pair once."""
    seen = set()
    for description in descriptions:
        text = tokens(" ".join(description.paragraphs))[:WORDS]
        synopsis = tokens(description.synopsis)
        pair = (" ".join(text), " ".join(synopsis))
        if text and synopsis and pair not in seen:
            seen.add(pair)
            yield description.package, text, synopsis


def keys_of(text, numbers):
    """What texts of one part have in common. Hashes of numbers take little memory, and are the same
    in every call. `numbers` are those of all words so far."""
    words = [numbers.setdefault(word, len(numbers)) for word in text]
    yield hash(tuple(words[:AT_START]))
    for first in range(len(words) - IN_COMMON + 1):
        yield hash(tuple(words[first:first + IN_COMMON]))


def parts_of(pairs):
    """The (text, synopsis) of each part."""
    numbers = {}
    keys = (keys_of(text, numbers) for _, text, _ in pairs)
    splits = groups.split_of_each([package for package, _, _ in pairs], list(keys))
    parts = {"train": [], "valid": [], "test": []}
    for split, (_, text, synopsis) in zip(splits, pairs):
        parts[split].append((text, synopsis))
    return parts


def share_in_text(pairs):
    """The share of the words of synopses that their texts have."""
    hits = [word in words for text, synopsis in pairs for words in [set(text)] for word in synopsis]
    return sum(hits) / max(1, len(hits))


def main(folder, copy=None):
    texts, made = sources.obtain(debian.file_of("en"), folder, copy)
    parts = parts_of(list(pairs_of(debian.descriptions(*texts.values()))))
    for split, pairs in parts.items():
        made[f"{split}.text"] = files.lines(" ".join(text) for text, _ in pairs)
        made[f"{split}.synopsis"] = files.lines(" ".join(synopsis) for _, synopsis in pairs)
    files.write_all(folder, made)
    for split, pairs in parts.items():
        files.report(folder, f"{split}.{{text,synopsis}}",
                     f"{len(pairs):,} pairs; {share_in_text(pairs):.1%} of the synopses' words "
                     "occur in the text")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Splits texts that may be near-duplicates, so that no two of them are in different parts."""
import collections

import files

LARGEST = 0.01  # larger groups, as shares of all texts, are for training


def group_of_each(keys):
    """The group of each text, a number: texts that share a key are in one, and so on transitively.
    `keys` are the keys of each text."""
    parent = list(range(len(keys)))

    def root(text):
        while parent[text] != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    owner = {}  # the first text with a key
    for text, own in enumerate(keys):
        for key in own:
            parent[root(text)] = root(owner.setdefault(key, text))
    return [root(text) for text in range(len(keys))]


def split_of_each(names, keys):
    """The split of each text. That of a group is by the hash of its first name in the alphabet; a
    group with more than 1% of all texts, which share a turn of phrase, is for training."""
    groups = group_of_each(keys)
    sizes = collections.Counter(groups)
    first = {}
    for name, group in zip(names, groups):
        first[group] = min(name, first.get(group, name))
    splits = {group: "train" if size > LARGEST * len(names) else files.split_of(first[group])
              for group, size in sizes.items()}
    return [splits[group] for group in groups]

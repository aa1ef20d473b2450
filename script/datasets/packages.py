"""packages.py LANGUAGE FOLDER [COPY]: writes paragraphs of Debian's package descriptions and their
translations as plain texts, one a line: train.en, train.it, valid.en and so on.

Paragraphs are paired by their order, if a description and its translation have as many. Pairs are
written once, although many packages may have them; paragraphs that are the same in both languages
are left out. Packages with a paragraph in common are in the same part, so that no paragraph is in
two parts."""
import sys

import debian
import files
import groups
import sources


def aligned(originals, translations):
    """(package, pairs of paragraphs) of each description and its translation."""
    by_md5 = {original.md5: original for original in originals}
    for translation in translations:
        original = by_md5.get(translation.md5)
        if original and len(original.paragraphs) == len(translation.paragraphs):
            yield original.package, list(zip(original.paragraphs, translation.paragraphs))


def parts_of(described):
    """The pairs of paragraphs of each part, each once."""
    # A translation and a name are keys of their own kinds.
    keys = [{key for source, target in pairs for key in (source, (1, target))} | {(2, package)}
            for package, pairs in described]
    splits = groups.split_of_each([package for package, _ in described], keys)
    parts = {"train": {}, "valid": {}, "test": {}}  # dictionaries keep the order
    for split, (_, pairs) in zip(splits, described):
        parts[split].update((pair, None) for pair in pairs if pair[0] != pair[1])
    return {split: list(pairs) for split, pairs in parts.items()}


def main(language, folder, copy=None):
    texts, made = sources.obtain(debian.file_of("en") | debian.file_of(language), folder, copy)
    english, other = (debian.descriptions(text) for text in texts.values())
    parts = parts_of(list(aligned(english, other)))
    for split, pairs in parts.items():
        made[f"{split}.en"] = files.lines(source for source, _ in pairs)
        made[f"{split}.{language}"] = files.lines(target for _, target in pairs)
    files.write_all(folder, made)
    for split, pairs in parts.items():
        files.report(folder, f"{split}.{{en,{language}}}", f"{len(pairs):,} paragraphs")


if __name__ == "__main__":
    main(*sys.argv[1:])

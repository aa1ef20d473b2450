"""gruut.py LEXICON FOLDER: turns a lexicon of gruut, with the letters of each sound, into
train.tsv, valid.tsv and test.tsv, and into train.align and so on, the alignments in Moses form.

The lexicon has a row for each word, such as "c|h}ʃ a}a t}_": groups of letters and sounds, where _
is no sound. A link is sure if its sound has a single letter, and possible if it has several, since
attention to any of them is right."""
import pathlib
import sqlite3
import sys

import files


def parsed(alignment):
    """The letters, the sounds and the links of a row."""
    letters, sounds, links = [], [], []
    for group in alignment.split():
        left, _, right = group.partition("}")
        own_letters = [] if left == "_" else left.split("|")
        own_sounds = [] if right == "_" else right.split("|")
        kind = "-" if len(own_letters) == 1 else "p"
        links += [f"{len(letters) + s}{kind}{len(sounds) + t}"
                  for t in range(len(own_sounds)) for s in range(len(own_letters))]
        letters += own_letters
        sounds += own_sounds
    return "".join(letters), sounds, links


def main(lexicon, folder):
    database = sqlite3.connect(f"file:{lexicon}?mode=ro", uri=True)
    rows = {"train": [], "valid": [], "test": []}
    for word, alignment in database.execute("SELECT word, alignment FROM g2p_alignments ORDER BY id"):
        letters, sounds, links = parsed(alignment)
        # A letter of several characters would shift the positions of those behind it.
        if letters == word and len(links) > 0 and " " not in word:
            rows[files.split_of(word)].append((word, " ".join(sounds), " ".join(links)))
    made = {}
    for split, words in rows.items():
        made[f"{split}.tsv"] = files.lines(f"{word}\t{sounds}" for word, sounds, _ in words)
        made[f"{split}.align"] = files.lines(links for _, _, links in words)
    files.write_all(folder, made | {"lexicon.db": pathlib.Path(lexicon).read_bytes()})
    for split, words in rows.items():
        files.report(folder, f"{split}.tsv", f"{len(words):,} words")


main(*sys.argv[1:])

"""cmudict.py DICTIONARY FOLDER: turns cmudict.dict into train.tsv, valid.tsv and test.tsv."""
import pathlib
import re
import sys

import files

# Words of letters, apostrophes and hyphens. Entries with a full stop ("etc.", "dr.", "cnn.com") are
# left out, since the pronunciation of an abbreviation does not follow from its spelling.
WORD = re.compile(r"[a-z'-]+\Z")


def main(dictionary, folder):
    content = pathlib.Path(dictionary).read_bytes()
    entries = [line.split("#")[0].split() for line in content.decode().splitlines()]
    pairs = {"train": [], "valid": [], "test": []}
    seen = set()
    for entry, *phones in filter(None, entries):
        word = re.sub(r"\(\d+\)\Z", "", entry)  # a further pronunciation: "read(2)"
        pair = (word, " ".join(phone.rstrip("012") for phone in phones))  # stress: "AH0"
        if WORD.match(word) and phones and pair not in seen:  # some differ only in stress
            seen.add(pair)
            pairs[files.split_of(word)].append(pair)
    made = {f"{split}.tsv": files.lines("\t".join(pair) for pair in rows)
            for split, rows in pairs.items()}
    files.write_all(folder, made | {"cmudict.dict": content})
    for split, rows in pairs.items():
        words = len({word for word, _ in rows})
        files.report(folder, f"{split}.tsv", f"{words:,} words, {len(rows):,} pairs")


main(*sys.argv[1:])

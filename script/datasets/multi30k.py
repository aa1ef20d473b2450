"""multi30k.py FOLDER [COPY]: writes the captions of Multi30k as plain texts, one a line: train.en,
train.de, train.fr, valid.en and so on. The same line of each language is about the same picture.

White space is made single spaces: a caption has a TAB, and some end with spaces."""
import sys

import files
import sources

ADDRESS = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw/"
# The name of each part in the repository, and the SHA-256 of its texts.
PARTS = {
    "train": ("train", {
        "en": "460a15fbd157e34a7a9957ee388c1ca247fe47af3ef25fb50442af6c274e0fc6",
        "de": "2c2b73fd2b548fbcde3a875e0a78d6ee94d498bfdee6bd3eae3945779e9ddf72",
        "fr": "5925a3c18f1587b6b54b87743106e6e8ab93618edb6f65d19eac0621f853a10d",
    }),
    "valid": ("val", {
        "en": "1f2a23d992769b5b3d209b0a10dd0b77c08cceb1f20dfb97ed0aafa49d107227",
        "de": "660e09eb7e1da2f856ea13ee5ad3cf6d36b3d5b0b733c857e94c5747a3dfc660",
        "fr": "5304e444d842e962b2dda4d816b70b22a1765b15401642b7ca37a67477e708dc",
    }),
    "test2016": ("test_2016_flickr", {
        "en": "399a4382932c1aadd3ceb9bef1008d388a64c76d4ae4e9d4728c6f4301cac182",
        "de": "4be6b5b3236b79c25475c6bb829800a7ce559e9ba7a1f6c2394fe4d40be46d16",
        "fr": "cb3160d69b002bb638e66cc7612fcd56cb0af82eadc9c142dedc438afb885ef6",
    }),
    "test2017": ("test_2017_flickr", {
        "en": "ce1450ddc5ab0834502579d77a170849952e15a2938b34cc503bdc25ebb4fb98",
        "de": "c3078bc3b36808bf9d20eb2347ed6137016179ef59ec0d2b9b8ecc3fb2880081",
        "fr": "6f3764e31dac41e9455e612958bcfd4e877c5e15cd66df2c2b2be6d9bd83e5b6",
    }),
    "testcoco": ("test_2017_mscoco", {
        "en": "43051fdfa86fd5395182e718a94ca67b1b227b9f7c79596ff0f6b813216981d2",
        "de": "58277df3c75f92f7145a11b910b553d1cf82c439249d4dc237c899609eafac22",
        "fr": "39cde3f43f32b0a6bf29ce4917a46329ff32e53070c2fac87506695a740ae0a0",
    }),
    "test2018": ("test_2018_flickr", {
        "en": "4e585c2dd525911a6ea7730e9d0b516239af3f1b1ffae6a2130223cfb639f25e",
        "de": "39fcc8b3331d76fb42d648d019c6898b0d5e58baac87bc2a0bb93f44ec8db207",
        "fr": "234b4a887da0da4801a3e2c6f21336231ff7dd46daeb80cfa1b551c8bbb78239",
    }),
}


def captions(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def main(folder, copy=None):
    wanted = {f"{name}.{language}": (digest, [f"{ADDRESS}{name}.{language}.gz"])
              for name, digests in PARTS.values() for language, digest in digests.items()}
    texts, made = sources.obtain(wanted, folder, copy)
    counts = {}
    for part, (name, digests) in PARTS.items():
        for language in digests:
            lines = captions(texts[f"{name}.{language}"])
            made[f"{part}.{language}"] = files.lines(lines)
            counts[part] = len(lines)
    files.write_all(folder, made)
    for part, count in counts.items():
        files.report(folder, f"{part}.{{{','.join(PARTS[part][1])}}}", f"{count:,} captions")


if __name__ == "__main__":
    main(*sys.argv[1:])

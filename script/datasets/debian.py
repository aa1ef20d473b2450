"""Reads the descriptions of Debian 12's packages and their translations."""
import collections

ARCHIVES = ["https://deb.debian.org/debian", "https://archive.debian.org/debian"]
FOLDER = "dists/bookworm/main/i18n/by-hash/SHA256"
# The SHA-256 of the text, and that of the compressed file, which is its name: Debian 12.15, the
# last release of bookworm by the Debian project itself.
DIGESTS = {
    "en": ("62f59c3cdca9786e4f7adf9002f9f5729a684adcb4667e58e448dec9b5a46c7f",
           "a3d4a0bfd8e9242810b0885eda7c1a6e05dac15b333ddbaab03ba56f2dfa4bf0"),
    "it": ("f2010961f0968127812de8484ecead4f45b25b2cb6aeb788f9f25753fbd5cff7",
           "f01a5f14992838ff8140da6e025c514c900c4f55d3169d5ef1710ed2deee2bde"),
    "de": ("adac331fc51f9a00c1b4120b4ac87423be2b1f1615d4f288c7cbc2d5258c0650",
           "2cc65c7f8b85d8a2964c3735bbf86be79bfd3342ef8908150e268137fe5dac7f"),
    "fr": ("1b5ce81d2dac68fb27997899d9e092b8281f984baa658c22139d8f2640aec6cc",
           "3248f0206d704300067e35cc2d4380dc1f1b418b5b9f446c3d42424b98d0abad"),
}

# `md5` is the digest of the English text, and the same for its translations.
Description = collections.namedtuple("Description", "package md5 synopsis paragraphs")


def file_of(language):
    """The file of a language, as sources.obtain() expects it."""
    text, compressed = DIGESTS[language]
    return {f"Translation-{language}":
            (text, [f"{archive}/{FOLDER}/{compressed}" for archive in ARCHIVES])}


def paragraphs_of(lines):
    """The paragraphs of an extended description, each as one line. A line with a full stop alone
    is between two of them."""
    paragraphs = [[]]
    for line in lines:
        if line.strip() == ".":
            paragraphs.append([])
        else:
            paragraphs[-1] += line.split()
    return [" ".join(words) for words in paragraphs if words]


def descriptions(text):
    """The descriptions of a Translation file, each once, although several packages and versions
    may have it."""
    seen = set()
    for entry in text.split("\n\n"):
        fields, extended = {}, []
        for line in entry.splitlines():
            if line.startswith(" "):
                extended.append(line)
            elif ":" in line:
                name, _, value = line.partition(":")
                fields["synopsis" if name.startswith("Description-") and
                       name != "Description-md5" else name] = value.strip()
        if len(fields) == 3 and fields["Description-md5"] not in seen:
            seen.add(fields["Description-md5"])
            yield Description(fields["Package"], fields["Description-md5"], fields["synopsis"],
                              paragraphs_of(extended))

"""Gets the files that a data set is made from: a given copy, one kept from an earlier call, or one
from the network. What counts is the SHA-256 of a file's text, however it is compressed."""
import bz2
import gzip
import hashlib
import lzma
import os
import tarfile
import urllib.request
import zlib

import files

# How a compressed file begins, and what unpacks it.
FORMATS = {".gz": (b"\x1f\x8b", gzip.decompress), ".bz2": (b"BZh", bz2.decompress),
           ".xz": (b"\xfd7zXZ\0", lzma.decompress)}
DAMAGE = (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error)  # what unpacking raises
KEPT = "raw"  # the folder of copies in that of a data set


def format_of(content):
    """The ending of a compressed file's name; "" if it is not compressed."""
    return next((end for end, (magic, _) in FORMATS.items() if content.startswith(magic)), "")


def unpacked(content):
    """The text of a file, compressed or not; None if it is damaged."""
    ending = format_of(content)
    try:
        return FORMATS[ending][1](content) if ending else content
    except DAMAGE:
        return None


def is_called(path, name):
    """Whether a path is that of `name`, compressed or not. apt puts the archive's address, with _
    for /, before the name."""
    base = os.path.basename(path)
    stem, ending = os.path.splitext(base)
    stem = stem if ending in FORMATS else base
    return stem == name or stem.endswith("_" + name)


def is_tar(path):
    try:
        return tarfile.is_tarfile(path)
    except DAMAGE:
        return False


def found(place, name):
    """The bytes of the file `name` in a folder or a tar file, or `place` itself if it is any other
    file; None if there is none."""
    if os.path.isdir(place):
        for entry in sorted(os.scandir(place), key=lambda entry: entry.name):
            if entry.is_file() and is_called(entry.name, name):
                with open(entry.path, "rb") as file:
                    return file.read()
        return None
    if not os.path.isfile(place):
        return None
    if not is_tar(place):
        with open(place, "rb") as file:
            return file.read()
    with tarfile.open(place) as tar:
        member = next((m for m in tar if m.isfile() and is_called(m.name, name)), None)
        return member and tar.extractfile(member).read()


def fetched(urls, name):
    """The bytes of a file that several addresses may have."""
    for url in urls:
        print(f"fetching {url}", flush=True)
        try:
            with urllib.request.urlopen(url, timeout=60) as reply:
                return reply.read()
        except OSError as error:
            reason = error
    files.fail(f"cannot fetch {name}: {reason}; try again later, or give a copy with --from")


def obtain(wanted, folder, given):
    """The texts of files, {name: (SHA-256 of the text, addresses)}, as {name: text}, and the copies
    to keep, {path in the folder: bytes}."""
    if given and not os.path.exists(given):
        files.fail(f"there is no file or folder '{given}'")
    texts, copies = {}, {}
    for name, (digest, urls) in wanted.items():
        try:
            content = found(given or os.path.join(folder, KEPT), name)
        except (tarfile.TarError, *DAMAGE) as error:
            files.fail(f"cannot read '{given or folder}': {error}")
        text = content and unpacked(content)
        is_genuine = bool(text) and hashlib.sha256(text).hexdigest() == digest
        if given and content is None:
            files.fail(f"'{given}' has no {name}, nor one that ends in {', '.join(FORMATS)}")
        if not given and not is_genuine:
            content = fetched(urls, name)
            text = unpacked(content)
            is_genuine = bool(text) and hashlib.sha256(text).hexdigest() == digest
        if not is_genuine:
            files.fail(f"the text of {name} has SHA-256 {hashlib.sha256(text or b'').hexdigest()}, "
                       f"expected {digest}; it is another release or was damaged in transit")
        texts[name] = text.decode()
        copies[f"{KEPT}/{name}{format_of(content)}"] = content
    return texts, copies

"""Writes the files of a data set, for the other programs in this folder."""
import contextlib
import hashlib
import os
import sys


def fail(message):
    sys.exit(f"script/data: {message}")


def split_of(word):
    """The split of a word, by its hash: 93% train, 2% valid, 5% test."""
    percent = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big") % 100
    return "test" if percent < 5 else "valid" if percent < 7 else "train"


def write_all(folder, files):
    """Writes files, {name: bytes}, into a folder. All new ones are complete before the first one
    replaces an old one."""
    try:
        for name, content in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name + ".tmp"), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for name in files:
            os.replace(os.path.join(folder, name + ".tmp"), os.path.join(folder, name))
    except OSError as error:
        fail(f"cannot write to {folder}: {error.strerror}")
    finally:
        for name in files:
            with contextlib.suppress(OSError):
                os.remove(os.path.join(folder, name + ".tmp"))


def lines(rows):
    """The bytes of lines of text."""
    return "".join(f"{row}\n" for row in rows).encode()


def report(folder, name, text):
    print(f"{os.path.relpath(os.path.join(folder, name))}: {text}")

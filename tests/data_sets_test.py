#!/usr/bin/env python3
"""Tests the programs that make data sets (script/data), with made-up texts and without network."""
import bz2
import gzip
import hashlib
import io
import lzma
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "script" / "datasets"))
sys.dont_write_bytecode = True

import debian  # noqa: E402
import files  # noqa: E402
import groups  # noqa: E402
import multi30k  # noqa: E402
import packages  # noqa: E402
import sources  # noqa: E402
import synopses  # noqa: E402

TEXT = "eins\nzwei\n".encode()
WANTED = {"few.de": (hashlib.sha256(TEXT).hexdigest(), ["https://example.invalid/few.de.gz"])}

ENGLISH = """\
Package: cat
Description-md5: 1
Description-en: prints files: all of them
 Prints files, one
 after the other.
 .
   * to the terminal
   * to a pipe

Package: cat-doc
Description-md5: 2
Description-en: manual of cat
 Prints files, one after the other.
 .
 These are pages.

Package: cat
Description-md5: 1
Description-en: prints files: all of them
 Prints files again.

Package: dog
Description-md5: 3
Description-en: no more
"""


class Descriptions(unittest.TestCase):
    def test_paragraphs_are_lines_and_a_description_comes_once(self):
        first, second, third = debian.descriptions(ENGLISH)
        self.assertEqual(first, ("cat", "1", "prints files: all of them",
                                 ["Prints files, one after the other.",
                                  "* to the terminal * to a pipe"]))
        self.assertEqual(second.paragraphs[1], "These are pages.")
        self.assertEqual(third.paragraphs, [])

    def test_only_descriptions_of_as_many_paragraphs_are_paired(self):
        def of(md5, *paragraphs):
            return debian.Description("p" + md5, md5, "", list(paragraphs))

        pairs = packages.aligned([of("1", "a", "b"), of("2", "c"), of("3", "d")],
                                 [of("2", "C", "D"), of("1", "A", "B"), of("4", "E")])
        self.assertEqual(list(pairs), [("p1", [("a", "A"), ("b", "B")])])


class Groups(unittest.TestCase):
    def test_texts_are_joined_by_chains_of_keys(self):
        group = groups.group_of_each([["a"], ["b"], ["a", "c"], ["d"], ["c"], []])
        self.assertEqual(group[0], group[2])
        self.assertEqual(group[0], group[4])
        self.assertEqual(len(set(group)), 4)

    def test_a_large_group_is_for_training_and_others_by_their_first_name(self):
        names = [f"name {i}" for i in range(1000)]
        keys = [[i // 2 if i < 900 else "common"] for i in range(1000)]
        splits = groups.split_of_each(names, keys)
        self.assertEqual(set(splits[900:]), {"train"})
        self.assertEqual(splits[0:900:2], splits[1:900:2])
        self.assertEqual(splits[0:900:2], [files.split_of(name) for name in names[0:900:2]])
        self.assertEqual(set(splits), {"train", "valid", "test"})

    def test_no_paragraph_is_in_two_parts_and_none_comes_twice(self):
        described = [(f"p{i}", [(f"own {i}", f"proprio {i}"), (f"of {i // 3}", f"di {i // 3}"),
                                (f"kept {i}", f"kept {i}")]) for i in range(900)]
        parts = packages.parts_of(described)
        sides = [{side for pair in part for side in pair} for part in parts.values()]
        self.assertTrue(all(sides))
        self.assertEqual(sum(map(len, sides)), len(set().union(*sides)))
        self.assertEqual(sum(map(len, parts.values())), 900 + 300)


class Synopses(unittest.TestCase):
    def test_words_are_in_lower_case_with_spaces_around_punctuation(self):
        self.assertEqual(synopses.tokens("A GTK+ tool, für_x"), ["a", "gtk", "+", "tool", ",",
                                                                 "für_x"])

    def test_a_text_is_cut_and_a_pair_comes_once(self):
        def of(md5, synopsis, *paragraphs):
            return debian.Description("p" + md5, md5, synopsis, list(paragraphs))

        found = list(synopses.pairs_of([of("1", "S one", "w " * 99, "two three"), of("2", "x"),
                                        of("3", "s ONE", "w " * 99 + "two"), of("4", "", "x")]))
        self.assertEqual(found, [("p1", ["w"] * 99 + ["two"], ["s", "one"])])

    def test_texts_with_twelve_words_in_common_or_the_same_start_have_a_key_in_common(self):
        numbers = {}

        def keys(text):
            return set(synopses.keys_of(text.split(), numbers))

        common = " ".join(f"w{i}" for i in range(12))
        self.assertTrue(keys("a b " + common) & keys("c " + common + " d"))
        self.assertFalse(keys("a b " + common) & keys("c " + common[:-4] + " d"))
        self.assertTrue(keys("a b c d e f g h i") & keys("a b c d e f g h j"))
        self.assertFalse(keys("a b c d e f g h i") & keys("a b c d e f g"))
        self.assertTrue(keys("a b") & keys("a b"))

    def test_the_share_of_words_in_the_text_counts_every_word_of_a_synopsis(self):
        self.assertEqual(synopses.share_in_text([(["a", "b"], ["a", "a", "c"]), (["c"], ["c"])]),
                         3 / 4)
        self.assertEqual(synopses.share_in_text([]), 0)


class Sources(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = pathlib.Path(self.folder.name)

    def write(self, name, content):
        (self.path / name).parent.mkdir(exist_ok=True)
        (self.path / name).write_bytes(content)
        return str(self.path / name)

    def fails(self, *arguments):
        with self.assertRaises(SystemExit) as failure:
            sources.obtain(*arguments)
        return str(failure.exception.code)

    def test_a_copy_may_be_compressed_or_not(self):
        for ending, pack in (("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress),
                             (".xz", lzma.compress)):
            place = self.write("copy", pack(TEXT))
            texts, copies = sources.obtain(WANTED, str(self.path), place)
            self.assertEqual(texts, {"few.de": TEXT.decode()})
            self.assertEqual(copies, {f"raw/few.de{ending}": pack(TEXT)})

    def test_a_copy_is_found_in_a_folder_in_a_tar_file_and_beside_the_data(self):
        self.write("lists/deb.debian.org_debian_few.de.xz", lzma.compress(TEXT))
        self.write("lists/few.de.lz4", b"other")
        found, _ = sources.obtain(WANTED, str(self.path), str(self.path / "lists"))
        self.assertEqual(found["few.de"], TEXT.decode())

        with tarfile.open(self.path / "all.tar", "w") as tar:
            member = tarfile.TarInfo("some/folder/few.de.gz")
            content = gzip.compress(TEXT)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        found, copies = sources.obtain(WANTED, str(self.path), str(self.path / "all.tar"))
        self.assertEqual(found["few.de"], TEXT.decode())

        files.write_all(str(self.path), copies)
        self.assertEqual(sources.obtain(WANTED, str(self.path), None)[0], found)

    def test_a_missing_damaged_or_other_copy_is_an_error(self):
        folder = str(self.path)
        self.assertIn("there is no file or folder", self.fails(WANTED, folder, folder + "/none"))
        self.assertIn("has no few.de, nor one that ends in .gz", self.fails(WANTED, folder, folder))
        other = self.write("other", b"drei\n")
        self.assertIn(f"few.de has SHA-256 {hashlib.sha256(b'drei' + bytes([10])).hexdigest()}, "
                      "expected ", self.fails(WANTED, folder, other))
        for damaged in (gzip.compress(TEXT)[:-3], bz2.compress(TEXT)[:-3],
                        lzma.compress(TEXT)[:-3], gzip.compress(TEXT)[:12] + b"damage"):
            self.assertIn("damaged in transit",
                          self.fails(WANTED, folder, self.write("part", damaged)))

    def test_the_command_names_what_it_does_not_know(self):
        def error_of(*arguments):
            out = str(self.path / "out")
            done = subprocess.run([ROOT / "script" / "data", *arguments, "--out", out],
                                  capture_output=True, text=True)
            self.assertNotEqual(done.returncode, 0)
            return done.stderr

        self.assertIn("unknown data 'multi'; known: cmudict ", error_of("multi"))
        self.assertIn("unknown argument '--form'", error_of("multi30k", "--form", "x"))
        self.assertIn("one data set at a time", error_of("scan", "synopses"))
        for name in ("multi30k", "packages-fr", "synopses"):
            self.assertIn("there is no file or folder", error_of(name, "--from",
                                                                 str(self.path / "none")))


class Captions(unittest.TestCase):
    def test_white_space_is_single_spaces(self):
        self.assertEqual(multi30k.captions(" a\tb \nc  d\n"), ["a b", "c d"])


if __name__ == "__main__":
    unittest.main()

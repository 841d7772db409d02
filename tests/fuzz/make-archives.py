#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the corpus of fuzz-archive: make-archives.py DIRECTORY. The archives are the same each time."""

import bz2
import gzip
import io
import lzma
import pathlib
import sys
import tarfile

PAX, GNU, USTAR = tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT


def member(name, kind=tarfile.REGTYPE, content=b"", **fields):
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mtime = kind, len(content), 1
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def link(name, target, kind=tarfile.SYMTYPE):
    return member(name, kind, linkname=target)


def directory(name, **fields):
    return member(name, tarfile.DIRTYPE, **fields)


def pack(*members, form=PAX):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def archives():
    usual = [directory("./"), directory("./etc"), member("./etc/hostname", content=b"name\n"),
             link("./bin", "usr/bin"), member("./usr/bin/su", content=b"#!", mode=0o4755),
             link("./usr/bin/sudo", "./usr/bin/su", tarfile.LNKTYPE), member("./dev/null", tarfile.CHRTYPE),
             member("./run/fifo", tarfile.FIFOTYPE), member("./big", content=b"\0" * 5000, uid=70000)]
    for name, form in (("pax", PAX), ("gnu", GNU), ("ustar", USTAR)):
        yield f"usual-{name}", pack(*usual, form=form)
    plain = pack(*usual)
    yield "usual.gz", gzip.compress(plain, mtime=0)
    yield "usual.bz2", bz2.compress(plain)
    yield "usual.xz", lzma.compress(plain)
    yield "usual.lzma", lzma.compress(plain, lzma.FORMAT_ALONE)
    yield "twice.gz", gzip.compress(gzip.compress(plain, mtime=0), mtime=0)
    yield "cut", plain[:2000]
    yield "cut.gz", gzip.compress(plain, mtime=0)[:-20]
    yield "cut-at-member", plain[:512 * 2]
    damaged = bytearray(gzip.compress(plain, mtime=0))
    damaged[-8] ^= 1
    yield "checksum.gz", bytes(damaged)
    yield "two.gz", gzip.compress(plain[:1000], mtime=0) + gzip.compress(plain[1000:], mtime=0)
    yield "checksum", plain[:100] + b"9" + plain[101:]
    yield "empty", b""
    yield "zeros", b"\0" * 10240
    yield "attributes", pack(
        member("a", content=b"x", pax_headers={
            "SCHILY.xattr.user.name": "value", "SCHILY.xattr.security.capability": "short",
            "SCHILY.xattr.trusted.x": "y", "SCHILY.acl.access": "user::rw-,user:99:rw-,group::r--,mask::rw-,other::---",
            "mtime": "1.5"}),
        directory("d", pax_headers={"SCHILY.acl.default": "user::rwx,group:5:rwx,group::r-x,mask::rwx,other::r-x"}))
    yield "sparse", pack(member("s", content=b"3\n0\n512\n8192\n512\n1000000\n0\n".ljust(512, b"\0") + b"d" * 1024, pax_headers={
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "sparse", "GNU.sparse.realsize": "1000000"}))
    hostile = {
        "absolute": [member("/etc/passwd", content=b"x")],
        "parent": [member("../canary", content=b"x")],
        "parent-inside": [directory("a"), member("a/../../canary", content=b"x")],
        "through-link": [link("a", ".."), member("a/canary", content=b"x")],
        "through-deep-link": [directory("a"), link("a/b", "../.."), member("a/b/canary", content=b"x")],
        "link-replaced": [link("a", "../canary"), member("a", content=b"x")],
        "directory-over-link": [link("a", ".."), directory("a"), member("a/canary", content=b"x")],
        "link-over-directory": [directory("a"), link("a", ".."), member("a/canary", content=b"x")],
        "hard-outside": [link("a", "../canary", tarfile.LNKTYPE), member("a", content=b"x")],
        "hard-through-link": [link("l", ".."), link("a", "l/canary", tarfile.LNKTYPE), member("a", content=b"x")],
        "hard-to-itself": [member("a", content=b"x"), link("a", "./a", tarfile.LNKTYPE)],
        "hard-to-nothing": [link("a", "b", tarfile.LNKTYPE)],
        "hard-to-directory": [directory("d"), link("a", "d", tarfile.LNKTYPE)],
        "root-is-link": [link("./", ".."), member("canary", content=b"x")],
        "root-is-file": [member("./", content=b"x")],
        "deep": [member("d/" * 300 + "f", content=b"x")],
        "long": [member("x" * 5000, content=b"x")],
        "long-link": [link("a", "x" * 5000)],
        "odd-names": [member("a\nb\033[31m\u202e", content=b"x"), member(" ", content=b"y"), member("-", content=b"z")],
        "wrapped": [directory("rootfs"), directory("rootfs/etc"), directory("rootfs/usr")],
        "twice": [member("a", content=b"one"), member("a", content=b"two"), directory("d"), directory("d", mode=0o700)],
        "kinds": [member("x", b"x"), member("c", tarfile.CONTTYPE, b"x"), member("b", tarfile.BLKTYPE)],
    }
    for name, members in hostile.items():
        yield name, pack(*members)
    yield "garbage", bytes(range(256)) * 8


def main():
    place = pathlib.Path(sys.argv[1])
    place.mkdir(parents=True, exist_ok=True)
    for name, content in archives():
        (place / name).write_bytes(content)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Refuses includes that the folders' DEPENDS lists do not allow, and Asio outside of net and its users.

Usage: layers.py SRC_DIR. Reads SRC_DIR/CMakeLists.txt for `tidemark_library(x DEPENDS a b …)` and
`tidemark_preload(x …)`, which may include nothing of ours.
"""
import pathlib
import re
import sys

ASIO_FOLDERS = {"net", "front", "console", "server"}


def allowed_includes(cmake_text):
    allowed = {}
    for name, deps in re.findall(r"tidemark_library\((\w+)(?:\s+DEPENDS([^)]*))?\)", cmake_text):
        allowed[name] = {d for d in deps.split() if "::" not in d} | {"base", name}
    for name in re.findall(r"tidemark_preload\((\w+) ", cmake_text):
        allowed[name] = {name}
    return allowed


def violations(src):
    allowed = allowed_includes((src / "CMakeLists.txt").read_text())
    folders = {p.name for p in src.iterdir() if p.is_dir()}
    for path in sorted(src.glob("*/*.[ch]*")):
        folder = path.parent.name
        if folder not in allowed:
            yield f"{path}: folder {folder} has no tidemark_library() line"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s+["<]([^">]+)[">]', line)
            if not include:
                continue
            target = include.group(1)
            if target.startswith("boost/asio") and folder not in ASIO_FOLDERS:
                yield f"{path}:{number}: {folder} must not name Asio"
            first = target.split("/")[0]
            if first == "testing" and path.name.endswith(("_test.cpp", "_fixture.h")):
                continue
            if "/" in target and first in folders and first not in allowed[folder]:
                yield f"{path}:{number}: {folder} may not include {first} (see src/CMakeLists.txt)"


def main():
    found = list(violations(pathlib.Path(sys.argv[1])))
    print("\n".join(found) or "layers: every include is allowed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Turns a shared library into a C++ source that holds its bytes.

Usage: embed_library.py LIBRARY.so FOLDER NAME OUTPUT.cpp. FOLDER/NAME.h declares ByteView <name>Library().
"""
import pathlib
import re
import sys


def main():
    library, folder, name, output = sys.argv[1:]
    content = pathlib.Path(library).read_bytes()
    lines = "\n".join(",".join(map(str, content[at:at + 32])) + "," for at in range(0, len(content), 32))
    function = re.sub(r"_(\w)", lambda found: found[1].upper(), name) + "Library"
    pathlib.Path(output).write_text(f"// Made by cmake/embed_library.py from src/{name}.\n"
                                    f'#include "{folder}/{name}.h"\n\n'
                                    f"namespace tidemark::{folder} {{\n\n"
                                    f"static const std::uint8_t kLibrary[] = {{\n{lines}\n}};\n\n"
                                    f"ByteView {function}() {{ return kLibrary; }}\n\n"
                                    f"}}  // namespace tidemark::{folder}\n")


if __name__ == "__main__":
    main()

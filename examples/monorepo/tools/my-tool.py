#!/usr/bin/env python3
"""Prints the members. A name with a hyphen cannot be imported, so this file is only ever a script:
it is checked with the rest, and no cache is written for it, because Python would not read one."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent

for manifest in sorted(ROOT.glob("*/*/pyproject.toml")):
    print(manifest.parent.relative_to(ROOT).as_posix())

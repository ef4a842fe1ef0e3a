#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program on the smallest display that is supported, with a session bus; ends with its status."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from screen import Place, Screen  # noqa: E402

SMALLEST = (1280, 800)


def main():
    with Place('display') as place, Screen(place, size=SMALLEST) as screen:
        status = subprocess.run(sys.argv[1:], env=screen.environment(), check=False).returncode
    sys.exit(status)


if __name__ == '__main__':
    main()

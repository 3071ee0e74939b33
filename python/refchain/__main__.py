# SPDX-License-Identifier: MIT
"""python -m refchain: runs the native program that is installed beside this interpreter."""
import os
import shutil
import sys
import sysconfig


def main() -> None:
    scripts = sysconfig.get_path("scripts")
    program = shutil.which("refchain", path=scripts) or shutil.which("refchain")
    if program is None:
        sys.exit("refchain: the native program is neither in %s nor on PATH; reinstall refchain"
                 % scripts)
    os.execv(program, [program] + sys.argv[1:])


if __name__ == "__main__":
    main()

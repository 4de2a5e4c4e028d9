#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The check of the names must find each planted fault, and nothing in the good tree."""

import os
import sys
import tempfile

import names

C = "/* " + names.LICENCE + " */\n"
PY = "#!/usr/bin/python3\n# " + names.LICENCE + "\n"


def function(lines):
    return "int f(void)\n{\n" + "    g();\n" * lines + "}\n"


GOOD = {
    "proto/frame.c": C + function(70) + "static const int table[] = {\n" + "    1,\n" * 100 + "};\n",
    "proto/frame.h": C,
    "proto/op.def": "/* a table */\n" + "X(1)\n" * 2000,
    "tests/x.py": PY,
    "tools/run": "#!/usr/bin/env bash\n# " + names.LICENCE + "\n",
    "docs/a.md": "see $HOME/x, ~/home/x, /usr/local and docs/home/x\n",
    "a/CMakeLists.txt": "",
    "b/CMakeLists.txt": "",
    "build/twice/frame.c": "no licence\n",
}
MACHINE = "/" + "home/someone/x"

PLANTED = [
    ("server/net/frame.c", C, "the same name as proto/frame.c"),
    ("server/op.def", "", "the same name as proto/op.def"),
    ("server/a.c", "int x;\n", "the first line must be"),
    ("server/a.c", "", "the first line must be"),
    ("server/a.c", "\n" + C, "the first line must be"),
    ("tests/y.py", "#!/usr/bin/python3\n", "must say"),
    ("tools/other", "#!/usr/bin/env bash\n", "must say"),
    ("server/a.c", C + "\n" * 800, "801 lines; the most is 800"),
    ("server/a.c", C + "\n" + function(71), "a.c:4: a function of 71 lines"),
    ("docs/b.md", "text\ncd " + MACHINE + "\n", "b.md:2: names a folder"),
    ("CMakeLists.txt", 'set(X "' + MACHINE + '")\n', "names a folder"),
]


def faults_with(extra):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**GOOD, **extra}.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
            if path.startswith("tools/"):
                os.chmod(full, 0o755)
        return names.check(root)[0]


def main():
    wrong = []
    good = faults_with({})
    if good:
        wrong.append(f"the good tree is refused: {good}")
    for path, text, message in PLANTED:
        found = faults_with({path: text})
        if len(found) != 1 or message not in found[0]:
            wrong.append(f"{path}: expected one fault with {message!r}, found {found}")
    print("\n".join(wrong) or f"each of {len(PLANTED)} planted faults was found")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

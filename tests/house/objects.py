# SPDX-License-Identifier: Apache-2.0
"""What the object files of a build define and want, by source. Works on any build, with any of the
sanitizers, and needs its compile_commands.json alone."""

import json
import os
import re
import subprocess

OUTPUT = re.compile(r" -o (\S+)")
PER_CALL = 100


def outputs(root, build):
    """Source (relative to root) → object file, of what is built from the tree."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        commands = json.load(file)
    found = {}
    for command in commands:
        source = os.path.relpath(os.path.realpath(command["file"]), os.path.realpath(root))
        output = OUTPUT.search(command["command"])
        if source.startswith("..") or not source.endswith(".c") or output is None:
            continue
        found[source] = os.path.join(command["directory"], output.group(1))
    return found


def symbols(objects):
    """Object file → (names it defines, names it wants from elsewhere)."""
    found = {path: (set(), set()) for path in objects}
    for start in range(0, len(objects), PER_CALL):
        lines = subprocess.run(
            ["nm", "-A", "-g", *objects[start : start + PER_CALL]],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for line in lines:
            path, _, rest = line.partition(":")
            kind, name = rest.split()[-2:]
            found[path][kind in "Uwv"].add(name)
    return found


def read(root, build):
    """Source → (names it defines, names it wants). Sources whose object was not built are left out."""
    sources = {source: path for source, path in outputs(root, build).items() if os.path.exists(path)}
    found = symbols(sorted(sources.values()))
    return {source: found[path] for source, path in sources.items()}


def make(root, build, texts):
    """For controls: a tree of these sources, compiled as CMake would."""
    commands = []
    os.makedirs(build, exist_ok=True)
    for path, text in texts.items():
        source = os.path.join(root, path)
        output = path.replace("/", "_") + ".o"
        os.makedirs(os.path.dirname(source), exist_ok=True)
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        subprocess.run(["cc", "-c", source, "-o", os.path.join(build, output)], check=True)
        commands.append({"file": source, "directory": build, "command": f"cc -c {source} -o {output}"})
    with open(os.path.join(build, "compile_commands.json"), "w", encoding="utf-8") as file:
        json.dump(commands, file)

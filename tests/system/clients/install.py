# SPDX-License-Identifier: Apache-2.0
"""install.py python|node CMAKE BUILD ICPD: what the build packs can be installed without a network, and the
example of its README answers. The wheel goes into a folder by pip, the tarball by npm."""
import glob
import os
import re
import subprocess
import sys
import tempfile

import planted


def run(*command, **options):
    subprocess.run(command, check=True, timeout=300, **options)


def example(readme, language):
    with open(readme, encoding="utf-8") as file:
        return re.search(rf"```{language}\n(.*?)```", file.read(), re.DOTALL).group(1)


def python_install(package, folder):
    run("/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir",
        "--root-user-action", "ignore", "--target", folder, package)
    return ["/usr/bin/python3", "-c"], dict(os.environ, PYTHONPATH=folder)


def node_install(package, folder):
    with open(os.path.join(folder, "package.json"), "w", encoding="utf-8") as file:
        file.write('{"private": true}')
    run("npm", "install", "--silent", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", package,
        cwd=folder)
    return ["node", "--input-type=commonjs", "-e"], None


def main():
    kind, cmake, build, icpd = sys.argv[1:5]
    target, pattern, language, install = {
        "python": ("python-wheel", "icp_client-*.whl", "python", python_install),
        "node": ("node-tarball", "icp-client-*.tgz", "js", node_install),
    }[kind]
    run(cmake, "--build", build, "--target", target)
    package, = glob.glob(os.path.join(build, "dist", pattern))
    code = example(os.path.join(build, "client", kind, "stage", "README.md"), language)
    server = planted.Server(icpd)
    try:
        planted.fill(server)
        with tempfile.TemporaryDirectory(prefix="icp-client-") as folder:
            command, env = install(os.path.abspath(package), folder)
            code = code.replace("127.0.0.1:4273", f"127.0.0.1:{server.port}").replace("ann@acme.com", "ann@c7.example")
            if kind == "node":
                code = f"(async () => {{{code}}})()"
            said = subprocess.run([*command, code], cwd=folder, env=env, check=True, timeout=60, text=True,
                                  stdout=subprocess.PIPE).stdout
    finally:
        server.close()
    print(f"{os.path.basename(package)}: {said.strip()}")
    return 0 if re.fullmatch(r"[ABCD] [\d.]+\s*", said) else 1


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests of TLS, made by the openssl command."""
import os
import subprocess


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """Signs certificates, each with its key in a file of its own."""

    def __init__(self, directory, name):
        self.directory = directory
        self.certificate, self.key = self.paths(name)
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out",
            self.certificate)

    def paths(self, name):
        return [os.path.join(self.directory, name + end) for end in (".pem", ".key")]

    def sign(self, name, alternative):
        certificate, key = self.paths(name)
        request, more = os.path.join(self.directory, "csr"), os.path.join(self.directory, "more")
        with open(more, "w") as file:
            file.write(f"subjectAltName={alternative}\n")
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-days", "2", "-in", request, "-CA", self.certificate,
            "-CAkey", self.key, "-CAcreateserial", "-extfile", more, "-out", certificate)
        return certificate, key

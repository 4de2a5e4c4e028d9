# SPDX-License-Identifier: Apache-2.0
"""A plan from its first entry to its successor by the commands of docs/plan.md: usage: test_plan.py icpd icp docs/plan.md

Keys and signatures come from OpenSSL's own program as well, and the chain, the tree and the proof are
worked out here again with hashlib. A kill leaves every entry that was answered; backup, an export of
everything and a damaged entry are tried. Controls: a history that was altered, and a key that is not
the signatory's."""
import hashlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from icpd import WAIT_S, Refused, Server  # noqa: E402
from test_operations import fill  # noqa: E402

ICPD, ICP, PAGE = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)


def sha(data):
    return hashlib.sha256(data).digest()


def root(leaves):
    if len(leaves) == 1:
        return sha(b"\0" + leaves[0])
    left = 1
    while 2 * left < len(leaves):
        left *= 2
    return sha(b"\1" + root(leaves[:left]) + root(leaves[left:]))


def commands():
    """The commands of the page's first block, in order."""
    with open(PAGE, encoding="utf-8") as file:
        block = re.search(r"```sh\n(.*?)```", file.read(), re.S).group(1)
    return [line for line in block.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


class Plan(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="icpd-plan-")
        cls.server = Server(ICPD, "--backup-path", cls.folder.name)
        with cls.server.client() as client:
            fill(client, 300)
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
            client.call("tal-build", {"name": "2027-q1", "k": 40})

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        cls.folder.cleanup()

    def icp(self, *arguments, status=0, server=None, told=False):
        path = (server or self.server).socket_path
        env = {**os.environ, "ICP_URI": f"icp+unix:{path}"}
        done = subprocess.run([ICP, *arguments], capture_output=True, text=True, timeout=WAIT_S, check=False,
                              env=env, cwd=self.folder.name)
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done.stderr if told or status != 0 else done.stdout

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def written(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def test_1_the_page_is_true_to_the_letter(self):
        """Every command of the page's story, by a shell, as a reader would type it."""
        env = {**os.environ, "ICP_URI": f"icp+unix:{self.server.socket_path}",
               "PATH": os.path.dirname(ICP) + ":" + os.environ["PATH"]}
        story = "set -eu\n" + "\n".join(commands())
        done = subprocess.run(["bash", "-c", story], capture_output=True, text=True, timeout=WAIT_S, check=False,
                              env=env, cwd=self.folder.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("2027 is sound", done.stdout)
        self.assertIn("is on the list of root", done.stdout)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("ann.key")).st_mode), 0o600)
        told = json.loads(self.icp("plan", "show", "2027", "--json"))
        self.assertEqual((told["state"], told["terms"]["to"]), ("amended", "2028-03-31"))
        self.assertEqual(sorted(told["signed"]), ["marketing", "sales"])

    def test_2_chain_and_tree_are_as_hashlib_has_them(self):
        lines = [json.loads(line) for line in self.icp("plan", "export", "2027").splitlines()]
        head = bytes(32)
        for line in lines[1:-1]:
            text = json.dumps(line["entry"], separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
            head = sha(b"\1" + head + sha(b"\0" + text))
            self.assertEqual(line["hash"], head.hex())
        self.assertEqual(lines[-1], {"end": "plan export", "entries": len(lines) - 2, "head": head.hex()})
        with self.server.client() as client:
            document = json.loads(client.call("tal-get", {"name": "2027-q1", "document": True})["document"])
            icp = client.call("icp-get")["document"]
        created = lines[1]["entry"]["body"]
        self.assertEqual(created["icp"], {"version": 1, "sha256": sha(icp.encode()).hex()})
        # Python prints floats by the shortest digits too; a list has none that RFC 8785 writes otherwise.
        leaves = [json.dumps(json.loads(json.dumps(entry), parse_float=lambda x: int(float(x)) if float(x).is_integer()
                                        else float(x)), separators=(",", ":"), sort_keys=True,
                             ensure_ascii=False).encode() for entry in document["entries"]]
        terms = json.loads(self.icp("plan", "show", "2027", "--json"))["terms"]
        if not any(b"e-" in leaf for leaf in leaves):
            self.assertEqual(terms["list"]["root"], root(leaves).hex())
        self.assertEqual(terms["list"]["count"], 40)

    def test_3_a_signature_is_what_openssl_makes_and_checks(self):
        entry = next(json.loads(line)["entry"] for line in self.icp("plan", "export", "2027").splitlines()
                     if '"act":"sign"' in line)
        body = {key: value for key, value in entry["body"].items() if key != "signature"}
        text = json.dumps({"act": "sign", "body": body, "plan": "2027", "purpose": "icp plan"},
                          separators=(",", ":"), sort_keys=True)
        self.written("said", text)
        with open(self.path("signature"), "wb") as file:
            file.write(bytes.fromhex(entry["body"]["signature"]))
        subprocess.run(["openssl", "pkeyutl", "-verify", "-inkey", "ann.key", "-rawin", "-in", "said", "-sigfile",
                        "signature"], check=True, capture_output=True, cwd=self.folder.name, timeout=WAIT_S)

    def test_4_what_was_altered_dropped_reordered_or_forged_is_named(self):
        text = self.icp("plan", "export", "2027")
        head = json.loads(text.splitlines()[-1])["head"]
        lines = text.splitlines(keepends=True)
        swapped = lines[:3] + [lines[4], lines[3]] + lines[5:]
        for name, changed, said in (
                ("altered", text.replace("held-out AUC", "held-in AUC"), r"entry \d+ was altered"),
                ("dropped", "".join(lines[:4] + lines[5:]), "entry 4 was dropped"),
                ("reordered", "".join(swapped), "entry 4 stands where entry 3 belongs"),
                ("cut", "".join(lines[:-2] + lines[-1:]), rf"entry {len(lines) - 2} was dropped")):
            told = self.icp("plan", "verify", "--file", self.written(name, changed), status=65)
            self.assertRegex(told, said)
        self.icp("plan", "verify", "--file", self.written("whole", text), "--head", head)
        self.assertIn("was forged", self.icp("plan", "verify", "--file", "whole", "--head", "0" * 64, status=65))

    def test_5_what_is_not_allowed_is_refused_and_nothing_is_added(self):
        before = self.icp("plan", "history", "2027", "--csv")
        self.icp("plan", "key", "mallory.key")
        self.assertIn("the signature is not that of \"sales\"", self.icp(
            "plan", "amend", "2027", "to", "--after", "2029-01-01", "--reason", "x", "--function", "sales", "--key",
            "mallory.key", status=77))
        os.chmod(self.path("mallory.key"), 0o644)
        self.assertIn("others may read this key", self.icp(
            "plan", "amend", "2027", "to", "--after", "2029-01-01", "--reason", "x", "--function", "sales", "--key",
            "mallory.key", status=77))
        self.assertIn("the plan is amended; 'commit' is for one that is signed",
                      self.icp("plan", "commit", "2027", status=65))
        self.assertIn("'whom' is no term of a plan", self.icp(
            "plan", "amend", "2027", "whom", "--after", "x", "--reason", "x", "--function", "sales", "--key",
            "ann.key", status=64))
        self.assertIn("there is no plan", self.icp("plan", "show", "2031", status=65))
        self.assertEqual(self.icp("plan", "history", "2027", "--csv"), before)
        # Without owners a plan is not committed, and what has none is named.
        self.icp("plan", "create", "bare", "--from", "2027-01-01", "--to", "2027-12-31", "--layers", "data, routing",
                 "--stages", "renewal")
        self.icp("plan", "signatory", "bare", "sales", "--person", "Ann", "--public-key",
                 self.icp("plan", "key", "ann.key").strip())
        self.icp("plan", "owner", "bare", "layer", "data", "--owner", "Jo", "--budget", "1", "--metric", "fill")
        self.icp("plan", "validate", "bare", "--evidence", "none")
        self.icp("plan", "tal", "bare", "2027-q1")
        self.icp("plan", "sign", "bare", "--function", "sales", "--key", "ann.key")
        self.assertIn("layer routing, stage renewal", self.icp("plan", "commit", "bare", status=65))

    def test_6_what_was_answered_is_there_after_a_kill_and_is_applied_once(self):
        for number in range(3):
            with self.server.client() as client:
                name = f"killed {number}"
                request = {"name": name, "act": "create", "operation": name,
                           "body": json.dumps({"from": "2027-01-01", "to": "2027-02-01", "layers": ["a"], "stages": ["b"]})}
                first = client.call("plan-add", request)
                self.server.stop(signal.SIGKILL)
            self.server.start()
            with self.server.client() as client:
                again = client.call("plan-add", request)
                self.assertEqual(again, {**first, "repeated": True})
                self.assertEqual(client.call("plan-get", {"name": name})["count"], 1)
                with self.assertRaises(Refused) as caught:
                    client.call("plan-add", {key: request[key] for key in ("name", "act", "body")})
                self.assertEqual(caught.exception.code, "conflict")

    def test_7_everything_and_a_backup_have_the_plans_to_the_byte(self):
        before = self.icp("plan", "export", "2027")
        self.icp("export", "--everything", "all.ndjson")
        with Served(ICPD) as other:
            self.icp("import", "--everything", "all.ndjson", server=other)
            self.assertEqual(self.icp("plan", "export", "2027", server=other), before)
            self.assertEqual(self.icp("plan", "list", "--csv", server=other), self.icp("plan", "list", "--csv"))
            # It goes on where it was.
            self.icp("plan", "verdict", "2027", "insufficient", "--because", "too few", server=other)
            with other.client() as client:
                client.call("plan-add", {"name": "2027", "act": "verdict", "body": json.dumps(
                    {"verdict": "refuted", "because": "they do not win more often",
                     "figures": {"draft": ["Learn the profile anew.", "Look at industry = Banks: it promised too much."]}})})
            self.icp("plan", "next", "2027", "2028", "--draft", server=other)
            self.icp("plan", "verify", "2027", server=other)
            self.icp("plan", "verify", "2028", server=other)
            draft = json.loads(self.icp("plan", "show", "2028", "--json", server=other))
            terms, old = draft["terms"], json.loads(self.icp("plan", "show", "2027", "--json", server=other))["terms"]
            self.assertEqual((terms["from"], terms["to"]), ("2028-04-01", "2029-06-30"))  # fifteen months, as before
            self.assertEqual([terms[k] for k in ("layers", "stages", "signatories")],
                             [old[k] for k in ("layers", "stages", "signatories")])
            self.assertEqual(terms["note"], "Draft after 2027, whose list was refuted. Learn the profile anew. "
                                            "Look at industry = Banks: it promised too much.")
            self.assertEqual(draft["state"], "fit")
            shown = self.icp("plan", "show", "2027", server=other)
            self.assertIn("verdict: refuted", shown)
            self.assertIn("next: 2028", shown)
            other.stop()  # folds, so that the tables hold them
            other.start()
            self.icp("plan", "verify", "2027", server=other)
            self.damage(other, b"held-out AUC")
            other.stop(signal.SIGKILL)
            other.start()
            self.assertRegex(self.icp("plan", "verify", "2027", server=other, status=65), r"entry \d+ was dropped")
            self.assertIn("cannot be read", self.icp("plan", "commit", "bare", server=other, status=70))
            listed = self.icp("plan", "list", server=other, told=True)
            self.assertIn("the history of 2027 is wrong", listed)
            self.assertRegex(listed, r"1 entry of plans|\d+ entries of plans")

    def damage(self, server, text):
        """Every copy of the text in the tables, below the running server."""
        with open(os.path.join(server.data, "data.mdb"), "r+b") as file:
            whole = file.read(32 << 20)
            found = [at.start() for at in re.finditer(re.escape(text), whole)]
            self.assertTrue(found)
            for at in found:
                file.seek(at)
                file.write(b"X")


class Served(Server):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


if __name__ == "__main__":
    unittest.main()

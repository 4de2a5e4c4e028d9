# SPDX-License-Identifier: Apache-2.0
"""Everything out of a running server and into an empty one: nothing is lost on the way, one moment is
what is seen, and no damage passes. Files are read and written here from docs/portable.md alone, with
Python's own library, so that this checks the page.

usage: test_everything.py ICPD ICP OPERATING.md PORTABLE.md"""
import hashlib
import json
import os
import random
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

ICPD, ICP, OPERATING, PORTABLE = sys.argv[1:5]
FIELDS = [{"name": "industry", "type": "category", "family": "firmographic"},
          {"name": "Mitarbeiter ☃", "type": "number", "family": "firmographic"},
          {"name": "technologies", "type": "tags", "family": "technographic"},
          {"name": "is customer", "type": "flag", "family": "lifecycle"},
          {"name": "embedding", "type": "vector", "family": "behavioural", "dims": 5},
          {"name": "renewed", "type": "date", "family": "lifecycle"},
          {"name": "#odd", "type": "category", "family": "behavioural"}]
EMPTY = ["schemas", "icps", "accounts", "lists", "switches"]


def lines_of(path):
    with open(path, "rb") as file:
        return file.read().split(b"\n")[:-1]


def seal(lines):
    """The file of these lines (objects, from {"icpd": …} on), with its last line."""
    body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
    names = {"schemas": "schema", "icps": "icp", "accounts": "account", "lists": "list",
             "switches": "switch", "challenges": "challenge", "plan_entries": "plan", "metrics": "metric",
             "segments": "segment"}
    end = {"end": "export"}
    for plural, name in names.items():
        end[plural] = sum(next(iter(line)) == name for line in lines)
    end["damaged"] = 0
    end["sha256"] = hashlib.sha256(body).hexdigest()
    return body + json.dumps(end).encode() + b"\n"


class Everything(unittest.TestCase):
    def setUp(self):
        self.servers = []
        self.server = self.serve()
        self.folder = self.server.directory

    def tearDown(self):
        for server in self.servers:
            server.stop()
            server.close()

    def serve(self, *flags):
        server = icpd.Server(ICPD, *flags)
        self.servers.append(server)
        return server

    def icp(self, server, *words, code=0, **more):
        environment = dict(os.environ, ICP_URI=f"icp://127.0.0.1:{server.port}")
        done = subprocess.run([ICP, *words], capture_output=True, timeout=600, env=environment, **more)
        if code is not None:
            self.assertEqual(done.returncode, code, (words, done.stderr.decode()))
        return done

    def path(self, name):
        return os.path.join(self.folder, name)

    def export(self, server, name):
        self.icp(server, "export", "--everything", self.path(name))
        with open(self.path(name), "rb") as file:
            return file.read()

    def fill(self, server, accounts=600, seed=5):
        """All types, awkward numbers and texts, two schemas, a field that is gone, versions that were
        switched to and fro, lists, accounts that were changed and deleted."""
        draw = random.Random(seed)
        with server.client() as client:
            client.call("schema-put", {"document": json.dumps(
                {"fields": FIELDS + [{"name": "gone", "type": "number", "family": "lifecycle"}]})})
            client.call("account-put", {"accounts": [{"id": "old", "values": {"gone": 7.5}}]})
            client.call("schema-put", {"document": json.dumps({"fields": FIELDS})})
            numbers = [-0.0, 0, 1e-300, 1.7976931348623157e308, 0.1, 1 / 3, -12345678901234567, 5e-324]
            batch = []
            for i in range(accounts):
                won = draw.random() < (0.8 if i % 3 else 0.2)
                values = {"industry": ["Bäckerei", "Stahl \"GmbH\"", "a\\b\t\u2028", "漢字"][
                              i % 3 + (draw.random() < (0.7 if won else 0.3))],
                          "Mitarbeiter ☃": numbers[i % 8] if i % 5 == 0 else draw.gauss(50, 20) + 25 * won,
                          "is customer": won, "technologies": ["x", "é", str(i % 7)],
                          "renewed": f"19{10 + i % 90}-01-31T10:00:00Z",
                          "embedding": [draw.uniform(-1, 1) for _ in range(5)]}
                if i % 11 == 0:
                    values = {"#odd": "x" * 1000}
                batch.append({"id": f"ácc-{i}", "keys": [f"crm:{i}", f"domain:d{i}.example"][:i % 3],
                              "values": values})
            for at in range(0, accounts, 100):
                client.call("account-put", {"accounts": batch[at:at + 100], "source": f"src {at // 200}"})
            client.call("account-patch", {"accounts": [
                {"id": f"ácc-{i}", "values": {"industry": "später"}} for i in range(1, 40)],
                "source": "patch"})
            client.call("account-delete", {"ids": [f"ácc-{i}" for i in range(40, 60)]})
            self.learn(client)
            client.call("tal-build", {"name": "erste Liste", "k": 30})
            client.call("tal-build", {"name": "zweite", "k": 5, "note": "ü"})
            for note in ("", "größer"):
                client.call("metric-put", {"definition": self.definition(client, note)})
            client.call("challenge", {"condition": "industry = 'später'", "note": "wir zweifeln"})
            for name, filter in (("später ☃", "industry = 'später'"), ("Stahl", "industry contains 'stahl'"),
                                 ("später ☃", "industry = 'später' or segment = 'Stahl'")):
                client.call("segment-put", {"name": name, "filter": filter, "note": "groß"})
            client.call("segment-put", {"name": "Stahl", "drop": True})
            client.call("plan-add", {"name": "2027 ☃", "act": "create", "body": json.dumps(
                {"from": "2027-01-01", "to": "2027-12-31", "layers": ["profil"], "stages": ["neu"],
                 "icp": 1})})

    def definition(self, client, note):
        rules = {rule["name"]: rule["choices"][bool(note)]["name"]
                 for rule in client.call("measure-list")["rules"]}
        return json.dumps({"metric": "mrr", "name": "board", "currency": "", "rates": {}, "rules": rules,
                           **({"note": note} if note else {})})

    def learn(self, client):
        for reason in ("eins", "zwei"):
            version = client.call("icp-learn", {"label": "\"is customer\" = true"})["icp"]
            client.call("icp-activate", {"icp": version, "reason": reason})
        client.call("icp-revert", {"reason": "zurück\n☃"})

    def unnumbered(self, given):
        """Without sequences, which are of the server's own log."""
        if isinstance(given, dict):
            return {key: self.unnumbered(value) for key, value in given.items() if key != "seq"}
        return [self.unnumbered(value) for value in given] if isinstance(given, list) else given

    def contents(self, server):
        """What clients see."""
        with server.client() as client:
            ids = [json.loads(line)["account"] for line in lines_of(self.path("all.ndjson"))
                   if line.startswith(b'{"account"')]
            accounts = [client.call("account-get", {"id": one}) for one in ids]
            scores = [client.call("score", {"id": one, "reasons": 3}) for one in ids[:100]]
            versions = client.call("icp-list", {})
            lists = client.call("tal-list", {})
            return self.unnumbered([accounts, scores, versions, lists,
                                    client.call("schema-get", {"schema": 1})])

    def test_out_in_and_out_again_is_the_same(self):
        self.fill(self.server)
        first = self.export(self.server, "all.ndjson")
        end = json.loads(lines_of(self.path("all.ndjson"))[-1])
        counts = {name: end[name] for name in end if name not in ("end", "sha256")}
        self.assertEqual((end["challenges"], end["plan_entries"], end["metrics"], end["segments"]),
                         (1, 1, 2, 4))
        with self.server.client() as client:  # the reply has a count of each kind, and no more
            reply = client.call("everything-export")
        self.assertEqual({name: reply[name] for name in reply if name not in ("job", "seq", "bytes")}, counts)
        other = self.serve()
        self.icp(other, "import", "--everything", self.path("all.ndjson"))
        self.assertEqual(self.export(other, "again.ndjson"), first)
        self.assertEqual(self.contents(other), self.contents(self.server))
        # It is on disk, and goes on.
        other.stop()
        other.start()
        self.assertEqual(self.export(other, "again.ndjson"), first)
        with other.client() as client:
            client.call("account-put", {"accounts": [{"id": "new", "values": {"industry": "x"}}]})
            self.assertEqual(client.call("icp-revert", {})["icp"], 2)
        self.icp(other, "import", "--everything", "-", "--dry-run", input=first)

    def test_how_look_alikes_are_built_goes_along(self):
        """What was asked for is in the file, and an import builds with it. Of a field that is gone
        nothing is said; what similar-build would refuse is refused when all the rest is stored."""
        self.fill(self.server, 400)
        wishes = {"metric": "l2", "vector_share": 0.7, "dims": 64, "icp_weights": True,
                  "weights": {"industry": 2.5, "Mitarbeiter ☃": 0, "#odd": 1000}}
        with self.server.client() as client:
            client.call("similar-build", wishes)
        first = self.export(self.server, "all.ndjson")
        said = json.loads(first.split(b"\n")[-3])
        self.assertEqual(said, {"similar": "wishes", **wishes})
        other = self.serve()
        done = self.icp(other, "import", "--everything", self.path("all.ndjson"))
        self.assertIn(b"as before", done.stderr)
        with other.client() as client:
            plan = client.call("similar-plan")
            self.assertEqual((json.loads(plan["wishes"]), plan["metric"]), (wishes, "l2"))
        self.assertEqual(self.export(other, "again.ndjson"), first)
        for wrong, says in (("vector_share", b"of another type"), ("metric", b"cosine, dot or l2")):
            lines = [json.loads(line) for line in first.split(b"\n")[:-2]]
            lines[-1][wrong] = "cosines"
            with open(self.path("wrong.ndjson"), "wb") as file:
                file.write(seal(lines))
            done = self.icp(self.serve(), "import", "--everything", self.path("wrong.ndjson"), code=None)
            self.assertEqual(done.returncode, 65)
            self.assertIn(says, b" ".join(done.stderr.split()))

    def test_nothing_goes_through_too(self):
        first = self.export(self.server, "all.ndjson")
        end = json.loads(first.split(b"\n")[-2])
        self.assertEqual([end[name] for name in EMPTY], [0] * 5)
        other = self.serve()
        self.icp(other, "import", "--everything", "-", input=first)
        self.assertEqual(self.export(other, "again.ndjson"), first)

    def test_it_is_one_moment(self):
        stop = threading.Event()
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps({"fields": FIELDS[1:2]})})

            def put(number):
                client.call("account-put", {"accounts": [
                    {"id": f"a{i}", "values": {"Mitarbeiter ☃": number}} for i in range(1000)]})

            def write():
                number = 1
                while not stop.is_set():
                    number += 1
                    put(number)

            put(1)
            writer = threading.Thread(target=write)
            writer.start()
            try:
                for _ in range(5):
                    accounts = [json.loads(line) for line in
                                self.export(self.server, "all.ndjson").split(b"\n")[2:-2]]
                    self.assertEqual(len(accounts), 1000)
                    seen = {one["values"]["Mitarbeiter ☃"]["value"] for one in accounts}
                    self.assertEqual(len(seen), 1)
            finally:
                stop.set()
                writer.join()

    def test_a_store_that_is_not_empty_is_left_alone(self):
        self.fill(self.server, 400)
        first = self.export(self.server, "all.ndjson")
        other = self.serve()
        with other.client() as client:
            client.call("schema-put", {"document": json.dumps({"fields": FIELDS[:1]})})
        before = self.export(other, "other.ndjson")
        done = self.icp(other, "import", "--everything", self.path("all.ndjson"), code=65)
        self.assertIn(b"not empty: it holds 1 schema;", done.stderr)
        done = self.icp(other, "import", "--everything", self.path("all.ndjson"), "--again", code=65)
        self.assertIn(b"line 2, column 2: schema 1 is stored already, and is another", done.stderr)
        self.assertEqual(self.export(other, "other.ndjson"), before)
        # The same store: nothing is new; one with more in it: said at the end.
        self.icp(self.server, "import", "--everything", self.path("all.ndjson"), "--again")
        self.assertEqual(self.export(self.server, "all.ndjson"), first)
        with self.server.client() as client:
            client.call("account-put", {"accounts": [{"id": "more", "values": {"industry": "x"}}]})
        done = self.icp(self.server, "import", "--everything", self.path("all.ndjson"), "--again",
                        code=65)
        self.assertIn(b"and the store holds", done.stderr)

    def test_one_that_was_cut_off_is_begun_again(self):
        self.fill(self.server, 2000)
        first = self.export(self.server, "all.ndjson")
        lines = first.split(b"\n")[:-1]
        other = self.serve()
        with other.client() as client:  # as icp sends them, but not to the end
            for number, line in enumerate(lines[:len(lines) // 2], 1):
                request = {"lines": line.decode() + "\n", "line": number, "operation": f"line {number}"}
                reply = client.call("everything-import", request)
                self.assertNotIn("repeated", reply)
                if "seq" in reply:  # what stored something is applied once, however often it is sent
                    again = client.call("everything-import", request)
                    self.assertIs(again.pop("repeated"), True)
                    self.assertEqual(again, reply)
        other.stop(signal.SIGKILL)
        other.start()
        done = self.icp(other, "import", "--everything", self.path("all.ndjson"), code=65)
        self.assertIn(b"not empty", done.stderr)
        self.icp(other, "import", "--everything", self.path("all.ndjson"), "--again")
        self.assertEqual(self.export(other, "again.ndjson"), first)

    def test_a_damaged_file_imports_nothing(self):
        self.fill(self.server, 400)
        first = self.export(self.server, "all.ndjson")
        other = self.serve()
        draw = random.Random(3)
        for turn in range(24):
            at = draw.randrange(len(first))
            if turn % 2 == 0:
                bad = first[:at]
            else:
                bad = first[:at] + bytes([first[at] ^ 1 << draw.randrange(8)]) + first[at + 1:]
            done = self.icp(other, "import", "--everything", "-", input=bad, code=65)
            self.assertRegex(done.stderr, rb"line \d+, column \d+|[a-z]")
        self.icp(other, "import", "--everything", "-", input=first + first, code=65)
        for bad, message in [(b"", b"missing"), (b"\x28\xb5\x2f\xfd....", b"zstd -dc"),
                             (b"id,name\n1,2\n", b"line 1, column")]:
            done = self.icp(other, "import", "--everything", "-", input=bad, code=65)
            self.assertIn(message, done.stderr)
        self.assertEqual(json.loads(self.export(other, "other.ndjson").split(b"\n")[-2])["accounts"], 0)

    def test_one_written_by_hand_is_imported(self):
        with open(PORTABLE, encoding="utf-8") as file:
            page = file.read()
        example = re.search(r"```python\n(.*?)```", page, re.S).group(1)
        space = {}
        where = os.getcwd()
        os.chdir(self.folder)
        try:
            exec(compile(example, "portable.md", "exec"), space)  # writes by-hand.ndjson
        finally:
            os.chdir(where)
        self.icp(self.server, "import", "--everything", self.path("by-hand.ndjson"))
        with self.server.client() as client:
            account = client.call("account-get", {"id": "a1"})
            self.assertEqual(account["values"]["industry"]["value"], "Bäckerei")
            self.assertEqual(account["keys"], ["crm:0015", "domain:acme.example"])
        # And what comes out is read with the same few lines of the page.
        first = self.export(self.server, "all.ndjson")
        self.assertEqual(first, self.export(self.server, "all.ndjson"))
        kinds = [next(iter(json.loads(line))) for line in first.split(b"\n")[:-1]]
        self.assertEqual(kinds, ["icpd", "schema", "account", "account", "end"])

    def test_what_is_wrong_is_said_by_line_and_column(self):
        head = {"icpd": "export", "format": 1}
        schema = {"schema": 1, "time_ms": 1, "text": json.dumps({"fields": FIELDS})}
        good = {"account": "a", "created_s": 1, "changed_s": 2, "keys": [], "values": {}}

        def account(**more):
            return dict(good, **more)

        def value(name, given, **more):
            return account(values={name: dict({"value": given, "time_ms": 1}, **more)})

        cases = [
            ([dict(head, format=2)], 1, '"format"', "is what this build reads"),
            ([head, dict(schema, schema=2)], 2, '"schema"', "follows on 1"),
            ([head, dict(schema, text="{}")], 2, '"text"', "fields"),
            ([head, dict(schema, more=1)], 2, '"more"', "no member of that name"),
            ([head, {"icp": 1, "time_ms": 1, "text": "{}"}], 2, '"icp"', "a schema must come"),
            ([head, schema, {"icp": 1, "time_ms": 1, "text": "{}"}], 3, '"text"', ""),
            ([head, schema, account(account="")], 3, '"account"', ""),
            ([head, schema, account(created_s=1.5)], 3, '"created_s"', "a fraction"),
            ([head, schema, account(changed_s=-1)], 3, '"changed_s"', "from 0"),
            ([head, schema, account(keys=["no-namespace"])], 3, '"keys"', ""),
            ([head, schema, value("industri", "x")], 3, '"industri"', 'did you mean "industry"'),
            ([head, schema, value("industry", 5)], 3, '"value"', "must be a text"),
            ([head, schema, value("Mitarbeiter ☃", "5")], 3, '"value"', "must be a number"),
            ([head, schema, value("is customer", 1)], 3, '"value"', "true or false"),
            ([head, schema, value("embedding", [1, 2])], 3, '"value"', "5 numbers, and has 2"),
            ([head, schema, value("technologies", "x")], 3, '"value"', "must be"),
            ([head, schema, value("technologies", ["x"] * 300)], 3, '"value"', "at most"),
            ([head, schema, value("industry", "x", when=1)], 3, '"industry"', "no member"),
            ([head, schema, good, good], 4, '"account"', "already"),
            ([head, schema, {"switch": 1, "icp": 1, "time_ms": 1, "reason": ""}], 3, '"icp"', ""),
            ([head, schema, {"list": 1, "time_ms": 1, "text": "{}", "ids": []}], 3, '"text"', ""),
            ([head, schema, {"damaged": "account", "number": 3, "why": "x"}], 3, '"damaged"',
             "could not be read"),
            ([head, schema, {"what": 1}], 3, '"what"', "a line begins with"),
        ]
        for lines, line, at, message in cases:
            server = self.serve()
            text = json.dumps(lines[line - 1], ensure_ascii=False)
            done = self.icp(server, "import", "--everything", "-", input=seal(lines), code=None)
            self.assertEqual(done.returncode, 65, (lines, done.stderr))
            said = " ".join(done.stderr.decode().split())
            self.assertIn(f"line {line}", said, lines[-1])
            self.assertIn(message, said)
            column = re.search(r"column (\d+)", said)
            if column:
                self.assertEqual(int(column.group(1)), text.index(at) + 1, (said, text))
            server.stop()

    def test_what_the_store_cannot_read_is_told(self):
        self.fill(self.server, 400)
        with self.server.client() as client:
            client.call("account-put", {"accounts": [
                {"id": "marked-account", "values": {"industry": "marked-industry"}}]})
        self.server.stop()
        tables = os.path.join(self.server.data, "data.mdb")
        with open(tables, "r+b") as file:
            for found in re.finditer(b"marked-industry", file.read()):
                file.seek(found.start())
                file.write(b"M")
        self.server.start()
        done = self.icp(self.server, "export", "--everything", self.path("all.ndjson"), code=65)
        self.assertIn(b"could not read", done.stderr)
        lines = [json.loads(line) for line in lines_of(self.path("all.ndjson"))]
        damaged = [line for line in lines if "damaged" in line and "end" not in line]
        self.assertEqual([one["damaged"] for one in damaged], ["account"])
        self.assertEqual(lines[-1]["damaged"], 1)
        self.assertEqual(lines[-1]["accounts"], 381)
        other = self.serve()
        done = self.icp(other, "import", "--everything", self.path("all.ndjson"), code=65)
        self.assertIn(b"could not be read when it was exported", done.stderr)

    def test_what_a_repair_gave_up_goes_through(self):
        self.fill(self.server, 400)
        self.server.stop()
        tables = os.path.join(self.server.data, "data.mdb")
        given_up = {rb'"gone"[^}]*lifecycle': "schema version 1", b"zweifeln": "challenge 1", b"profil": "plan entry 1",
                    b'"holdout"': "ICP version 2", "größer".encode(): "definition of a metric 2"}
        with open(tables, "r+b") as file:
            whole = file.read()
            for marker in given_up:
                for found in re.finditer(marker, whole):
                    file.seek(found.start() + 1)
                    file.write(bytes([whole[found.start() + 1] ^ 1]))
        icpd_repair = [ICPD, "--data", self.server.data, "--repair", "--yes"]
        done = subprocess.run(icpd_repair, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for said in given_up.values():
            self.assertIn(said, done.stdout + done.stderr)
        self.server.start()
        first = self.export(self.server, "all.ndjson")
        lines = [json.loads(line) for line in lines_of(self.path("all.ndjson"))]
        empty = {name for line in lines for name in line if line.get("text") == "" and line[name] is not None}
        self.assertTrue({"schema", "icp", "metric", "challenge", "plan"} <= empty, empty)
        other = self.serve()
        self.icp(other, "import", "--everything", self.path("all.ndjson"))
        self.assertEqual(self.export(other, "again.ndjson"), first)
        other.stop()
        other.start()
        self.assertEqual(self.export(other, "again.ndjson"), first)
        with other.client() as client:  # numbers go on behind those that are taken
            self.assertEqual(client.call("schema-put", {"document": json.dumps({"fields": FIELDS})})["schema"], 3)

    def test_a_full_disk_leaves_no_half_file(self):
        self.fill(self.server, 600)

        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))

        self.icp(self.server, "export", "--everything", self.path("all.ndjson"), code=None,
                 preexec_fn=limited)
        self.assertEqual([name for name in os.listdir(self.folder) if "ndjson" in name], [])
        # The server's own: the limit comes when its log has its segment.
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
        done = self.icp(self.server, "export", "--everything", self.path("all.ndjson"), code=None)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"file of the export", b" ".join(done.stderr.split()))
        self.assertFalse(os.path.exists(self.path("all.ndjson")))
        self.assertEqual([n for n in os.listdir(self.server.data) if n.startswith("export")], [])

    def test_exports_are_let_go_of(self):
        self.fill(self.server, 400)
        with self.server.client() as client:
            jobs = [client.call("everything-export", {})["job"] for _ in range(5)]
            with self.assertRaises(icpd.Refused) as refused:
                client.call("everything-read", {"job": jobs[0]})
            self.assertEqual(refused.exception.code, "not-found")
            piece = client.call("everything-read", {"job": jobs[1]})
            self.assertEqual(client.call("everything-read",
                                         {"job": jobs[1], "at": piece["next"]})["text"], "")
            with self.assertRaises(icpd.Refused):
                client.call("everything-read", {"job": jobs[1]})

    def test_each_step_of_the_guide(self):
        with open(OPERATING, encoding="utf-8") as file:
            text = file.read()
        part = re.search(r"^## Export and import\n(.*?)(?=^## )", text, re.M | re.S).group(1)
        blocks = re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)
        steps = [line for block in blocks for line in block.splitlines()]
        self.fill(self.server, 400)
        other = self.serve()
        first = None
        for step in steps:
            server = other if " import " in step else self.server
            line = (step.replace("/var/backups/icpd", self.folder)
                    .replace("icp ", shlex.quote(ICP) + " "))
            if "zstd" in line and shutil.which("zstd") is None:
                continue
            if " import " in step and first is not None and "--again" not in step:
                other = server = self.serve()
            done = subprocess.run(["bash", "-o", "pipefail", "-c", line], capture_output=True, timeout=600,
                                  env=dict(os.environ, ICP_URI=f"icp://127.0.0.1:{server.port}"))
            self.assertEqual(done.returncode, 0, (line, done.stderr))
            if " import " in step and "--dry-run" not in step:
                first = self.export(self.server, "one.ndjson")
                self.assertEqual(self.export(other, "two.ndjson"), first)
        self.assertIsNotNone(first)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])

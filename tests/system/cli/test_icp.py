#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp, the command line: test_icp.py ICP ICPD ROOT. Runs every command against an icpd of its own in
a temporary directory. What needs the real files says so and skips where they are absent."""
import csv
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import explained  # noqa: E402
import icpd  # noqa: E402

ICP, ICPD, ROOT = sys.argv[1:4]
REAL = os.environ.get("ICP_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
USAGE, DATA, NOINPUT, UNAVAILABLE, CANTCREAT, NOPERM = 64, 65, 66, 69, 73, 77


def run(*arguments, uri=None, status=0, stdin=None, env=None):
    """Runs icp; fails unless it ends with `status`. Returns standard output and error."""
    full = {**os.environ, "ICP_URI": uri or "icp://127.0.0.1:1", **(env or {})}
    done = subprocess.run([ICP, *arguments], capture_output=True, input=stdin, env=full, timeout=300)
    out, err = done.stdout.decode(), done.stderr.decode()
    if done.returncode != status:
        raise AssertionError(f"icp {' '.join(arguments)}: {done.returncode}, not {status}\n{out}{err}")
    return out, err


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="icp-test-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


class Offline(Folder):
    def test_help_names_every_command_and_each_has_examples(self):
        out, _ = run("help")
        commands = [line[2:18].strip() for line in out.splitlines() if line.startswith("  ")]
        self.assertGreater(len(commands), 20)
        # Under headings, the first of them above the first command.
        self.assertLess(out.index("\nAccounts in and out\n"), out.index("  " + commands[0]))
        self.assertGreater(out.index("\nScore, and say why\n  score "), 0)
        for command in commands:
            text, _ = run(*command.split(), "--help")
            self.assertIn("Examples:\nicp " + command, text)
            same, _ = run("help", *command.split())
            self.assertEqual(text, same)

    def test_reference_page_has_not_drifted(self):
        out, _ = run("help", "--markdown")
        with open(os.path.join(ROOT, "docs", "cli.md"), encoding="utf-8") as file:
            self.assertEqual(file.read(), out, "run: icp help --markdown > docs/cli.md")

    def manual_pages(self):
        """Every page that is installed: those of icp, and icpd(8)."""
        run("help", "--man", "--out", self.path("man1"))
        pages = [self.path(os.path.join("man1", name)) for name in sorted(os.listdir(self.path("man1")))]
        done = subprocess.run([ICPD, "--man"], capture_output=True, check=True)
        return [*pages, self.write("icpd.8", done.stdout)]

    def test_each_command_has_a_manual_page_and_the_server_too(self):
        out, _ = run("help")
        commands = [line[2:18].strip() for line in out.splitlines() if line.startswith("  ")]
        pages = self.manual_pages()
        self.assertEqual({os.path.basename(page) for page in pages},
                         {"icp.1", "icpd.8", *(f"icp-{command.replace(' ', '-')}.1" for command in commands)})
        overview, _ = run("help", "--man")
        for command in commands:
            page, _ = run("help", "--man", *command.split())
            self.assertIn(f".B icp {command}\n", page)
            self.assertIn(("icp " + command).replace("-", " ").replace(" ", "\\-") + "(1)", overview)
        _, err = run("help", "--man", "improt", status=USAGE)
        self.assertIn("import", err)
        _, err = run("help", "--out", self.path("x"), status=USAGE)
        self.assertIn("--man", err)
        run("help", "--man", "--out", self.path("none/below"), status=CANTCREAT)

    def test_manual_pages_are_without_a_fault(self):
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        lint = ["mandoc", "-T", "lint", "-W", "warning"]
        # The control: a page with a slip.
        control = subprocess.run(lint, input=b".TH A 1\n.SH NAME\na \\- b\n.TP\n.SH X\n", capture_output=True, check=False)
        self.assertNotEqual(control.stdout, b"")
        done = subprocess.run([*lint, *self.manual_pages()], capture_output=True, text=True, check=False)
        # An empty date is meant: a page is the same whenever it is made.
        told = [line for line in done.stdout.splitlines() if "missing date" not in line]
        self.assertEqual(told, [])
        shown = subprocess.run(["mandoc", "-T", "utf8"], input=run("help", "--man", "learn")[0].encode(),
                               capture_output=True, check=True).stdout.decode()
        shown = shown.replace("\b", "")
        self.assertIn("--label 'Converted = 1'", shown)

    def test_completion_is_bash_and_completes(self):
        out, _ = run("help", "--bash")
        script = out + ('COMP_WORDS=(icp schema in); COMP_CWORD=2; _icp; echo "${COMPREPLY[@]}";'
                        'COMP_WORDS=(icp tal bu); COMP_CWORD=2; _icp; echo "${COMPREPLY[@]}";'
                        'COMP_WORDS=(icp tal build --quo); COMP_CWORD=3; _icp; echo "${COMPREPLY[@]}";'
                        'COMP_WORDS=(icp capture st); COMP_CWORD=2; _icp; echo "${COMPREPLY[@]}";'
                        'COMP_WORDS=(icp lear); COMP_CWORD=1; _icp; echo "${COMPREPLY[@]}";'
                        'COMP_WORDS=(icp learn --exc); COMP_CWORD=2; _icp; echo "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
        self.assertEqual(done.stdout.decode().split(), ["infer", "build", "--quota", "start", "stop", "state", "learn", "--exclude"])

    def test_no_server_is_told_with_what_to_do(self):
        _, err = run("ping", status=UNAVAILABLE)
        self.assertIn("--uri", err)
        _, err = run("--uri", "http://x", "ping", status=USAGE)
        self.assertIn("icps://", err)
        run("import", self.path("nothing.csv"), status=NOINPUT)
        run("split", self.write("a.csv", "a\n1\n"), "--out", "/nonexistent/x", "--rest",
            self.path("r"), status=CANTCREAT)

    def test_split_keeps_bytes_and_loses_no_row(self):
        rows = [f'{i},"a ""quoted"" {i}\nsecond line",é\r\n'.encode() for i in range(1000)]
        source = self.write("in.csv", b"\xef\xbb\xbfid,text,x\r\n" + b"".join(rows))
        args = ["split", source, "--fraction", "0.7", "--seed", "5"]
        run(*args, "--out", self.path("a"), "--rest", self.path("b"))
        a, b = self.read("a"), self.read("b")
        header = b"\xef\xbb\xbfid,text,x\r\n"
        self.assertTrue(a.startswith(header) and b.startswith(header))
        got = [row for part in (a, b) for row in rows if row in part]
        self.assertEqual(sorted(got), sorted(rows))
        self.assertEqual(len(a) + len(b), 2 * len(header) + sum(map(len, rows)))
        self.assertEqual(sum(row in a for row in rows), 700)
        run(*args, "--out", self.path("a2"), "--rest", self.path("b2"))
        self.assertEqual((a, b), (self.read("a2"), self.read("b2")))
        run("split", source, "--seed", "6", "--out", self.path("a3"), "--rest", self.path("b3"))
        self.assertNotEqual(a, self.read("a3"))

    def test_auc_agrees_with_counting_pairs(self):
        rows = [(i * 37 % 101, "Won" if (i * 7919) % 100 < 40 else "Lost") for i in range(300)]
        source = self.write("s.csv", "score,stage\n" + "".join(f"{s},{l}\n" for s, l in rows))
        out, _ = run("auc", source, "--label", "stage = 'Won'", "--score", "score", "--json")
        won = [s for s, l in rows if l == "Won"]
        lost = [s for s, l in rows if l == "Lost"]
        pairs = sum((w > l) + 0.5 * (w == l) for w in won for l in lost) / (len(won) * len(lost))
        found = json.loads(out)
        self.assertAlmostEqual(found["auc"], pairs, places=12)
        self.assertLess(found["low"], pairs)
        self.assertEqual(found["positives"], len(won))
        _, err = run("auc", source, "--label", "stge = 'Won'", "--score", "score", status=DATA)
        self.assertIn("column 1", err)
        self.assertIn("stage", err)
        self.assertIn("\n  ^\n", err)
        run("auc", source, "--label", "stage = 'Never'", "--score", "score", status=DATA)
        run("auc", source, "--label", "stage = 'Won'", "--score", "scor", status=USAGE)

    def test_sample_is_the_same_for_the_same_seed(self):
        for name in ("one", "two"):
            run("sample", "--out", self.path(name), "--accounts", "500", "--seed", "9")
        for name in ("accounts.csv", "leads.csv", "schema.json", "planted.json"):
            self.assertEqual(self.read("one/" + name), self.read("two/" + name))
        planted = json.loads(self.read("one/planted.json"))
        self.assertIn("synthetic", planted["note"])
        self.assertGreater(planted["auc_of_truth"], 0.7)
        with open(self.path("one/accounts.csv"), newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 500)
        self.assertTrue({"Won", "Lost", "Open"} == {row["stage"] for row in rows})

    def test_infer_takes_types_from_the_data(self):
        lines = ["id,size,wants,industry,remark,closed"]
        for i in range(200):
            lines.append(f"a{i},{'Select' if i % 9 == 0 else i * 3},{'Yes' if i % 2 else 'No'},"
                         f"{'Software' if i % 3 else 'Retail'},remark {i} of many,2024-01-{i % 28 + 1:02}")
        out, err = run("schema", "infer", self.write("c.csv", "\n".join(lines) + "\n"))
        schema = json.loads(out)
        types = {field["name"]: field["type"] for field in schema["fields"]}
        self.assertEqual(types, {"size": "number", "wants": "flag", "industry": "category", "closed": "date"})
        self.assertEqual(schema["id"], "id")
        self.assertIn("Select", schema["missing"])
        self.assertIn("free text", err)
        _, err = run("schema", "infer", self.path("c.csv"), "--id", "siz", status=USAGE)
        self.assertIn("did you mean 'size'", err)

    def test_files_that_hold_nothing_of_use_say_what_is_wrong(self):
        _, err = run("schema", "infer", self.write("ragged.csv", "id,a,b\n1,2,3\n2\n4,5,6\n"))
        self.assertIn("ragged.csv, line 3: the row has 1 cells", err)
        self.assertNotIn("column 0", err)
        _, err = run("schema", "infer", self.write("same.csv", "id,a\n1,2\n2,2\n"), status=DATA)
        self.assertIn("no column of", err)
        for command in (("put",), ("schema", "put")):
            _, err = run(*command, self.write("empty", ""), status=DATA)
            self.assertIn("is empty", err)
        # A file that is not there, or no schema, is told before anybody asks for a server.
        run("schema", "put", "--dry-run", self.path("nowhere.json"), status=NOINPUT)
        _, err = run("schema", "put", "--dry-run", self.write("odd.json", '{"fields": 7}'), status=DATA)
        self.assertIn("odd.json: fields", err)
        for arguments in (("import", self.path("empty")), ("schema", "infer", self.path("empty"))):
            _, err = run(*arguments, *(("--dry-run", "--schema", self.path("empty"))
                                       if arguments[0] == "import" else ()), status=DATA)
            self.assertIn("is empty", err)
        _, err = run("import", self.folder, status=NOINPUT)
        self.assertIn("directory", err)

    def test_a_long_line_a_mark_and_other_ends_of_lines_do_no_harm(self):
        schema = self.write("schema.json", json.dumps(
            {"id": "id", "fields": [{"name": "n", "type": "number"}, {"name": "c", "type": "category"},
                                    {"name": "x", "type": "flag"}, {"name": "y", "type": "flag"}]}))
        for ends in ("\n", "\r\n", "\r"):
            lines = ["\ufeffid,n,c", "a,1,x", "b,2," + "y" * 10_000_000, "c,3,z"]
            out, err = run("import", self.write("f.csv", ends.join(lines) + ends), "--dry-run",
                           "--schema", schema, "--json")
            counts = json.loads(out)
            self.assertEqual((counts["rows"], counts["stored"], counts["refused"]), (3, 3, 0))
            self.assertEqual(counts["values_left_out"], 1)
            out, err = run("import", self.path("f.csv"), "--dry-run", "--strict", "--schema", schema,
                           "--json", status=DATA)
            counts = json.loads(out)
            self.assertEqual((counts["rows"], counts["stored"], counts["refused"]), (3, 2, 1))
            self.assertIn("no column for 2 of the schema's 4 fields, which stay as they are: x, y", err)

    def test_an_option_without_a_command_is_named(self):
        _, err = run("-x", status=USAGE)
        self.assertIn("'-x'", err)
        self.assertNotIn("Usage", err)

    def test_dry_run_tells_every_kind_of_dirt_by_line_and_column(self):
        schema = self.write("schema.json", json.dumps(
            {"id": "id", "keys": {"domain": "site"},
             "fields": [{"name": "n", "type": "number"}, {"name": "c", "type": "category"}]}))
        source = self.write("dirt.csv", b"\xef\xbb\xbfid,site,n,c\n"
                            b"a,https://a.com,1,x\n"                 # 2 good
                            b"b,b.com,12 people,x\n"                  # 3 bad number
                            b"c,c.com,1\n"                            # 4 ragged
                            b"d,\"d.com,1,x\n"                        # 5 quote not closed
                            b"a,e.com,1,x\n"                          # 6 id again
                            b"f,f.com,1,caf\xe9\n"                    # 7 not UTF-8
                            b"g,g.com,1,x\0y\n"                       # 8 NUL
                            b",h.com,1,x\n"                           # 9 no id
                            b"i,https://angel.co/i,1,x\n"             # 10 shared host
                            b"j,a.com,1,\"two\nlines\"\n"             # 11 key again, and 12
                            b"k,k.com,\"1,234\",x\n")                 # 13 good
        out, err = run("import", source, "--dry-run", "--schema", schema, "--rejects",
                       self.path("rej.csv"), "--json", status=DATA)
        counts = json.loads(out)
        self.assertEqual((counts["rows"], counts["stored"], counts["refused"]), (11, 6, 5))
        self.assertEqual(counts["values_left_out"], 1)
        self.assertIn("1 row ends before the header does, first line 4", err)
        with open(self.path("rej.csv"), newline="", encoding="utf-8") as file:
            notes = list(csv.DictReader(file))
        refused = {int(n["line"]): n for n in notes if n["effect"] == "row refused"}
        self.assertEqual(sorted(refused), [5, 6, 7, 8, 9])
        values = {int(n["line"]): n for n in notes if n["effect"] == "value left out"}
        self.assertEqual((values[3]["column"], values[3]["field"]), ("9", "n"))
        self.assertEqual(refused[5]["column"], "3")
        self.assertIn("line 2", refused[6]["message"])
        self.assertEqual((refused[7]["column"], refused[7]["field"]), ("14", "c"))
        left = {int(n["line"]): n["message"] for n in notes if n["effect"] == "key left out"}
        self.assertIn("angel.co", left[10])
        self.assertIn("line 2", left[11])
        self.assertIn("dirt.csv, line 3, column 9, n: '12 people'", err)


class Served(Folder):
    def setUp(self):
        super().setUp()
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.uri = f"icp://127.0.0.1:{self.server.port}"

    def icp(self, *arguments, **options):
        return run(*arguments, uri=self.uri, **options)

    def learned(self, accounts=3000):
        run("sample", "--out", self.folder, "--accounts", str(accounts), "--seed", "3")
        self.icp("schema", "put", self.path("schema.json"))
        self.icp("import", self.path("accounts.csv"))
        return self.icp("learn", "--label", "stage = 'Won'", "--where", "stage in ('Won','Lost')",
                        "--name", "first", "--activate", "--reason", "a test")


class Online(explained.Explained, Served):
    def test_a_whole_life(self):
        out, _ = self.icp("ping")
        self.assertIn("icpd", out)
        _, err = self.icp("schema", "get", status=DATA)
        self.assertIn("no schema", err)
        out, _ = self.learned()
        self.assertIn("ICP version 1 learned, and active", out)
        self.assertIn("AUC 0.7", out)
        # What was planted is found: the strongest fields lead, the noise does not.
        evidence = json.loads(self.icp("show", "1", "--json")[0])["evidence"]
        top = [field["field"] for field in evidence["fields"]][:6]
        self.assertTrue({"employees", "industry", "technologies"} <= set(top), top)
        self.assertFalse({"office_floor", "brand_color"} & set(top), top)
        out, _ = self.icp("show", "--fields", "4")
        self.assertIn("Hospitality", out)
        out, _ = self.icp("list")
        self.assertIn("a test", out)
        out, _ = self.icp("get", "--key", "crm:001500007919")
        self.assertIn("acct-000001", out)
        out, _ = self.icp("score", "--id", "acct-000001", "--reasons", "3", "--check")
        self.assertIn("checked", out)
        out, _ = self.icp("score", "--set", "industry=Software", "--set", "employees=200", "--json")
        self.assertFalse(json.loads(out)["found"])
        out, _ = self.icp("score", "--csv", self.path("leads.csv"), "--out", self.path("scored.csv"),
                          "--reasons", "2", "--check")
        with open(self.path("scored.csv"), newline="", encoding="utf-8") as file:
            scored = list(csv.DictReader(file))
        self.assertEqual(len(scored), 300)
        self.assertTrue(all(row["grade"] in "ABCD" and row["reasons"] for row in scored))
        out, _ = run("auc", self.path("scored.csv"), "--label", "became = 'Won'", "--score", "raw",
                     "--json")
        self.assertGreater(json.loads(out)["auc"], 0.65)
        # Filter and count agree with each other and with the file.
        out, _ = self.icp("count", "industry = 'Software'")
        matching, total = [int(word) for word in out.replace(",", "").split() if word.isdigit()]
        with open(self.path("accounts.csv"), newline="", encoding="utf-8") as file:
            industries = {row["account_id"]: row["industry"] for row in csv.DictReader(file)}
        software = {i for i, industry in industries.items() if industry == "Software"}
        self.assertEqual((matching, total), (len(software), 3000))
        out, _ = self.icp("filter", "industry = 'Software'", "--limit", "100000", "--fields",
                          "industry,employees", "--sort", "fit", "--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual({row["id"] for row in rows}, software)
        self.assertEqual({row["industry"] for row in rows}, {"Software"})
        fits = [float(row["fit"]) for row in rows]
        self.assertEqual(fits, sorted(fits, reverse=True))
        _, err = self.icp("filter", "industry = 'Software' and emploees > 3", status=DATA)
        self.assertIn("\n  " + " " * 26 + "^\n", err)
        # A document put back is a version of its own that scores the same.
        self.write("icp.json", self.icp("show", "1", "--json")[0])
        out, _ = self.icp("put", self.path("icp.json"))
        self.assertIn("ICP version 2", out)
        one = json.loads(self.icp("score", "--id", "acct-000002", "--icp", "1", "--json")[0])
        two = json.loads(self.icp("score", "--id", "acct-000002", "--icp", "2", "--json")[0])
        self.assertEqual(one["raw"], two["raw"])
        self.explained()
        self.disputed()
        self.icp("activate", "2", "--reason", "same again")
        out, _ = self.icp("revert")
        self.assertIn("version 1 is active", out)
        jobs = json.loads(self.icp("jobs", "--json")[0])["jobs"]
        self.assertEqual(jobs[0]["state"], "done")
        stats = json.loads(self.icp("stats", "--json")[0])["metrics"]
        self.assertEqual(stats["store"]["accounts"], 3000)
        self.assertIn("store.accounts,3000\n", self.icp("stats", "--csv")[0])
        self.assertRegex(self.icp("stats")[0], r"\nstore\n(  .*\n)*  accounts +3,000\n")
        out, _ = self.icp("delete", "acct-000001", "nobody")
        self.assertIn("1 of 2", out)
        self.icp("get", "acct-000001", status=DATA)
        self.icp("cancel", "999", status=DATA)
        out, _ = self.icp("version", "--json")
        self.assertIn("icpd", json.loads(out)["server"])

    def test_scores_of_a_file_are_those_of_single_requests(self):
        self.learned(1000)
        self.icp("score", "--csv", self.path("leads.csv"), "--out", self.path("deep.csv"))
        self.icp("score", "--csv", self.path("leads.csv"), "--out", self.path("one.csv"),
                 "--pipeline", "1")
        self.assertEqual(self.read("deep.csv"), self.read("one.csv"))
        _, err = self.icp("score", "--csv", self.path("deep.csv"), "--out", self.path("again.csv"),
                          status=DATA)
        self.assertIn("'fit' already", err)
        self.assertFalse(os.path.exists(self.path("again.csv")))
        with open(self.path("deep.csv"), newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["kind"] == "known"][:5]
        self.assertEqual(len(rows), 5)
        for row in rows:
            single = json.loads(self.icp("score", "--email", row["email"], "--set",
                                         "web_visits_90d=" + row["web_visits_90d"], "--set",
                                         "demo_requested=" + row["demo_requested"], "--json")[0])
            self.assertEqual(str(single["raw"]), row["raw"])

    def test_import_goes_on_past_what_the_server_refuses(self):
        schema = self.write("schema.json", json.dumps(
            {"id": "id", "keys": {"crm": "crm"}, "fields": [{"name": "n", "type": "number"}]}))
        self.icp("schema", "put", schema)
        self.icp("import", self.write("first.csv", "id,crm,n\nx,7,1\n"))
        lines = ["id,crm,n"] + [f"a{i},{i},{i}" for i in range(1, 50)]
        out, err = self.icp("import", self.write("second.csv", "\n".join(lines) + "\n"), "--batch",
                            "20", "--strict", "--json", status=DATA)
        counts = json.loads(out)
        self.assertEqual((counts["stored"], counts["refused"]), (48, 1))
        self.assertIn("second.csv, line 8", err)
        # The same file again changes nothing and creates nothing.
        out, _ = self.icp("import", self.path("second.csv"), "--strict", "--json", status=DATA)
        self.assertEqual(json.loads(out)["created"], 0)
        # Without --strict the key of another account costs the key alone.
        out, err = self.icp("import", self.path("second.csv"), "--batch", "20", "--json")
        counts = json.loads(out)
        self.assertEqual((counts["stored"], counts["created"], counts["refused"]), (49, 1, 0))
        self.assertIn("second.csv, line 8, keys: the key", err)

    def test_schema_and_documents_are_refused_by_line(self):
        _, err = self.icp("schema", "put", self.write("bad.json", '{"fields": [\n  {"name": }]}'),
                          status=DATA)
        self.assertIn("line 2", err)
        _, err = self.icp("schema", "put",
                          self.write("odd.json", '{"fields": [{"name": "a", "type": "nmber"}]}'),
                          status=DATA)
        self.assertIn("fields[0].type", err)

    def test_labels_are_shown_with_a_caret(self):
        self.icp("schema", "put", self.write("schema.json", json.dumps(
            {"fields": [{"name": "stage", "type": "category"}]})))
        _, err = self.icp("learn", "--label", "stage = 'Won' and stag = 'x'", status=DATA)
        self.assertIn("column 19", err)
        self.assertIn("\n  " + " " * 18 + "^\n", err)

    def test_target_account_lists_from_build_to_export(self):
        self.learned()
        out, _ = self.icp("tal", "list")
        self.assertIn("no target account list yet", out)
        self.write("owners.csv", "name,filter,capacity\nann,\"industry = 'Software'\",4\nbob,,5\n")
        self.write("segments.csv", "name,filter,quota\nbig,employees >= 100,12\nrest,,3\n")
        self.write("leave.csv", "id,domain\nacct-000001,\n,nowhere.example\n")
        out, _ = self.icp("tal", "build", "q1", "--filter", "employees >= 20", "--k", "40",
                          "--owners", self.path("owners.csv"), "--segments", self.path("segments.csv"),
                          "--exclude-file", self.path("leave.csv"), "--note", "for the test")
        self.assertIn("q1: 15 accounts", out)
        self.assertIn("have no owner", out)
        self.icp("tal", "build", "q2", "--k", "20", "--quota", "industry=3")
        out, _ = self.icp("tal", "list", "--json")
        self.assertEqual([t["name"] for t in json.loads(out)["tals"]], ["q1", "q2"])
        out, _ = self.icp("tal", "show", "q1", "--limit", "3")
        self.assertIn("for the test", out)
        out, _ = self.icp("tal", "export", "q1", "--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual([row["rank"] for row in rows], [str(i) for i in range(1, 16)])
        self.assertEqual({row["segment"] for row in rows}, {"big", "rest"})
        self.assertEqual(sum(row["owner"] == "" for row in rows),
                         sum(row["unassigned"] != "" for row in rows))
        self.icp("tal", "export", "q1", "--json", "--out", self.path("q1.json"))
        document = json.loads(self.read("q1.json"))
        self.assertEqual([e["id"] for e in document["entries"]], [row["id"] for row in rows])
        out, _ = self.icp("tal", "diff", "q1", "q2", "--csv")
        self.assertGreater(len(out.splitlines()), 15)
        out, _ = self.icp("tal", "check", "q1")
        self.assertIn("would come out the same", out)
        out, _ = self.icp("filter", "on tal 'q1'", "--csv")
        self.assertEqual({row["id"] for row in csv.DictReader(io.StringIO(out))},
                         {row["id"] for row in rows})
        out, _ = self.icp("count", "on any tal and not on tal 'q1'", "--json")
        self.assertLess(json.loads(out)["count"], 21)

    def test_a_list_that_is_wrong_is_refused_with_its_place(self):
        self.learned(2000)
        self.write("owners.csv", "name,filter,capacity\nann,\"industri = 'Software'\",4\n")
        _, err = self.icp("tal", "build", "q", "--owners", self.path("owners.csv"), status=DATA)
        self.assertIn("owners[0].filter", err)
        self.assertIn("industri = 'Software'\n  ^\n", err)
        self.write("owners.csv", "name,filter,capacity\nann,,many\n")
        _, err = self.icp("tal", "build", "q", "--owners", self.path("owners.csv"), status=DATA)
        self.assertIn("line 2", err)
        self.write("owners.csv", "name,territory\nann,\n")
        self.icp("tal", "build", "q", "--owners", self.path("owners.csv"), status=DATA)
        self.icp("tal", "build", "q", "--exclude-file", self.path("owners.csv"), status=DATA)
        self.icp("tal", "build", "q", "--quota", "industry", status=USAGE)
        self.icp("tal", "build", "q", "--k", "10001", status=USAGE)
        _, err = self.icp("tal", "build", "q", "--filter", "employees >", status=DATA)
        self.assertIn("\n  " + " " * 11 + "^\n", err)
        self.icp("tal", "show", "q", status=DATA)
        self.icp("tal", "build", "q", "--k", "5")
        _, err = self.icp("tal", "build", "q", "--k", "5", status=DATA)
        self.assertIn("never changes", err)

    def test_no_evidence_is_an_answer_of_its_own(self):
        self.icp("schema", "put", self.write("schema.json", json.dumps(
            {"id": "id", "fields": [{"name": "n", "type": "number"}, {"name": "y", "type": "flag"}]})))
        lines = ["id,n,y"] + [f"a{i},{i * 7919 % 1000},{i * 104729 % 7 % 2}" for i in range(2000)]
        self.icp("import", self.write("noise.csv", "\n".join(lines) + "\n"))
        _, err = self.icp("learn", "--label", "y = 1", status=DATA)
        self.assertIn("chance", err)

    def test_leaks_are_kept_and_points_go_one_way_where_that_is_asked(self):
        self.icp("schema", "put", self.write("schema.json", json.dumps(
            {"id": "id", "fields": [{"name": "n", "type": "number"}, {"name": "y", "type": "flag"},
                                    {"name": "status", "type": "category"}]})))
        draw = random.Random(7)
        rows = [(n := draw.randrange(100), draw.random() < 0.2 + 0.5 * (20 < n < 60)) for _ in range(1500)]
        self.icp("import", self.write("leak.csv", "id,n,status,y\n" + "".join(
            f"a{i},{n},{'customer' if won == (draw.random() < 0.96) else 'none'},{int(won)}\n"
            for i, (n, won) in enumerate(rows))))
        out, _ = self.icp("learn", "--label", "y = 1", "--json")
        refused = json.loads(out)["evidence"]["refused"]
        self.assertEqual([field["field"] for field in refused], ["status"])
        self.assertIn("suspected leak", refused[0]["reason"])
        out, _ = self.icp("learn", "--label", "y = 1", "--keep-leaks", "status", "--monotone", "n=+",
                          "--activate", "--json")
        evidence = json.loads(out)["evidence"]
        self.assertEqual(evidence["refused"], [])
        self.assertIn("status: suspected leak", evidence["warnings"][0])
        settings = json.loads(self.icp("show", "2", "--json")[0])["settings"]
        self.assertEqual((settings["kept_leaks"], settings["monotone"]), (["status"], {"n": "+"}))
        for wrong, status, said in ((("--keep-leaks", "statis"), DATA, "did you mean 'status'"),
                                    (("--monotone", "status=+"), DATA, "no number field"),
                                    (("--monotone", "n=-", "--monotone", "n=+"), DATA, "to fall"),
                                    (("--weight", "status"), DATA, "not a number field"),
                                    (("--monotone", "m=+"), DATA, "no field 'm'"),
                                    (("--monotone", "n"), USAGE, "employees=+")):
            _, err = self.icp("learn", "--label", "y = 1", *wrong, status=status)
            self.assertIn(said, err)

    def test_interrupting_learn_cancels_the_job(self):
        run("sample", "--out", self.folder, "--accounts", "60000", "--seed", "3")
        self.icp("schema", "put", self.path("schema.json"))
        self.icp("import", self.path("accounts.csv"))
        learn = subprocess.Popen(
            [ICP, "--uri", self.uri, "learn", "--label", "stage = 'Won'", "--where",
             "stage in ('Won','Lost')", "--pairs", "20"], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        try:
            for _ in range(600):
                jobs = json.loads(self.icp("jobs", "--json")[0])["jobs"]
                if jobs and jobs[0]["state"] == "running":
                    break
                time.sleep(0.02)
            learn.send_signal(signal.SIGINT)
            out, err = learn.communicate(timeout=300)
        finally:
            if learn.poll() is None:
                learn.kill()
        self.assertEqual(learn.returncode, 130, out + err)
        jobs = json.loads(self.icp("jobs", "--json")[0])["jobs"]
        self.assertEqual(jobs[0]["state"], "cancelled")


class Answers(Served):
    """What a person is told where a slip would find nothing."""

    def setUp(self):
        super().setUp()
        self.learned()

    def test_a_text_that_no_account_has_is_told_with_the_one_meant(self):
        out, err = self.icp("count", "industry = 'software' and employees > 5")
        self.assertTrue(out.startswith("0 of 3,000"))
        self.assertIn("no account has 'software' in industry; there is 'Software'", err)
        out, err = self.icp("filter", "industry in ('Softwre', 'Retail') and employees < 0")
        self.assertEqual(out, "no account matches\n")
        self.assertIn("there is 'Software'", err)
        self.assertNotIn("Retail", err)
        _, err = self.icp("count", "technologies has 'salesforce'")
        self.assertIn("no account has 'salesforce' in technologies; there is 'Salesforce'", err)
        _, err = self.icp("count", "industry = 'It''s nothing'")
        self.assertIn("no account has 'It's nothing' in industry\n", err)
        # Nothing is explained where the texts are there.
        self.assertEqual(self.icp("count", "industry = 'Software' and employees < 0")[1], "")

    def test_parts_and_true_are_filters(self):
        self.assertEqual(self.icp("count", "true")[0], "3,000 of 3,000 accounts\n")
        self.assertEqual(self.icp("count", "false")[0], "0 of 3,000 accounts\n")
        part = json.loads(self.icp("count", "industry contains 'SOFT'", "--json")[0])["count"]
        whole = json.loads(self.icp("count", "industry = 'Software'", "--json")[0])["count"]
        self.assertEqual(part, whole)
        self.assertEqual(self.icp("count", "industry starts with 'oft'")[0][:2], "0 ")

    def test_ids_may_stand_without_their_option(self):
        self.assertEqual(self.icp("score", "acct-000001"), self.icp("score", "--id", "acct-000001"))
        self.assertIn("acct-000001", self.icp("similar", "acct-000001", "-k", "1")[0])
        self.icp("score", "acct-000001", "--id", "acct-000002", status=USAGE)

    def test_empty_lists_are_refused(self):
        _, err = self.icp("tal", "build", "none", "--filter", "industry = 'nowhere'", status=DATA)
        self.assertIn("the list would be empty: 0 accounts match", err)
        _, err = self.icp("filter", "true", "--fields", " , ", status=USAGE)
        self.assertIn("the list is empty", err)
        _, err = self.icp("learn", "--label", "stage = 'Won'", "--exclude", "", status=USAGE)
        self.assertIn("the list is empty", err)
        _, err = self.icp("count", "industry in ()", status=DATA)
        self.assertIn("the list is empty", err)

    def test_doctor_and_watch(self):
        rows = json.loads(self.icp("doctor", "--json")[0])
        states = {row["check"]: row["state"] for row in rows}
        self.assertEqual(states["damage"], "good")
        self.assertEqual(states["profile"], "good")
        self.assertTrue(all(row["found"] for row in rows))
        with subprocess.Popen([ICP, "--uri", self.uri, "stats", "--watch", "1"],
                              stdout=subprocess.PIPE, text=True) as watch:
            lines = [watch.stdout.readline() for _ in range(3)]
            watch.terminate()
        self.assertIn("requests/s", lines[0])
        self.assertRegex(lines[2], r"^\d\d:\d\d:\d\d +\d")
        self.icp("stats", "--watch", "1", "--json", status=USAGE)


class Roles(Folder):
    def test_tokens_come_from_a_file_or_the_environment(self):
        token = self.write("admin", "a-secret-of-many-letters\n")
        read = self.write("read", "another-secret-of-many-letters\n")
        os.chmod(token, 0o600)
        os.chmod(read, 0o600)
        server = icpd.Server(ICPD, "--admin-token-file", token, "--read-token-file", read)
        self.addCleanup(server.close)
        uri = f"icp+unix:{server.socket_path}"
        schema = self.write("s.json", '{"fields": [{"name": "a", "type": "flag"}]}')
        run("schema", "put", schema, uri=uri, status=NOPERM)
        run("--token", read, "schema", "put", schema, uri=uri, status=NOPERM)
        run("--token", token, "schema", "put", schema, uri=uri)
        run("schema", "get", uri=uri, env={"ICP_TOKEN": "another-secret-of-many-letters"})
        run("ping", uri=uri, env={"ICP_TOKEN": "wrong"}, status=NOPERM)


@unittest.skipUnless(os.path.isdir(REAL), "the folder of real files is not here")
class Real(Served):
    LEAKS = "Tags,Lead Quality,Lead Profile,Last Notable Activity"

    def real(self, name):
        return os.path.join(REAL, name)

    def test_education_leads_learn_and_score(self):
        run("split", self.real("x_education_leads.csv"), "--seed", "1", "--fraction", "0.7", "--out",
            self.path("train.csv"), "--rest", self.path("test.csv"))
        out, _ = run("schema", "infer", self.real("x_education_leads.csv"))
        schema = json.loads(out)
        types = {field["name"]: field["type"] for field in schema["fields"]}
        self.assertEqual(schema["id"], "Prospect ID")
        self.assertEqual((types["Converted"], types["TotalVisits"], types["City"]),
                         ("flag", "number", "category"))
        self.assertNotIn("Lead Number", types)
        self.assertIn("Select", schema["missing"])
        self.icp("schema", "put", self.write("schema.json", out))
        self.icp("import", self.path("train.csv"))
        self.icp("learn", "--label", "Converted = 1", "--exclude", self.LEAKS, "--activate")
        self.icp("score", "--csv", self.path("test.csv"), "--out", self.path("scored.csv"),
                 "--reasons", "3", "--check")
        out, _ = run("auc", self.path("scored.csv"), "--label", "Converted = 1", "--score", "raw",
                     "--json")
        self.assertGreaterEqual(json.loads(out)["auc"], 0.905)

    def test_physical_lines_agree_with_another_reader(self):
        with open(self.real("x_education_leads.csv"), newline="", encoding="utf-8") as file:
            text = file.read()
        reader = csv.reader(io.StringIO(text, newline=""))
        next(reader)
        line = reader.line_num + 1
        for row in reader:
            last, line = line, reader.line_num + 1
        # The last row is spoilt, so that it is told by its line.
        body = text.rstrip("\r\n")
        start = len(body) - len("\n".join(body.split("\n")[-(line - last):]))
        cut = body[:start] + "x,y\n"
        self.icp("schema", "put", self.write("s.json", json.dumps(
            {"id": "Prospect ID", "fields": [{"name": "Converted", "type": "flag"}]})))
        _, err = self.icp("import", self.write("cut.csv", cut), status=DATA)
        self.assertIn(f"cut.csv, line {last}: the row has 2 cells", err)

    def test_companies_import_with_their_dirt_told(self):
        out, _ = run("schema", "infer", self.real("yc_companies.csv"))
        self.icp("schema", "put", self.write("yc.json", out))
        out, err = self.icp("import", self.real("yc_companies.csv"), "--json")
        self.assertEqual(json.loads(out)["stored"], 5408)
        self.assertIn("angel.co (1, first on line 17), apps.apple.com", err)
        self.assertIn("line 272", err)
        out, _ = self.icp("get", "--email", "someone@circuithub.com", "--json")
        self.assertEqual(json.loads(out)["id"], "5")
        schema = json.loads(run("schema", "infer", self.real("sp500_constituents.csv"))[0])
        for field in schema["fields"]:
            if field["name"] == "Founded":
                field["type"] = "number"
        self.icp("schema", "put", self.write("sp.json", json.dumps(schema)))
        out, err = self.icp("import", self.real("sp500_constituents.csv"), "--json")
        self.assertEqual(json.loads(out)["stored"], 503)
        self.assertGreater(json.loads(out)["values_left_out"], 10)
        self.assertIn("line 5, column 84, Founded: '2013 (1888)' is not a number", err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)

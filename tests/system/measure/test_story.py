#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A CRM from its files to the page of its verdict, by icp alone: test_story.py ICPD ICP.

A small company's accounts, deals, touches and teams are files as a CRM writes them; nothing but icp is used, as
a person would, and what that person reads is held against sums over the files. The same is done with Maven's
CRM and RavenStack where they are (ICP_TEST_DATA)."""

import csv
import datetime
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import icpd  # noqa: E402
import report_page  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
REAL = os.environ.get("ICP_TEST_DATA", os.path.join(HERE, "..", "..", "..", "..", "shared", "data"))
POLICY = """{"policy": 1, "name": "won in 60 days", "case": "subject", "moment": "stage:created",
 "archetypes": [{"name": "good", "when": [{"event": "outcome:won", "within": "60 days"}]},
                {"name": "poor", "when": [{"event": "outcome:won", "within": "60 days", "not": true}]}]}"""
DEALS = ["--account", "account", "--id", "deal", "--created", "created", "--won", "stage = 'Won'", "--lost",
         "stage = 'Lost'", "--at", "closed", "--amount", "amount", "--currency", "EUR", "--person", "agent",
         "--source", "crm"]
FIRST = datetime.date(2025, 1, 6)


def day(number):
    return (FIRST + datetime.timedelta(days=number)).isoformat()


class Story(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="icp-story-")
        self.addCleanup(self.folder.cleanup)
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)

    def icp(self, *arguments, code=0):
        got = subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments], cwd=self.folder.name,
                             capture_output=True, text=True, check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))
        self.assertIn(got.returncode, code if isinstance(code, tuple) else (code,), (arguments, got.stderr))
        self.told = got.stderr
        return got.stdout

    def rows(self, *arguments):
        return list(csv.DictReader(io.StringIO(self.icp(*arguments, "--csv"))))

    def write(self, name, header, rows):
        with open(os.path.join(self.folder.name, name), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)

    def text(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        if text is None:
            with open(path, encoding="utf-8") as file:
                return file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def schema(self, accounts, key):
        self.text("schema.json", self.icp("schema", "infer", accounts, "--id", key, "-q"))
        self.icp("schema", "put", "schema.json")


class Company(Story):
    """300 accounts; large ones are won more often; the south's people leave the list."""

    def files(self):
        r = random.Random(5)
        sizes = {f"c{i:03}": r.randrange(10, 1000) for i in range(300)}
        self.write("accounts.csv", ["account", "sector", "employees", "customer"],
                   [[name, r.choice(["bank", "shop", "farm"]), size, "yes" if r.random() < (0.6 if size > 600 else 0.1) else "no"]
                    for name, size in sizes.items()])
        self.write("teams.csv", ["agent", "manager"],
                   [["Ann Lee", "north"], ["Bo Ray", "north"], ["Cy Poe", "south"], ["Di Fay", ""]])
        return r, sizes

    def work(self, r, sizes, listed):
        names, off = sorted(sizes), sorted(set(sizes) - set(listed))
        touches, deals = [], []
        for number in range(900):
            agent = ("Ann Lee", "Bo Ray", "Cy Poe", "Di Fay")[number % 4]
            stays = r.random() < (0.1 if agent == "Cy Poe" else 0.8)
            touches.append([f"t{number}", r.choice(listed if stays else off), day(r.randrange(180)), agent, "sales", "call"])
        for number in range(700):
            account, begun = r.choice(names), r.randrange(150)
            won = r.random() < (0.6 if account in listed else 0.2)
            deals.append([f"d{number}", account, day(begun), day(begun + r.randrange(5, 50)), "Won" if won else "Lost",
                          r.randrange(100, 9000), ("Ann Lee", "Bo Ray", "Cy Poe", "Di Fay")[number % 4]])
        self.write("touches.csv", ["id", "account", "day", "agent", "function", "kind"], touches)
        self.write("deals.csv", ["deal", "account", "created", "closed", "stage", "amount", "agent"], deals)
        return touches, deals

    def commit(self):
        self.icp("plan", "create", "2025", "--from", day(0), "--to", day(180), "--layers", "profile", "--stages",
                 "acquisition", "--share", "70%")
        for kind, name in (("layer", "profile"), ("stage", "acquisition")):
            self.icp("plan", "owner", "2025", kind, name, "--owner", "Jo", "--budget", "1 EUR", "--metric", "won")
        self.icp("plan", "signatory", "2025", "sales", "--person", "Ann Lee", "--public-key",
                 self.icp("plan", "key", "ann.key").strip())
        self.icp("plan", "validate", "2025", "--evidence", "held-out AUC")
        self.icp("plan", "tal", "2025", "best")
        self.icp("plan", "sign", "2025", "--function", "sales", "--key", "ann.key")
        self.icp("plan", "commit", "2025")
        self.assertIn("committed to the list: 70 % of the work", self.icp("plan", "show", "2025"))

    def test_from_files_to_a_verdict(self):
        r, sizes = self.files()
        self.schema("accounts.csv", "account")
        self.icp("import", "accounts.csv", "--time", day(-30))
        self.icp("measure", "adherence", code=65)
        self.assertIn("there is no target account list of the active ICP version", self.told)
        self.assertNotIn("--acts", self.told, "no act is missing, but a list")
        self.icp("measure", "resources", code=65)
        self.assertIn("no ICP version is active", self.told)
        self.assertNotIn("--segment", self.told, "resources needs scores, whatever its segments")
        self.icp("learn", "--label", "customer", "--seed", "3", "--activate")
        self.icp("tal", "build", "best", "--k", "100", "--sample", "300")
        listed = [row["id"] for row in self.rows("tal", "export", "best")]
        self.icp("measure", "adherence", code=65)
        self.assertIn("--acts all counts stages and decisions too", self.told)
        self.commit()
        touches, deals = self.work(r, sizes, listed)
        self.icp("event", "import", "touches.csv", "--account", "account", "--type", "=touch", "--id", "id", "--at", "day",
                 "--function", "function", "--person", "agent", "--kind", "kind", "--source", "desk")
        self.icp("event", "import", "deals.csv", *DEALS)
        self.keeping(touches, listed)
        self.paying(deals)
        self.judging(touches, deals, listed)

    def keeping(self, touches, listed):
        by = {}
        for touch in touches:
            team = {"Ann Lee": "north", "Bo Ray": "north", "Cy Poe": "south"}.get(touch[3], "(none)")
            by.setdefault(team, []).append(touch[1] in listed)
        rows = {row["group"]: row for row in self.rows("measure", "adherence", "--tal", "best", "--group-by", "team",
                                                       "--teams", "teams.csv:agent=manager", "--committed", "0.7")}
        self.assertEqual(set(rows), {"(all)", *by})
        for team, on in by.items():
            self.assertEqual((int(rows[team]["n"]), int(rows[team]["on_list"])), (len(on), sum(on)))
        self.assertEqual(rows["south"]["verdict"], "below what was committed")
        self.assertEqual(rows["north"]["verdict"] in ("", "above what was committed"), True)
        apart = self.rows("measure", "divergence", "--tal", "best", "--segment", "sector", "--group-by", "team", "--teams",
                          "teams.csv:agent=manager")
        self.assertEqual({row["group"] for row in apart}, set(by))
        self.icp("measure", "resources")
        self.assertIn("accounts, sequence", self.told)
        self.assertNotRegex(self.told, r"sequence \d+, \n")
        self.icp("measure", "divergence", "sector", code=64)
        self.assertIn("named by --segment FIELD", self.told)
        for teams, said in (("none.csv:agent=manager", "none.csv"), ("teams.csv:agent=boss", "no column 'boss'"),
                            ("north: Ann Lee; south: Ann Lee", "told in a team already"), ("teams.csv", "a team is its name"), ("teams.csv:agent", "is not FILE.csv:PERSON=TEAM"),
                            ("teams.csv:agent=", "is not FILE.csv:PERSON=TEAM")):
            self.icp("measure", "adherence", "--group-by", "team", "--teams", teams, code=(64, 65, 66))
            self.assertIn(said, self.told)
        self.write("twice.csv", ["agent", "manager"], [["Ann Lee", "north"], ["Ann Lee", "south"]])
        self.icp("measure", "adherence", "--group-by", "team", "--teams", "twice.csv:agent=manager", code=65)
        self.assertIn("twice.csv, line 3: 'Ann Lee' is in another team on line 2", self.told)
        self.write("odd.csv", ["agent", "manager"], [["Lee, Ann", "north"]])
        self.icp("measure", "adherence", "--group-by", "team", "--teams", "odd.csv:agent=manager", code=65)
        self.assertIn("odd.csv, line 2: 'Lee, Ann' has a comma", self.told)

    def paying(self, deals):
        rows = self.rows("measure", "compensation", "--multipliers", "A=1.2,B=1,C=0.8,D=0.5", "--top", "1000")
        self.assertIn("nothing is tested, so nothing is corrected", self.told)
        won = {deal[0]: deal[5] for deal in deals if deal[4] == "Won"}
        told = {row["deal"]: float(row["amount"].replace(",", "")) for row in rows if row["row"] == "deal"}
        self.assertEqual(told, {name: float(amount) for name, amount in won.items()})

    def judging(self, touches, deals, listed):
        self.text("won.json", POLICY)
        self.assertRegex(self.icp("verdict", "--plan", "2025", "--policy", "won.json"),
                         f"No case began since the list was made, {len(deals)} before")
        asked = ["--plan", "2025", "--policy", "won.json", "--since", day(0), "--equal-effort"]
        self.assertTrue(self.icp("verdict", *asked, "--write").startswith("Supported: the list was right."))
        self.assertIn("Alarm", self.icp("erosion", "--plan", "2025", "--since", day(0)))
        self.icp("erosion", "best", code=64)
        self.assertIn("or --plan with a plan that has one", self.told)
        self.icp("report", "verdict", *asked, "--segment", "sector", "--out", "v.html")
        page = report_page.Page(self.text("v.html"))
        self.assertEqual(sorted(set(page.faults)), [])
        share = round(100 * sum(touch[1] in listed for touch in touches) / len(touches))
        text = re.sub(r"<[^>]*>", " ", self.text("v.html"))
        self.assertIn(f"{share} %, committed 70 %", text)
        self.assertIn("That is less than the 70 % that were committed.", text)
        self.assertRegex(text, r"The list\s+Name\s+best\s+Plan\s+2025")
        self.icp("report", "verdict", "best", *asked[2:], "--committed", "5%", "--out", "v.html")
        self.assertIn("That is more than the 5 % that were committed.", self.text("v.html"))
        self.icp("plan", "amend", "2025", "share", "--after", "55%", "--reason", "a quarter of it was dropped", "--function",
                 "sales", "--key", "ann.key", code=65)
        self.assertIn("verdict", self.told)  # a plan with its verdict is amended no more
        self.icp("plan", "next", "2025", "2026", "--draft")
        self.assertIn("committed to the list: 70 % of the work", self.icp("plan", "show", "2026"))
        for share in ("0", "100%", "much"):
            self.icp("plan", "create", "x", "--from", day(0), "--to", day(9), "--layers", "a", "--stages", "b", "--share", share,
                     code=64)
            self.assertIn("is no share of the work such as 60% or 0.6", self.told)


class Maven(Story):
    def test_maven_says_what_it_can_and_no_more(self):
        files = {name: os.path.join(REAL, "maven_crm", f"{name}.csv") for name in ("accounts", "sales_pipeline", "sales_teams")}
        if not os.path.exists(files["accounts"]):
            self.skipTest(f"{files['accounts']} is not there; ICP_TEST_DATA names the folder")
        self.schema(files["accounts"], "account")
        self.icp("import", files["accounts"], "--time", "2016-01-01")
        self.icp("event", "import", files["sales_pipeline"], "--account", "account", "--id", "opportunity_id", "--created",
                 "engage_date", "--won", "deal_stage = 'Won'", "--lost", "deal_stage = 'Lost'", "--at", "close_date",
                 "--amount", "close_value", "--currency", "USD", "--person", "sales_agent", "--source", "crm", code=65)
        self.text("won.json", POLICY.replace("60 days", "140 days"))
        self.icp("learn", "--policy", "won.json", code=65)
        self.assertIn("no evidence", self.told)
        self.icp("learn", "--label", "revenue > 1500", "--exclude", "revenue", "--seed", "1", "--activate")
        self.icp("tal", "build", "largest", "--k", "30", "--sample", "85")
        asked = ["--acts", "all", "--group-by", "team", "--teams", files["sales_teams"] + ":sales_agent=manager"]
        rows = self.rows("measure", "adherence", *asked, "--committed", "0.5")
        self.assertEqual([(row["group"], int(row["n"])) for row in rows if row["group"] in ("(all)", "Melvin Marxen")],
                         [("(all)", 7212), ("Melvin Marxen", 1487)])
        self.assertEqual({row["verdict"].split(":")[0] for row in rows}, {"", "insufficient"})
        rows = self.rows("measure", "divergence", *asked, "--segment", "sector")
        self.assertEqual({row["verdict"] for row in rows if row["segment"] == "all"}, {""})
        rows = self.rows("measure", "compensation", "--multipliers", "A=1,B=1,C=1,D=1,none=1", "--top", "0")
        self.assertEqual((rows[0]["n"], rows[0]["amount"].replace(",", "")), ("4238", "10005534.00"))
        for since in ("2017-03-01", "2017-06-01"):
            self.assertTrue(self.icp("verdict", "largest", "--policy", "won.json", "--since", since, "--equal-effort")
                            .startswith("Insufficient"))


class RavenStack(Story):
    def test_what_ravenstack_cannot_say_is_said(self):
        folder = os.path.join(REAL, "ravenstack")
        if not os.path.isdir(folder):
            self.skipTest(f"{folder} is not there; ICP_TEST_DATA names the folder")
        accounts = os.path.join(folder, "ravenstack_accounts.csv")
        self.schema(accounts, "account_id")
        self.icp("import", accounts)
        self.icp("event", "import", os.path.join(folder, "ravenstack_supports_ticket.csv"), "--account", "account_id", "--type",
                 "touch", "--kind", "=ticket", "--at", "submitted_at", "--id", "ticket_id", "--source", "support")
        self.icp("learn", "--label", "churn_flag", "--activate", code=65)
        self.assertIn("no evidence", self.told)
        for measure, said in (("adherence", "tal-build makes one"), ("resources", "learn or put one, then activate it")):
            self.icp("measure", measure, code=65)
            self.assertIn(said, self.told)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])

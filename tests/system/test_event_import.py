#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""icp event import and icp timeline: files as people have them become events of accounts, told twice
or cut off; hostile files; what a person reads of an account: test_event_import.py ICPD ICP."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import icpd

ICPD, ICP = sys.argv.pop(1), sys.argv.pop(1)
SCHEMA = '{"fields":[{"name":"employees","type":"number"}]}'
TOUCH = ("--account", "account", "--type", "touch", "--at", "when", "--kind", "channel", "--id", "id")
DEALS = ("--account", "account", "--id", "id", "--created", "from", "--won", "stage = 'Won'", "--lost",
         "stage = 'Lost'", "--at", "closed", "--amount", "value", "--currency", "USD", "--source", "crm")
SUBSCRIPTIONS = ("--account", "account", "--id", "id", "--start", "from", "--end", "to", "--amount",
                 "mrr", "--currency", "EUR", "--label", "plan", "--churned", "gone", "--source", "billing")


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        with cls.server.client() as client:
            client.call("schema-put", {"document": SCHEMA})

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        with self.server.client() as client:
            client.call("account-delete", {"ids": ["acme", "other"]})  # and their events with them
            client.call("account-put", {"accounts": [{"id": "acme", "keys": ["crm:1", "domain:acme.example"]},
                                                     {"id": "other", "keys": ["crm:2"]}]})

    def start(self, *arguments):
        return subprocess.Popen([ICP, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=dict(os.environ, ICP_URI=f"icp://127.0.0.1:{self.server.port}"))

    def icp(self, *arguments, status=0):
        with self.start(*arguments) as process:
            out, err = (text.decode() for text in process.communicate())
        self.assertEqual(process.returncode, status, err + out)
        return out, err

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def tell(self, content, *arguments, status=0, name="f.csv"):
        """Counts of an import: rows, new, told, refused, silent; what was said is in self.said."""
        out, self.said = self.icp("event", "import", self.write(name, content), *arguments, "--json",
                                  status=status)
        counts = json.loads(out)
        self.nobody = counts["unknown_accounts"]
        return tuple(counts[name] for name in ("rows", "new", "told", "refused", "silent"))

    def events(self, *arguments, account="acme"):
        return json.loads(self.icp("timeline", account, "--json", *arguments)[0])["events"]

    def ids(self, *arguments, account="acme"):
        return [event["id"] for event in self.events(*arguments, account=account)]


class Import(Served):
    def test_a_file_that_is_imported_twice_tells_nothing_twice(self):
        text = "id,account,when,channel\n1,acme,2024-05-01,email\n2,crm:2,2024-05-02,call\n"
        self.assertEqual(self.tell(text, *TOUCH, "--dry-run"), (2, 2, 0, 0, 0))
        self.assertEqual(self.ids(), [])
        self.assertEqual(self.tell(text, *TOUCH), (2, 2, 0, 0, 0))
        self.assertEqual(self.tell(text, *TOUCH, "--dry-run"), (2, 0, 2, 0, 0))
        self.assertEqual(self.tell(text, *TOUCH), (2, 0, 2, 0, 0))
        self.assertEqual((self.ids(), self.ids(account="other")), (["1"], ["2"]))
        event = self.events()[0]
        self.assertEqual((event["type"], event["kind"], event["source"], event["time"]),
                         ("touch", "email", "f.csv", 1714521600000))

    def test_accounts_are_found_by_any_key(self):
        text = "who,when\n1,2024-05-01\n3,2024-05-01\n"
        told = ("--account", "crm=who", "--type", "touch", "--at", "when")
        self.assertEqual(self.tell(text, *told, status=65), (2, 1, 0, 1, 0))
        self.assertIn("line 3, account: no account has the key 'crm:3'", self.said)
        self.assertIn("digest", self.said)
        self.assertEqual(self.nobody, ["crm:3"])
        self.assertEqual(self.tell("who,when\nhttps://www.acme.example/x,2024-05-02\n", "--account",
                                   "domain=who", *told[2:]), (1, 1, 0, 0, 0))
        self.assertEqual(len(self.ids()), 2)

    def test_rows_that_are_alike_are_two_events_however_often_the_file_comes(self):
        text = "account,when,sum\nacme,2024-05-01,5\nacme,2024-05-01,5\nacme,2024-05-01,7\n"
        told = ("--account", "account", "--type", "spend", "--at", "when", "--amount", "sum",
                "--currency", "USD")
        self.assertEqual(self.tell(text, *told), (3, 3, 0, 0, 0))
        self.assertEqual(self.tell(text, *told), (3, 0, 3, 0, 0))
        self.assertEqual(sorted(event["amount"] for event in self.events()), [500, 500, 700])

    def test_one_refused_event_does_not_lose_its_batch(self):
        rows = [f"{i},acme,2024-05-01,email" for i in range(300)]
        self.assertEqual(self.tell("id,account,when,channel\n" + "\n".join(rows[:100]) + "\n", *TOUCH)[1], 100)
        # A third contradicts what is stored, one stands twice and tells something else.
        rows = [row.replace("email", "call") if i < 100 else row for i, row in enumerate(rows)]
        rows.append("299,acme,2024-05-01,call")
        text = "id,account,when,channel\n" + "\n".join(rows) + "\n"
        rejects = os.path.join(self.folder, "rejects.csv")
        self.assertEqual(self.tell(text, *TOUCH, "--dry-run", status=65), (301, 200, 0, 101, 0))
        self.assertEqual(self.tell(text, *TOUCH, "--rejects", rejects, status=65), (301, 200, 0, 101, 0))
        self.assertEqual(len(self.events()), 300)
        with open(rejects, encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[0], "line,column,field,message,effect")
        self.assertEqual([int(line.split(",")[0]) for line in lines[1:]], [*range(2, 102), 302])
        self.assertIn("take it back by a retraction", lines[1])

    def test_a_bad_row_is_told_with_line_column_and_what_would_be_right(self):
        text = ("id,account,when,channel\n1,acme,soon,email\n2,,2024-05-01,email\n,acme,2024-05-01,email\n"
                "4,acme,2034-05-01,email\n5,acme,2024-05-01,\n6,nobody,2024-05-01,email\n7,acme\n")
        rejects = os.path.join(self.folder, "rejects.csv")
        self.assertEqual(self.tell(text, *TOUCH, "--rejects", rejects, status=65), (7, 1, 0, 6, 0))
        self.assertEqual(self.ids(), ["5"])
        for words in ("line 2, column 8, when: 'soon' is no date; 2024-05-01 is one",
                      "line 3, column 3, account: the account is missing",
                      "line 4, column 1, id: the id is missing", "line 5, column 8, when: the time is ahead",
                      "line 7, account: no account has the id 'nobody'"):
            self.assertIn(words, self.said)
        with open(rejects, encoding="utf-8") as file:
            self.assertEqual(len(file.read().splitlines()), 7)

    def test_what_no_column_gives_is_named_as_its_option(self):
        options = ("--account", "account", "--type", "type", "--at", "when", "--id", "id")
        text = "account,type,when,id\nacme,subscription,2024-05-01,1\nacme,retraction,2024-05-01,2\n"
        self.assertEqual(self.tell(text, *options, status=65), (2, 0, 0, 2, 0))
        self.assertIn("f.csv, line 2, amount: the amount is missing, and an event of type subscription", self.said)
        self.assertIn("f.csv, line 3, retracts: an event of type retraction needs it", self.said)
        _, said = self.icp("event", "import", self.write("f.csv", text), *TOUCH[:2], "--type", "touchy",
                           "--at", "when", status=64)
        self.assertIn("--type: ", said)
        self.assertIn("has no column 'touchy', and \"touchy\" is no type of event; there are touch,", said)

    def test_hostile_files(self):
        for content, status in ((b"", 65), (b"\xef\xbb\xbf", 65)):
            self.icp("event", "import", self.write("f.csv", content), *TOUCH, status=status)
        self.assertEqual(self.tell("id,account,when,channel\n", *TOUCH), (0, 0, 0, 0, 0))
        self.icp("event", "import", os.path.join(self.folder, "absent.csv"), *TOUCH, status=66)
        self.icp("event", "import", self.write("f.csv", "id,who\n1,2\n"), *TOUCH, status=64)
        content = (b"\xef\xbb\xbfid;account;when;channel;cost\r\n1;acme;03.05.2024;email;\"1.234,50\"\r\n"
                   b"2;acme;25.05.2024;call;7,5\r\n3;acme;25.05.2024;c\0all;1\r\n"
                   b"4;acme;25.05.2024;\"two\nlines\";1\r\n5;acme;25.05.2024;" + b"k" * 64 + b";1\r\n")
        counts = self.tell(content, *TOUCH[:3], "spend", *TOUCH[4:], "--amount", "cost", "--currency", "EUR",
                           status=65)
        self.assertEqual(counts, (5, 2, 0, 3, 0))
        self.assertIn("control character", self.said)
        self.assertIn("64 bytes where 1 to 63 are right", self.said)
        self.assertEqual([(event["id"], event["amount"]) for event in self.events()], [("1", 123450), ("2", 750)])
        text = "id,account,when,channel\n1,acme,03/04/2024,email\n"
        self.assertEqual(self.tell(text, *TOUCH, status=65, name="g.csv")[3], 1)
        self.assertIn("could be two dates", self.said)
        self.assertEqual(self.tell(text, *TOUCH, "--dates", "dmy", name="g.csv")[1], 1)

    def test_a_mapping_file_says_it_as_options_do(self):
        mapping = {"account": "account", "type": "touch", "at": "when", "kind": "channel", "id": "id",
                   "source": "mail"}
        text = "id,account,when,channel\n1,acme,2024-05-01,email\n"
        path = self.write("map.json", json.dumps(mapping))
        self.assertEqual(self.tell(text, "--map", path), (1, 1, 0, 0, 0))
        self.assertEqual(self.events()[0]["source"], "mail")
        for bad, words in (({**mapping, "acount": "x"}, "'acount' is no option"), ({"at": 5}, "'at' is no option"),
                           ([], "a mapping is an object")):
            _, err = self.icp("event", "import", self.path_of("f.csv"), "--map",
                              self.write("map.json", json.dumps(bad)), status=65)
            self.assertIn(words, err)
        _, err = self.icp("event", "import", self.path_of("f.csv"), "--map", self.write("map.json", '{"a":\n,}'),
                          status=65)
        self.assertIn("map.json, line 2, column 1", err)

    def path_of(self, name):
        return os.path.join(self.folder, name)


class Tables(Served):
    def test_opportunities_are_created_and_won_or_lost(self):
        text = ("id,account,stage,from,closed,value\no1,acme,Won,2024-05-01,2024-06-01,1054\n"
                "o2,acme,Lost,2024-05-02,2024-06-02,0\no3,acme,Open,2024-05-03,,\no4,acme,Open,,,\n")
        self.assertEqual(self.tell(text, *DEALS), (4, 5, 0, 0, 1))
        self.assertEqual(self.ids(), ["o1:created", "o2:created", "o3:created", "o1:won", "o2:lost"])
        won = self.events("--types", "outcome")[0]
        self.assertEqual((won["kind"], won["subject"], won["amount"]), ("won", "o1", 105400))
        self.assertNotIn("amount", self.events("--types", "stage")[0])
        # A month later o3 is won: what was told already stays.
        later = text.replace("o3,acme,Open,2024-05-03,,", "o3,acme,Won,2024-05-03,2024-07-01,9.99")
        self.assertEqual(self.tell(later, *DEALS), (4, 1, 5, 0, 1))
        _, err = self.icp("event", "import", self.write("f.csv", text), *DEALS, "--won", "stag = 'Won'", status=65)
        self.assertIn("did you mean", err)

    def test_a_subscription_that_has_ended_since_is_told_anew(self):
        text = ("id,account,from,to,mrr,plan,gone\ns1,acme,2024-01-01,,27.86,Pro,false\n"
                "s2,acme,2024-01-01,2024-03-01,5,Basic,true\n")
        self.assertEqual(self.tell(text, *SUBSCRIPTIONS), (2, 3, 0, 0, 0))
        text = text.replace("s1,acme,2024-01-01,,27.86,Pro,false", "s1,acme,2024-01-01,2024-05-01,27.86,Pro,true")
        self.assertEqual(self.tell(text, *SUBSCRIPTIONS), (2, 2, 2, 0, 0))
        one = [event for event in self.events() if event.get("subject") == "s1"]
        self.assertEqual([(event["id"], event.get("end")) for event in one],
                         [("s1", None), ("s1:2024-05-01", 1714521600000), ("s1:churned", None)])
        self.assertEqual((one[0]["amount"], one[0]["months"], one[0]["label"]), (2786, 1, "Pro"))

    def test_whose_a_row_is_may_stand_in_another_file(self):
        subscriptions = self.write("subs.csv", "sid;whose\ns1;acme\ns2;crm:2\n")
        told = ("--account", "sid", "--type", "usage", "--at", "day", "--quantity", "n", "--id", "id")
        text = "id,sid,day,n\nu1,s1,2024-05-01,9\nu2,s2,2024-05-01,1.5\nu3,s3,2024-05-01,1\n"
        self.assertEqual(self.tell(text, *told, "--through", subscriptions + ":sid=whose", status=65), (3, 2, 0, 1, 0))
        self.assertIn("line 4, column 4, sid: no row of the file of --through has 's3' as its sid", self.said)
        self.assertEqual(self.events(account="other")[0]["quantity"], 1500)
        for bad, status in ((subscriptions, 64), (subscriptions + ":sid=who", 64), ("absent.csv:a=b", 66)):
            self.icp("event", "import", self.write("f.csv", text), *told, "--through", bad, status=status)
        twice = self.write("twice.csv", "sid,whose\ns1,acme\ns1,other\n")
        _, err = self.icp("event", "import", self.write("f.csv", text), *told, "--through", twice + ":sid=whose",
                          status=65)
        self.assertIn("of another account on line 2", err)


class CutOff(Served):
    ROWS = 3000

    def file(self):
        rows = [f"{i},{'acme' if i % 2 else 'other'},2024-05-01,email" for i in range(self.ROWS)]
        return self.write("many.csv", "id,account,when,channel\n" + "\n".join(rows) + "\n")

    def stored(self):
        with self.server.client() as client:
            return sum(client.call("timeline", {"id": account, "limit": 1})["count"] for account in ("acme", "other"))

    def begin_and_wait(self):
        """An import on its way, of which something is stored already."""
        process = self.start("event", "import", self.file(), *TOUCH, "--batch", "10")
        while process.poll() is None and self.stored() == 0:
            time.sleep(0.001)
        return process

    def end(self):
        counts = json.loads(self.icp("event", "import", self.file(), *TOUCH, "--json")[0])
        self.assertEqual(counts["new"] + counts["told"], self.ROWS)
        self.assertEqual(self.stored(), self.ROWS)
        ids = self.ids() + self.ids(account="other")
        self.assertEqual(sorted(ids, key=int), [str(i) for i in range(self.ROWS)])
        return counts

    def test_an_import_that_was_killed_is_begun_again_and_stores_nothing_twice(self):
        with self.begin_and_wait() as process:
            process.kill()
            process.communicate()
        self.assertGreater(self.end()["told"], 0)

    def test_so_is_one_whose_server_was_killed(self):
        with self.begin_and_wait() as process:
            self.server.stop(9)
            process.communicate()
        self.server.start()
        self.assertGreater(self.end()["told"], 0)


class Story(Served):
    def setUp(self):
        super().setUp()
        with self.server.client() as client:
            self.first = client.call("event-append", {"source": "crm", "events": [
                {"account": "acme", "id": "1", "type": "touch", "time": 1714521600000, "kind": "email",
                 "label": "a\u009b31m b", "person": "Ann"},
                {"account": "acme", "id": "2", "type": "outcome", "time": 1714564800000, "kind": "won",
                 "amount": 123456789, "currency": "USD", "subject": "o1"},
                {"account": "acme", "id": "3", "type": "subscription", "time": 1714608000000, "amount": 1500,
                 "currency": "JPY", "months": 12, "subject": "s1", "quantity": 9500, "end": 1746057600000}]})["seq"]
            client.call("event-append", {"source": "crm", "events": [
                {"account": "acme", "id": "r", "type": "retraction", "time": 1714608000000, "retracts": "1"}]})

    def test_a_person_reads_when_what_and_how_much(self):
        out, _ = self.icp("timeline", "acme", "--all")
        lines = out.splitlines()
        self.assertEqual(lines[0], "acme: 4 events")
        self.assertEqual(lines[1].split(), ["time", "type", "kind", "label", "amount", "subject", "more", "source:id"])
        for line, words in zip(lines[2:], (("2024-05-01 ", "touch", "taken back, person Ann", "crm:1"),
                                           ("2024-05-01 12:00:00", "1,234,567.89 USD", "o1", "crm:2"),
                                           ("2024-05-02", "1500 JPY", "quantity 9.5, for 12 months, until 2025-05-01"),
                                           ("retraction", "takes back 1", "crm:r"))):
            for word in words:
                self.assertIn(word, line)
        self.assertNotIn("\u009b", out)
        self.assertIn("\\x9b31m", out)
        self.assertIn("more       quantity 9.5", self.icp("timeline", "acme", "-x")[0])

    def test_an_account_is_called_by_its_name_where_accounts_have_names(self):
        with self.server.client() as client:
            client.call("schema-put", {"document": SCHEMA.replace('{"fields":[', '{"name":"company","fields":['
                                                                  '{"name":"company","type":"category"},')})
            client.call("account-patch", {"accounts": [{"id": "acme", "values": {"company": "Acme & Sons"}}]})
        self.assertTrue(self.icp("timeline", "acme")[0].startswith("acme  Acme & Sons: 2 events\n"))
        self.assertTrue(self.icp("timeline", "other")[0].startswith("other: no event"))

    def test_what_is_asked_for_is_chosen(self):
        self.assertEqual(self.ids(), ["2", "3"])
        self.assertEqual(self.ids("--newest"), ["3", "2"])
        self.assertEqual(self.ids("--types", "touch,outcome", "--all"), ["1", "2"])
        self.assertEqual(self.ids("--since", "2024-05-01T12:00:00Z", "--until", "2024-05-02"), ["2"])
        self.assertEqual(self.ids("--limit", "1"), ["2"])
        self.assertEqual(self.ids("--as-of", str(self.first)), ["1", "2", "3"])
        self.assertEqual(self.ids("--as-of", "2000-01-01"), [])
        self.assertEqual(self.ids("--as-of", "2999-01-01"), ["2", "3"])
        by_key = json.loads(self.icp("timeline", "--key", "crm:1", "--json")[0])
        self.assertEqual((by_key["id"], by_key["count"]), ("acme", 2))
        self.assertIn("1 of 2 events", self.icp("timeline", "acme", "--limit", "1")[0])
        self.assertIn("no event was told of it", self.icp("timeline", "other")[0])
        self.assertIn("no event that was asked for", self.icp("timeline", "acme", "--types", "spend")[0])

    def test_slips_are_answered_with_what_was_meant(self):
        for arguments, status, words in ((("nobody",), 65, "no account has the id 'nobody'"),
                                         (("crm:1",), 65, "it looks like a key: --key"),
                                         (("acme", "--types", "tuch"), 65, "is no type of event; there are touch"),
                                         (("acme", "--as-of", "x"), 64, "neither a sequence"),
                                         (("acme", "--since", "x"), 64, "is no date"),
                                         ((), 64, "give one of ID, --key and --email")):
            self.assertIn(words, self.icp("timeline", *arguments, status=status)[1])

    def test_many_pages_are_one_story_and_go_in_again_from_csv(self):
        rows = [f"{i},other,2024-05-01,email" for i in range(2500)]
        self.tell("id,account,when,channel\n" + "\n".join(rows) + "\n", *TOUCH)
        self.assertEqual(self.ids(account="other"), [str(i) for i in range(2500)])
        self.assertEqual(len(self.ids("--limit", "1001", account="other")), 1001)
        out, _ = self.icp("timeline", "acme", "--csv")
        told = ("--account", "=other", "--type", "type", "--at", "time", "--source", "copy")
        for name in ("id", "kind", "label", "subject", "amount", "currency", "quantity", "months", "end"):
            told += ("--" + name, name)
        self.assertEqual(self.tell(out, *told), (2, 2, 0, 0, 0))
        both = [[{**event, "source": "", "seq": 0, "known": 0} for event in events]
                for events in (self.events(), self.events("--types", "outcome,subscription", account="other"))]
        self.assertEqual(*both)


if __name__ == "__main__":
    unittest.main()

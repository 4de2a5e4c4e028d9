#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whose account a website or an address names: test_identity.py ICP ICPD ROOT."""
import itertools
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_icp  # noqa: E402

SCHEMA = {"id": "id", "keys": {"domain": "site"}, "fields": [{"name": "size", "type": "number"}]}


class Served(test_icp.Served):
    def setUp(self):
        super().setUp()
        self.icp("schema", "put", self.write("schema.json", json.dumps(SCHEMA)))

    def file(self, rows, *arguments, head="id,site,size", status=0):
        text = "".join(line + "\n" for line in [head, *rows])
        out, self.told = self.icp("import", self.write("accounts.csv", text), *arguments, "--json", status=status)
        return json.loads(out)

    def keys(self, account):
        return sorted(json.loads(self.icp("get", account, "--json")[0])["keys"])

    def whose(self, email):
        """The id of the account, None for nobody."""
        try:
            return json.loads(self.icp("get", "--email", email, "--json")[0])["id"]
        except AssertionError as nobody:
            self.assertIn("no account has the email", str(nobody))
            return None


class Hosts(Served):
    def test_a_sub_company_never_takes_its_parents_domain_whatever_the_order_of_rows(self):
        rows = ["group,https://www.lagoon.example,5000", "cargo,https://cargo.lagoon.example,300",
                "reef,reef.lagoon.example/en,40", "deep,https://deep.reef.lagoon.example,4"]
        for order in itertools.permutations(rows):
            self.file(order, "--replace")
            for email, account in (("x@cargo.lagoon.example", "cargo"), ("x@lagoon.example", "group"),
                                   ("x@mail.lagoon.example", "group"), ("x@www.lagoon.example", "group"),
                                   ("x@mail.cargo.lagoon.example", "cargo"), ("x@reef.lagoon.example", "reef"),
                                   ("x@deep.reef.lagoon.example", "deep"),
                                   ("x@other.reef.lagoon.example", "reef"), ("x@lagoon2.example", None)):
                self.assertEqual(self.whose(email), account, (email, order))

    def test_files_may_come_in_any_order_too(self):
        self.file(["cargo,cargo.lagoon.example,300"])
        # Alone below the domain, it stands for it until somebody comes with the domain itself.
        self.assertEqual(self.whose("x@lagoon.example"), "cargo")
        self.file(["group,lagoon.example,5000"], "--strict")
        self.assertEqual([self.whose(f"x@{host}lagoon.example") for host in ("", "cargo.", "mail.")],
                         ["group", "cargo", "group"])
        self.assertEqual(self.keys("group"), ["domain:lagoon.example"])
        # Another one below it is no mistake, and takes nothing from the first.
        counts = self.file(["dock,dock.lagoon.example,3"], "--strict")
        self.assertEqual((counts["refused"], counts["keys"]), (0, 1))
        self.assertEqual(self.keys("dock"), ["domain:dock.lagoon.example"])

    def test_of_two_below_a_domain_neither_stands_for_it(self):
        self.file(["cargo,cargo.lagoon.example,300", "dock,dock.lagoon.example,3", "ray,about.ray.example,1"])
        self.assertEqual([self.whose(f"x@{host}.example") for host in ("lagoon", "dock.lagoon", "ray", "m.ray")],
                         [None, "dock", "ray", "ray"])

    def test_tenants_of_one_host_are_strangers(self):
        hosts = ["onmicrosoft.com", "zendesk.com", "wordpress.com", "wixsite.com", "myshopify.com", "webnode.com",
                 "atlassian.net", "my.salesforce.com", "sharepoint.com", "teamtailor.com", "github.io", "uk.com",
                 "freshdesk.com", "notion.site", "web.app", "bamboohr.com", "typepad.com"]
        self.file([f"a{i},https://anchor.{host}/home,{i}" for i, host in enumerate(hosts)])
        for i, host in enumerate(hosts):
            self.assertEqual(self.whose(f"ann@anchor.{host}"), f"a{i}")
            self.assertEqual(self.whose(f"ann@eu.anchor.{host}"), f"a{i}")
            self.assertIsNone(self.whose(f"ann@basalt.{host}"))
            self.assertIsNone(self.whose(f"ann@{host}"))

    def test_a_page_on_a_shared_host_gives_no_key_and_its_home_page_does(self):
        self.file(["page,https://www.linkedin.com/company/x,1", "host,https://www.linkedin.com/,2",
                   "code,https://github.com/x,3", "query,https://github.com?q=x,4",
                   "app,https://apps.apple.com/app/id1,5"])
        self.assertEqual([self.keys(name) for name in ("page", "host", "code", "query", "app")],
                         [[], ["domain:linkedin.com"], [], [], []])
        self.assertIn("4 cells name a host that many organisations share", self.told)
        self.assertIn("apps.apple.com (1, first on line 6)", self.told)
        self.assertEqual(self.whose("ann@linkedin.com"), "host")

    def test_a_host_is_one_however_it_is_written(self):
        self.file(["b,HTTPS://user:pw@WWW.Bücher.example.:8443/x,1"])
        self.assertEqual(self.keys("b"), ["domain:xn--bcher-kva.example"])
        for host in ("bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.example.",
                     "shop.bücher.example"):
            self.assertEqual(self.whose(f"ann@{host}"), "b", host)

    def test_files_are_matched_by_the_host_of_a_site_and_by_any_name_above_an_address(self):
        self.file(["group,lagoon.example,1", "cargo,cargo.lagoon.example,2"])
        counts = self.file(["ann@mail.lagoon.example,11", "bob@eu.cargo.lagoon.example,12", "eve@new.example,13"],
                           "--match", "domain", head="site,size")
        self.assertEqual((counts["stored"], counts["created"]), (3, 1))
        sizes = [json.loads(self.icp("get", name, "--json")[0])["values"]["size"]["value"]
                 for name in ("group", "cargo", "new.example")]
        self.assertEqual(sizes, [11, 12, 13])
        counts = self.file(["dock.lagoon.example,14"], "--match", "domain", head="site,size")
        self.assertEqual(counts["created"], 1)


class Pasted(Served):
    FORMS = ["ann@anchor.example", "ann@anchor.example\u200b", "ann@\u200banchor.example", "\ufeffann@anchor.example",
             "ann@anchor.example,", "ann@anchor.example, bob@basalt.example", "ann@anchor.example;bob@basalt.example",
             "'ann@anchor.example'", "\u201cann@anchor.example\u201d", "mailto:ann@anchor.example?subject=hi",
             "Ann <ann@anchor.example>", "\"Doe, Ann\" <ann@anchor.example>", "<ann@anchor.example>", "ann@anchor.example.",
             "\u00a0ann@anchor.example\u3000", "ann\uff20anchor.example", "SMTP:ann@anchor.example", "an\u00adn@anchor.example"]

    def test_an_address_is_taken_as_it_is_pasted(self):
        self.file(["a,anchor.example,1"])
        for form in self.FORMS:
            self.assertEqual(self.whose(form), "a", repr(form))

    def test_what_is_no_address_is_told_as_such(self):
        for text in ("ann", "ann at anchor.example", "@anchor.example", "ann@", "ann@anchor", "n/a"):
            _, err = self.icp("get", "--email", text, status=test_icp.DATA)
            self.assertIn("is no email address", err)

    def test_leads_are_found_by_their_site(self):
        self.learned(600)
        self.icp("import", self.write("group.csv", "account,site,employees\ngroup,lagoon.example,1\n"), "--id", "account",
                 "--key", "domain=site")
        _, err = self.icp("score", "--csv", self.write("leads.csv", "site,employees\nshop.lagoon.example,5\n"
                                                       "www.lagoon.example,5\nwillow.zendesk.com,5\n"),
                          "--key", "domain=site", "--out", self.path("scored.csv"), "--json")
        self.assertIn("3 rows sent, 2 of a stored account", err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)

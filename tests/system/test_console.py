# SPDX-License-Identifier: Apache-2.0
"""The console as a browser without scripts has it: test_console.py ICPD. Every page is walked to by
its links and forms; each must be whole, say nothing that strangers wrote as markup, and fetch
nothing from elsewhere."""
import hashlib
import html.parser
import http.client
import os
import signal
import sys
import tempfile
import time
import unittest
import urllib.parse

import console_data
import icpd

BINARY = sys.argv.pop(1)
READ, ADMIN = "a-token-that-reads", "a-token-for-all-of-it"
PAGES = ("/", "/slow", "/profile", "/score", "/account", "/lists", "/measures")
OWNERS = ("/clients", "/audit")  # of who may do everything
VOID = {"meta", "link", "input", "br", "img", "hr"}


class Page(html.parser.HTMLParser):
    """What stands in a page, and what is wrong with it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.links, self.forms = [], [], [], []
        self.ids, self.text, self.headings, self.alerts = set(), [], [], []
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self.open]
        if self.headings.count("h1") != 1:
            self.wrong.append("not one h1")

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "style", "iframe", "img", "object", "embed", "base"):
            self.wrong.append(f"<{tag}>")
        for name, value in attrs.items():
            if name == "style" or name.startswith("on"):
                self.wrong.append(f"{name}= in <{tag}>")
            if name in ("href", "src", "action") and not (value.startswith("/") or
                                                          value.startswith("#")):
                self.wrong.append(f"{name}={value} leads elsewhere")
        if attrs.get("id") in self.ids:
            self.wrong.append(f"two of id {attrs['id']}")
        self.ids |= {attrs["id"]} if "id" in attrs else set()
        if tag == "a":
            self.links.append(attrs["href"])
        if tag == "form":
            self.forms.append((attrs.get("method"), attrs["action"], {}))
        if tag == "input":
            if "label" not in self.open and attrs.get("type") != "hidden":
                self.wrong.append(f"no label: {attrs}")
            self.forms[-1][2][attrs["name"]] = attrs.get("value", "")
        if tag == "svg" and not (attrs.get("aria-hidden") or attrs.get("aria-label")):
            self.wrong.append("a picture without a name")
        if tag == "th" and "scope" not in attrs:
            self.wrong.append("<th> of what?")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)
        if attrs.get("role") == "alert":
            self.alerts.append(tag)
        if tag not in VOID and not (tag in ("path", "rect", "circle")):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        self.text.append(data)

    def said(self):
        return " ".join(" ".join(self.text).split())


class Browser:
    """Keeps cookies, follows where it is sent."""

    def __init__(self, port):
        self.port, self.cookies = port, {}

    def ask(self, path, form=None, method=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=icpd.WAIT_S)
        if self.cookies:
            headers.setdefault("Cookie", "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        try:
            connection.request(method or ("POST" if body is not None else "GET"), path, body,
                               headers)
            reply = connection.getresponse()
            text = reply.read().decode()
        finally:
            connection.close()
        for cookie in reply.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
            if "Max-Age=0" in cookie:
                del self.cookies[name]
        return reply.status, text, reply.headers

    def sign_in(self, token):
        return self.ask("/signin", {"token": token})


class Console(unittest.TestCase):
    def page(self, browser, path, status=200, form=None):
        found, text, headers = browser.ask(path, form)
        self.assertEqual(found, status, path + "\n" + text[-3000:])
        page = Page(text)
        self.assertEqual(page.wrong, [], path)
        self.assertEqual(headers["Content-Security-Policy"],
                         "default-src 'none'; style-src 'self'; form-action 'self'; "
                         "base-uri 'none'; frame-ancestors 'none'")
        self.assertEqual(headers["X-Frame-Options"], "DENY")
        self.assertEqual(headers["Cache-Control"], "no-store")
        self.assertEqual(headers["Referrer-Policy"], "same-origin")
        return page


class Filled(Console):
    """A server with accounts, that wants tokens."""

    @classmethod
    def setUpClass(cls):
        env = dict(os.environ, ICPD_READ_TOKEN=READ, ICPD_ADMIN_TOKEN=ADMIN)
        cls.server = icpd.Server(BINARY, "--slowlog-us", "1", env=env)
        with cls.server.client() as client:
            client.call("hello", {"token": ADMIN})
            console_data.fill(client)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def browser(self, token=READ):
        browser = Browser(self.server.http)
        if token:
            status, _, headers = browser.sign_in(token)
            self.assertEqual((status, headers["Location"]), (303, "/"))
        return browser

    def test_every_page_that_links_lead_to_is_whole(self):
        browser = self.browser(ADMIN)
        seen, left = {}, ["/"]
        while left:
            path = left.pop(0).split("#")[0]
            kind = path.split("?")[0]
            # Accounts differ by their id alone: the hostile one and two others are enough.
            if not path or path in seen or sum(p.split("?")[0] == kind for p in seen) >= 6:
                continue
            seen[path] = self.page(browser, path)
            left += seen[path].links
        for path in PAGES + OWNERS + ("/lists/list", "/measures/measure"):
            self.assertTrue(any(p.split("?")[0] == path for p in seen), path)

    def test_what_strangers_wrote_is_shown_and_not_obeyed(self):
        browser = self.browser()
        account = self.page(browser, "/account?" + urllib.parse.urlencode(
            {"id": console_data.HOSTILE_ID}))
        self.assertIn("<script>alert(1)</script> \\u{202e} \" onload='x", account.said())
        self.assertIn("<b>odd</b> <i> \\u{200b} odd", account.said())
        self.assertIn("<em>crm</em>", account.said())
        self.assertIn("<b>odd</b>", self.page(browser, "/score").said())
        lists = self.page(browser, "/lists")
        self.assertIn("<b>spring</b> & \"more\"", lists.said())
        link = next(link for link in lists.links if "name=" in link)
        self.assertIn("acme-", self.page(browser, link).said())
        self.assertIn("<q>first</q>", self.page(browser, "/profile").said())
        odd = "\"><script>x</script>\x01"
        for path in ("/account?q=", "/account?id=", "/lists/list?name=", "/measures/measure?measure=",
                     "/profile?icp="):
            status, text, _ = browser.ask(path + urllib.parse.quote(odd))
            self.assertIn(status, (200, 404), path)
            self.assertEqual(Page(text).wrong, [], path)

    def test_the_overview_tells_what_the_server_does(self):
        page = self.page(self.browser(), "/")
        for word in ("Accounts 601", "account-put", "Store", "Connections", "icp-learn job done",
                     "account-put write", "scan 0 0", "search 0 0"):
            self.assertIn(word, page.said())
        status, _, headers = self.browser().ask("/?live=1")
        self.assertEqual((status, headers["Refresh"]), (200, "5"))

    def test_the_slow_log_is_the_latest_first(self):
        said = self.page(self.browser(), "/slow").said()
        self.assertIn("icpd-console", said)
        self.assertLess(said.index("icpd-console"), said.index("tal-build"))

    def test_clients_and_writes_are_shown_to_who_may_see_them(self):
        browser = self.browser(ADMIN)
        said = self.page(browser, "/clients").said()
        for word in ("icpd-console", "unix pid", "admin", "hello"):
            self.assertIn(word, said)
        page = self.page(browser, "/audit")
        self.assertLess(page.said().index("list 1"), page.said().index("put 601"))
        self.assertIn("put 601", self.page(browser, "/audit?before=6").said())
        self.assertIn("There is none", self.page(browser, "/audit?before=1").said())
        self.assertIn("put 601", self.page(browser, "/audit?id=acme-1").said())
        self.assertIn("There is none", self.page(browser, "/audit?id=nobody").said())
        reader = self.browser()
        for path in OWNERS:
            self.assertNotIn(path, self.page(reader, "/").links)
            self.assertEqual(self.page(reader, path, 403).alerts, ["p"])

    def test_the_profile_shows_its_evidence(self):
        page = self.page(self.browser(), "/profile")
        for word in ("Version 1, in force", "won = 1", "AUC", "importance", "employees",
                     "An account starts at", "Software +", "All versions"):
            self.assertIn(word, page.said())
        self.assertEqual(self.page(self.browser(), "/profile?icp=9", 404).alerts, ["p"])

    def test_a_lead_is_scored_and_the_parts_make_the_whole(self):
        browser = self.browser()
        form = self.page(browser, "/score").forms[-1]
        self.assertEqual(form[:2], ("post", "/score"))
        self.assertIn("value.employees", form[2])
        said = self.page(browser, "/score", form={
            **form[2], "value.employees": "4000", "value.industry": "Software"}).said()
        for word in ("Grade", "Probability", "employees", "where every account starts", "the whole",
                     "No stored account was found", "Not known:"):
            self.assertIn(word, said)
        said = self.page(browser, "/score", form={"email": "ann@acme1.example"}).said()
        self.assertIn("The score of acme-1", said)
        wrong = self.page(browser, "/score", 400, form={"value.employees": "<many>"})
        self.assertIn("bad-field values.employees", wrong.said())
        self.assertEqual(self.page(browser, "/score", 404, form={"id": "nobody"}).alerts, ["p"])
        self.assertIn("Say who it is", self.page(browser, "/score", form={"id": ""}).said())

    def test_an_account_is_found_by_whatever_is_known_of_it(self):
        browser = self.browser()
        for text in ("acme-1", "crm:00001", "domain:acme1.example", "ann@acme1.example"):
            said = self.page(browser, "/account?" + urllib.parse.urlencode({"q": text})).said()
            self.assertIn("Id: acme-1 ", said, text)
        page = self.page(browser, "/account?q=Acme+17+Ltd")
        self.assertIn("/account?id=acme%2D17", page.links)
        self.assertIn("No account has this", self.page(browser, "/account?q=Zebra", 404).said())
        self.assertEqual(self.page(browser, "/account?id=nobody", 404).alerts, ["p"])

    def test_a_timeline_is_read_page_by_page(self):
        browser = self.browser()
        page = self.page(browser, "/account?id=acme-1")
        for word in ("63 events", "MRR now", "First payment 2023-11-14", "Days of tenure 365"):
            self.assertIn(word, page.said())
        older = next(link for link in page.links if "skip=" in link)
        page = self.page(browser, older.split("#")[0])
        for word in ("12000.00 USD", "label Team", "for 12 months", "person <u>Ann</u>",
                     "campaign spring \\u{200b}"):
            self.assertIn(word, " ".join(page.said().replace(" , ", ", ").split()))

    def test_a_list_is_read_page_by_page(self):
        browser = self.browser()
        link = next(link for link in self.page(browser, "/lists").links if "name=" in link)
        page = self.page(browser, link)
        self.assertIn("150 accounts", page.said())
        after = next(link for link in page.links if "offset=" in link)
        self.assertIn("Before", self.page(browser, after).said())
        self.assertEqual(self.page(browser, "/lists/list?name=none", 404).alerts, ["p"])

    def test_a_measure_is_worked_out_when_its_form_is_sent(self):
        browser = self.browser()
        link = next(link for link in self.page(browser, "/measures").links if "measure=mrr" in link)
        page = self.page(browser, link)
        self.assertNotIn("What was measured", page.said())
        method, action, fields = next(form for form in page.forms if form[1].startswith("/meas"))
        self.assertEqual(method, "get")
        fields.update({name: "2024-06-01" for name in fields if name.endswith("to")})
        fields.update({name: "2024-01-01" for name in fields if name.endswith("from")})
        said = self.page(browser, action + "?" + urllib.parse.urlencode(fields)).said()
        self.assertIn("What was measured", said)
        self.assertIn("Amounts are in USD", said)
        fields["filter"] = "employees >"
        self.assertEqual(self.page(browser, action + "?" + urllib.parse.urlencode(fields),
                                   400).alerts, ["p"])

    def test_without_a_session_there_is_nothing_but_the_form(self):
        browser = self.browser(None)
        for path in PAGES + ("/lists/list?name=x", "/measures/measure?measure=mrr"):
            page = self.page(browser, path, 401)
            self.assertEqual([form[:2] for form in page.forms], [("post", "/signin")], path)
            self.assertNotIn("acme", page.said())
        self.assertEqual(self.page(browser, "/score", 401, form={"id": "acme-1"}).alerts, [])

    def test_a_wrong_token_is_told_and_gets_no_session(self):
        browser = self.browser(None)
        for token in ("wrong", "x" * 600, READ[:-1], "\x00"):
            status, text, headers = browser.sign_in(token)
            self.assertIn(status, (400, 401), token)
            self.assertIsNone(headers["Set-Cookie"])
        self.assertEqual(self.page(browser, "/", 401).alerts, [])

    def test_the_cookie_is_for_this_server_alone(self):
        _, _, headers = self.browser(None).sign_in(READ)
        self.assertRegex(headers["Set-Cookie"],
                         r"^icpd_\d+=[0-9a-f]{64}; HttpOnly; SameSite=Strict; Path=/$")

    def test_signing_out_ends_the_session(self):
        browser = self.browser()
        kept = dict(browser.cookies)
        self.assertEqual(browser.ask("/signout", {})[0], 303)
        self.assertEqual(browser.cookies, {})
        browser.cookies = kept
        self.assertEqual(self.page(browser, "/", 401).alerts, ["p"])

    def test_a_link_signs_nobody_out(self):
        browser = self.browser()
        browser.ask("/signout")
        self.page(browser, "/")

    def test_a_cookie_of_anything_else_is_no_session(self):
        browser = self.browser(None)
        name = next(iter(self.browser().cookies))
        for value in ("", "0" * 64, "a" * 5000, "%00", "\"" + "0" * 64 + "\""):
            browser.cookies = {"other": "x", name: value}
            self.page(browser, "/", 401)

    def test_form_and_method_are_checked(self):
        browser = self.browser()
        self.assertEqual(browser.ask("/", {})[0], 405)
        self.assertEqual(browser.ask("/score", method="DELETE")[0], 405)
        self.assertEqual(browser.ask("/nowhere")[0], 404)
        self.assertEqual(browser.ask("/account?q=%zz")[0], 400)
        self.assertEqual(browser.ask("/score", {"id": "a"}, **{"Content-Type": "text/plain"})[0], 415)
        self.assertEqual(browser.ask("/score", {"id": "a" * 17000})[0], 413)
        self.assertEqual(browser.ask("/score", {"id": "a"}, Origin="http://evil.example")[0], 403)
        self.assertEqual(browser.ask("/", **{"Sec-Fetch-Site": "cross-site"})[0], 403)
        self.assertEqual(browser.ask("/", Host="evil.example")[0], 400)
        self.assertIn(browser.ask("/", Cookie="x=" + "a" * 40000)[0], (400, 413, 431))
        status, text, headers = browser.ask("/", method="HEAD")
        self.assertEqual((status, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)

    def test_the_style_sheet_is_all_that_is_fetched(self):
        status, text, headers = self.browser(None).ask("/console.css")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/css; charset=utf-8"))
        self.assertNotIn("url(", text)
        self.assertNotIn("@import", text)


class Others(Console):
    def serve(self, *flags, **more):
        server = icpd.Server(BINARY, *flags, **more)
        self.addCleanup(server.close)
        return server

    def test_an_empty_server_without_tokens_says_what_it_has_not(self):
        server = self.serve()
        browser = Browser(server.http)
        for path in PAGES:
            self.page(browser, path)
        self.assertIn("no-icp", self.page(browser, "/profile").said())
        self.assertIn("There is no list yet", self.page(browser, "/lists").said())
        self.assertEqual(browser.ask("/signin")[0], 303)
        self.assertEqual(server.stop(), 0)

    def line(self, name, role):
        token = f"{name}.{'5a' * 32}"
        digest = hashlib.sha256(bytes(16) + token.encode()).hexdigest()
        return token, f"{name} role={role} hash={'00' * 16}:{digest}\n"

    def test_each_role_is_shown_what_it_may_use(self):
        router, router_line = self.line("router", "score")
        watcher, watcher_line = self.line("watcher", "metrics")
        server = self.serve_tokens(router_line + watcher_line)
        browser = Browser(server.http)
        self.assertEqual(browser.sign_in(router)[0], 303)
        page = self.page(browser, "/")
        self.assertIn("has the role score", page.said())
        self.assertEqual([link for link in page.links if link not in ("/", "#page")],
                         ["/score", "/score"])
        self.assertEqual(self.page(browser, "/score").alerts, [])
        self.assertEqual(self.page(browser, "/slow", 403).alerts, ["p"])
        self.assertEqual(browser.sign_in(watcher)[0], 303)
        page = self.page(browser, "/")
        self.assertIn("Accounts 0", page.said())
        self.assertEqual([link for link in page.links if link not in ("/", "#page")],
                         ["/?live=1"])
        self.assertEqual(page.alerts, [])

    def test_a_token_that_is_taken_away_ends_its_sessions(self):
        one, one_line = self.line("one", "read")
        two, two_line = self.line("two", "read")
        server = self.serve_tokens(one_line + two_line)
        browser, other = Browser(server.http), Browser(server.http)
        self.assertEqual(browser.sign_in(one)[0], 303)
        self.assertEqual(other.sign_in(two)[0], 303)
        self.page(browser, "/")
        self.write(server, two_line)
        server.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + icpd.WAIT_S
        while browser.ask("/")[0] != 401:
            self.assertLess(time.monotonic(), end)
        self.assertEqual(browser.cookies, {})
        self.page(other, "/")
        self.assertNotIn(one, server.log())

    def write(self, server, text):
        path = os.path.join(self.folder, "tokens")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return path

    def serve_tokens(self, text):
        folder = tempfile.TemporaryDirectory(prefix="icpd-console-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        return self.serve("--tokens-file", self.write(None, text))


if __name__ == "__main__":
    unittest.main()

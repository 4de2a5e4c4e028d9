#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mistakes that people type into icp, and screens of two sizes: test_mistakes.py ICP ICPD ROOT.

A mistake is a line of a shell, the exit status, and what its answer must say: what is wrong, or what
was meant. No answer may be empty, tell of an assertion, or be longer than a person reads.

A screen is a command in a terminal of 80 or of 40 columns. No line may be wider than it, and no word
may be broken: each must be one of the words that the same command writes where there is no screen.
Before it the control: a screen that does break a word is found."""
import contextlib
import os
import pty
import re
import select
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unicodedata
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICP, ICPD, ROOT = sys.argv[1:4]
USAGE, DATA, NOINPUT, UNAVAILABLE, CANTCREAT = 64, 65, 66, 69, 73

# The lines of a shell behind `icp`, the status, a part of the answer.
MISTAKES = [
    # Commands.
    ("scoer a17", USAGE, "did you mean 'icp score'"),
    ("SCORE a17", USAGE, "did you mean 'icp score'"),
    ("imprt x.csv", USAGE, "did you mean 'icp import'"),
    ("load x.csv", USAGE, "did you mean 'icp import'"),
    ("upload x.csv", USAGE, "did you mean 'icp import'"),
    ("schem get", USAGE, "did you mean 'icp schema"),
    ("schema", USAGE, "schema infer, schema put, schema get"),
    ("schema show", USAGE, "schema infer, schema put, schema get"),
    ("schema infr x.csv", USAGE, "did you mean 'icp schema infer'"),
    ("tal", USAGE, "tal build, tal list"),
    ("tal biuld x", USAGE, "did you mean 'icp tal build'"),
    ("capture", USAGE, "capture start"),
    ("select 'true'", USAGE, "did you mean 'icp filter'"),
    ("search x", USAGE, "did you mean 'icp filter'"),
    ("query x", USAGE, "did you mean 'icp filter'"),
    ("info", USAGE, "did you mean 'icp stats'"),
    ("status", USAGE, "did you mean 'icp stats'"),
    ("health", USAGE, "did you mean 'icp doctor'"),
    ("train", USAGE, "did you mean 'icp learn'"),
    ("predict a17", USAGE, "did you mean 'icp score'"),
    ("rm a17", USAGE, "did you mean 'icp delete'"),
    ("remove a17", USAGE, "did you mean 'icp delete'"),
    ("rollback", USAGE, "did you mean 'icp revert'"),
    ("use 3", USAGE, "did you mean 'icp activate'"),
    ("lookalike a17", USAGE, "did you mean 'icp similar'"),
    ("neighbors a17", USAGE, "did you mean 'icp similar'"),
    ("ls", USAGE, "did you mean 'icp list'"),
    ("kill 3", USAGE, "did you mean 'icp cancel'"),
    ("frobnicate", USAGE, "'icp help' lists them"),
    ("help scoer", USAGE, "did you mean 'icp help score'"),
    ("help frobnicate", USAGE, "'icp help' lists them"),
    ("--uri", USAGE, "no command follows"),
    ("-x", USAGE, "no command follows"),
    ("--tls-c c.pem ping", USAGE, "--tls-c could be several options"),
    ("--ur nonsense ping", USAGE, "is no URI of icpd"),
    ("--uri icps://127.0.0.1:1 --tls-ca nofile ping", USAGE, "nofile cannot be used: No such file"),
    # Options.
    ("filter true --limt 5", USAGE, "did you mean --limit N"),
    ("filter true --field industry --limit 5", 0, "industry"),
    ("filter true --feilds industry", USAGE, "did you mean --fields"),
    ("filter true -json", USAGE, "did you mean --json"),
    ("filter true --Json", USAGE, "did you mean --json"),
    ("filter true –json", USAGE, "type --json"),
    ("filter true ––limit 5", USAGE, "type --limit"),
    ("filter true —limit 5", USAGE, "type --limit"),
    ("filter true --limit", USAGE, "the value is missing"),
    ("filter true --limit five", USAGE, "'five' is not a whole number from 1 to"),
    ("filter true --limit 0", USAGE, "from 1 to"),
    ("filter true --limit -3", USAGE, "'-3' is not a whole number"),
    ("filter true --limit 1e3", USAGE, "'1e3' is not a whole number"),
    ("filter true --limit 5,000", USAGE, "'5,000' is not a whole number"),
    ("filter true --json=yes", USAGE, "--json takes no value"),
    ("filter true --s fit", USAGE, "could be several options"),
    ("filter true --sort size", DATA, "fit"),
    ("filter true --fields ''", USAGE, "the list is empty"),
    ("filter true --fields industri", DATA, "industry"),
    ("filter true --icp 99", DATA, "99"),
    ("filter true --icp latest", USAGE, "'latest' is not a whole number"),
    ("filter true --for-spreadsheet", USAGE, "goes with --csv"),
    ("get a17 --format json", USAGE, "there is no option --format"),
    ("score acct-000001 --reason 3", 0, "points"),
    ("score acct-000001 --resons 3", USAGE, "did you mean --reasons"),
    ("score acct-000001 --out x", USAGE, "--out goes with --csv"),
    ("score --csv x.csv", USAGE, "--out FILE is needed"),
    ("learn --labl x", USAGE, "did you mean --label"),
    ("similar acct-000001 --top 5", USAGE, "'icp help similar' lists them"),
    ("similar acct-000001 --metric l2", USAGE, "takes effect with --build"),
    ("similar acct-000001 --recall 99", USAGE, "a share above 0 and up to 1"),
    ("similar acct-000001 -k 0", USAGE, "from 1 to"),
    ("stats --watch", USAGE, "the value is missing"),
    ("stats --watch 0", USAGE, "from 1 to"),
    ("ping --count many", USAGE, "'many' is not a whole number"),
    ("ping --timeout 0", USAGE, "from 1 to"),
    ("ping --token /nonexistent", NOINPUT, "cannot open"),
    # Arguments.
    ("filter", USAGE, "EXPRESSION is missing"),
    ("filter industry = 'Software'", USAGE, "put quotes around it"),
    ("count industry = Software", USAGE, "put quotes around it"),
    ("count", USAGE, "EXPRESSION is missing"),
    ("get", USAGE, "give one of ID, --key and --email"),
    ("get a --email b@c.com", USAGE, "give one of"),
    ("score", USAGE, "whom to score?"),
    ("score a b", USAGE, "'b' is one argument too many"),
    ("score --set employees", USAGE, "'employees' is not FIELD=VALUE"),
    ("score --set emploees=5", USAGE, "did you mean 'employees'"),
    ("score --set employees=many", DATA, "'many' is not a number"),
    ("score --set demo_requested=perhaps", DATA, "is not a flag"),
    ("similar", USAGE, "like whom?"),
    ("activate", USAGE, "VERSION is missing"),
    ("activate first", USAGE, "'first' is no version"),
    ("activate v1", USAGE, "'icp list' shows them"),
    ("activate 0", USAGE, "is no version"),
    ("activate 99", DATA, "99"),
    ("activate 1.0", USAGE, "is no version"),
    ("challenge show first", USAGE, "'first' is no challenge"),
    ("show all", USAGE, "'all' is no version"),
    ("show 99", DATA, "99"),
    ("cancel", USAGE, "JOB is missing"),
    ("cancel all", USAGE, "'all' is no job"),
    ("cancel 99", DATA, "99"),
    ("delete", USAGE, "ID… is missing"),
    ("list 3", USAGE, "only options may follow"),
    ("stats scores", USAGE, "only options may follow"),
    ("learn stage", USAGE, "only options may follow"),
    ("learn", USAGE, "one of --label EXPRESSION, such as \"stage = 'Won'\", and --policy FILE.json is needed"),
    ("tal build", USAGE, "NAME is missing"),
    ("tal show nothing", DATA, "there is no target account list 'nothing'"),
    ("tal diff a", USAGE, "A B is missing"),
    ("tal build x --quota industry", USAGE, "is not FIELD=N"),
    ("tal build x --filter \"industry = 'Nowhere'\"", DATA, "the list would be empty"),
    ("auc scored.csv", USAGE, "both --label EXPRESSION and --score COLUMN"),
    ("split leads.csv", USAGE, "both --out FILE and --rest FILE"),
    ("split leads.csv --fraction 2 --out a --rest b", USAGE, "0"),
    ("sample", USAGE, "--out"),
    # Ids and addresses.
    ("get nobody", DATA, "no account has the id 'nobody'"),
    ("get ann@acme.com", DATA, "it looks like an address: --email"),
    ("get domain:acme.com", DATA, "it looks like a key: --key"),
    ("learn --label \"stage = 'Won'\" --exclude employes", DATA, "did you mean 'employees'"),
    ("get --key acme.com", DATA, "such as domain:acme.com"),
    ("get --key domain:nowhere.example", DATA, "domain:nowhere.example"),
    ("get --email ann", DATA, "no email address"),
    ("get --email ann@gmail.com", DATA, "gives mailboxes to everybody"),
    ("get ''", DATA, "id"),
    ("score nobody", DATA, "nobody"),
    ("score --email ann@nowhere.example", DATA, "nowhere.example"),
    ("similar nobody", DATA, "nobody"),
    ("delete nobody", 0, "0 of 1 accounts removed"),
    # Expressions.
    ("count ''", DATA, "is empty; a condition is wanted"),
    ("count 'emploees > 5'", DATA, "did you mean \"employees\""),
    ("count 'employees > 1,000'", DATA, "without it, like 1000"),
    ("count 'employees > many'", DATA, "a number is wanted"),
    ("count 'employees => 5'", DATA, "the sign is written >="),
    ("count 'employees == 5'", DATA, "write = once"),
    ("count 'employees > 5 && employees < 9'", DATA, "here it is: and"),
    ("count 'employees > 5 || employees < 9'", DATA, "here it is: or"),
    ("count 'employees > 5 & employees < 9'", DATA, "here it is: and"),
    ("count 'employees between 9 and 5'", DATA, "above its second"),
    ("count 'employees between 5, 9'", DATA, "and is wanted"),
    ("count 'employees in ()'", DATA, "the list is empty"),
    ("count 'employees in 5, 6'", DATA, "( is wanted before a list"),
    ("count 'employees = null'", DATA, "employees is missing"),
    ("count 'employees is null'", DATA, "here it is: is missing"),
    ("count 'employees has 5'", DATA, "is a number field; it takes"),
    ("count 'employees contains 5'", DATA, "is a number field; it takes"),
    ("count 'industry = Software'", DATA, "text goes in single quotes: 'Software'"),
    ("count 'industry = \"Software\"'", DATA, "text goes in single quotes: 'Software'"),
    ("count \"industry = 'Software\"", DATA, "is not closed"),
    ("count 'industry = ‘Software’'", DATA, "type straight ones"),
    ("count \"industry like 'Soft%'\"", DATA, "here it is: contains"),
    ("count \"industry = 'software'\"", 0, "there is 'Software'"),
    ("count \"industry = 'Sofware'\"", 0, "there is 'Software'"),
    ("count \"industry = 'SOFTWARE'\"", 0, "there is 'Software'"),
    ("count \"industry = 'Nothing like it'\"", 0, "no account has 'Nothing like it' in industry"),
    ("count \"technologies has 'salesforce'\"", 0, "there is 'Salesforce'"),
    ("count \"technologies has any 'Salesforce'\"", DATA, "( is wanted"),
    ("count \"industry = 'Select'\"", DATA, "means missing"),
    ("count '(employees > 5'", DATA, "to close the bracket"),
    ("count 'employees > 5)'", DATA, "and, or, or the end is wanted"),
    ("count 'employees > 5 and'", DATA, "not the end of the filter"),
    ("count 'not'", DATA, "a field is wanted here"),
    ("count 'employees'", DATA, "an operator is wanted"),
    ("count 'employees 5'", DATA, "an operator is wanted"),
    ("count 'on tal nothing'", DATA, "single quotes"),
    ("count \"on tal 'nothing'\"", DATA, "no target account list 'nothing'"),
    ("count \"grade = 'E'\"", DATA, "'A', 'B', 'C' or 'D'"),
    ("count \"grade > 'B'\"", DATA, "takes =, !="),
    ("learn --label 'fit > 5'", DATA, "cannot stand in a label"),
    ("learn --label \"stage = 'won'\"", DATA, "there is 'Won'"),
    # Files.
    ("import", USAGE, "FILE.csv is missing"),
    ("import --everything", USAGE, "which file? One that 'icp export --everything FILE' wrote"),
    ("import --everything accounts.csv", DATA, "for accounts of a CSV file leave --everything out"),
    ("import nothing.csv", NOINPUT, "cannot open nothing.csv"),
    ("import .", NOINPUT, "directory"),
    ("import empty.csv", DATA, "is empty"),
    ("import other.csv", DATA, "no column 'account_id'"),
    ("import leads.csv --id emale", DATA, "did you mean 'email'"),
    ("import accounts.csv --key website", USAGE, "is not NAMESPACE=COLUMN"),
    ("import leads.csv --schema schema.json", USAGE, "--schema is for --dry-run"),
    ("import accounts.csv --separator ab", USAGE, "one sign is wanted"),
    ("import accounts.csv --decimal ,", USAGE, "none of point, comma"),
    ("import accounts.csv --encoding utf8", USAGE, "none of utf-8, utf-16, latin1"),
    ("import accounts.csv --batch 0", USAGE, "from 1 to"),
    ("schema infer", USAGE, "FILE.csv is missing"),
    ("schema infer accounts.csv --id acount_id", USAGE, "did you mean"),
    ("schema put accounts.csv", DATA, "line 1"),
    ("schema put broken.json", DATA, "broken.json, line 1"),
    ("schema put nothing.json", NOINPUT, "cannot open"),
    ("put broken.json", DATA, "broken.json, line 1"),
    ("score --csv leads.csv --out /nonexistent/x", CANTCREAT, "cannot write"),
    ("score --csv accounts.csv --out x --id nothing", USAGE, "has no column 'nothing'"),
    ("auc accounts.csv --label \"stage = 'Won'\" --score emploees", USAGE, "did you mean 'employees'"),
    ("auc accounts.csv --label \"stag = 'Won'\" --score employees", DATA, "did you mean \"stage\""),
    ("auc accounts.csv --label \"stage = 'Won'\" --score industry", DATA, "holds no numbers"),
    ("watch", USAGE, "icp monitor"),
    ("KEYS", USAGE, "icp filter"),
    ("who", USAGE, "icp clients"),
    ("count 'colour = 1'", DATA, "'icp schema get' lists the fields"),
    ("filter true --fields colour", DATA, "the schema has no field 'colour'"),
    # Servers.
    ("ping --uri localhost:4273", USAGE, "icp://"),
    ("ping --uri http://localhost:4273", USAGE, "icp://"),
    ("ping --uri icp://127.0.0.1:1", UNAVAILABLE, "is icpd running there?"),
    ("ping --uri icp+unix:/nonexistent", UNAVAILABLE, "is icpd running there?"),
]

SCREENS = [
    "help", "help filter", "help import", "help similar", "help tal build", "help tal", "list", "schema get", "show",
    "show --fields 3", "get acct-000001", "get acct-000001 -x", "filter true --limit 5",
    "filter true --limit 3 --fields industry,employees,technologies,country --scores",
    "filter true --limit 2 --fields industry,technologies -x", "score acct-000001 --reasons 3",
    "similar acct-000001 -k 3", "similar acct-000001 -k 2 -x", "tal list", "tal show best --limit 3", "tal check best",
    "jobs", "stats", "doctor", "version", "ping --count 3", "count true", "count \"industry = 'software'\"",
    "count 'employees > many and industry = 1 and employees > 5 and employees < 10000'",
    "filter true --limt 5", "scoer", "learn", "schema infer accounts.csv --quiet",
    "clients", "clients -x", "slowlog", "audit", "audit --limit 3", "audit acct-000001", "monitor --seconds 4",
    "capture state", "cancel 99", "backup", "tal diff best second", "recall --n 20", "similar acct-000001 -k 2 --reasons 2",
    "split accounts.csv --fraction 0.5 --out a.csv --rest b.csv", "auc accounts.csv --label \"stage = 'Won'\" --score employees",
    "import accounts.csv --dry-run", "import accounts.csv --dry-run --id nothing", "activate 1 --reason 'agreed on Monday with everybody'",
    "score --email nobody@gmail.com", "get nobody", "delete nobody", "tal show nothing", "revert"]

# What differs between two runs of one command, and what is a number or a line of the shell.
VOLATILE = re.compile(r"^[\d.,:+%#-]+$|^(µs|ms|s|KiB|MiB|GiB|B|\\)$")
# A bar that counts, which a pipe does not get.
PROGRESS = re.compile(r"\[[# ]+\] +\d+ % \d+ rows")


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="icp-mistakes-")
        cls.server = icpd.Server(ICPD)
        cls.environment = {**os.environ, "ICP_URI": f"icp://127.0.0.1:{cls.server.port}", "TERM": "xterm",
                           "ICP_PAGER": ""}
        for name in ("COLUMNS", "LINES", "ICP_TOKEN"):
            cls.environment.pop(name, None)
        for line in ("sample --out . --accounts 2500 --seed 3", "schema put schema.json", "import accounts.csv",
                     "learn --label \"stage = 'Won'\" --where \"stage in ('Won','Lost')\" --activate --name 'the first one'",
                     "stats", "tal build best --filter \"not stage = 'Won'\" -k 20 --note 'a note that is somewhat longer than a screen is wide'",
                     "tal build second --filter \"industry = 'Software'\" -k 20"):
            done = cls.icp(line)
            if done.returncode != 0:
                raise AssertionError(done.stdout + done.stderr)
        cls.write("empty.csv", "")
        cls.write("other.csv", "a,b\n1,2\n")
        cls.write("broken.json", "{\"fields\": [}")
        cls.write("scored.csv", "p,won\n1,yes\n")
        cls.write("wide.csv", "id,名前,a rather long name of a column\n"
                  + "".join(f"a{i},{'株式会社テスト' if i % 2 else '有限会社'},{i}\n" for i in range(30)))

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        shutil.rmtree(cls.folder)

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    @classmethod
    def icp(cls, line):
        return subprocess.run([ICP, *shlex.split(line)], cwd=cls.folder, env=cls.environment, text=True,
                              capture_output=True, timeout=120, check=False)


class Mistakes(Served):
    def test_each_is_answered(self):
        self.assertGreaterEqual(len(MISTAKES), 150)
        faults = []
        for line, status, says in MISTAKES:
            done = self.icp(line)
            answer = done.stdout + done.stderr
            said = done.stderr if status != 0 else answer
            if done.returncode != status or says not in said:
                faults.append(f"icp {line}\n  status {done.returncode}, not {status}; wanted: {says}\n  {answer}")
            elif len(said) > 1500 or "Assertion" in answer or "(null)" in said:
                faults.append(f"icp {line}\n  is no answer for a person: {answer}")
        self.assertEqual(faults, [], "\n".join(faults))


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text.replace("\r\n", "\n").replace("\r", "\n"))


def screen_faults(screen, columns, words):
    for line in plain(screen).split("\n"):
        if width(line) > columns and any(width(word) < columns - 24 for word in [line.strip()]):
            yield f"wider than {columns}: {line!r}"
        if width(line) > columns and len(line.split()) > 1:
            yield f"wider than {columns}: {line!r}"
        for word in PROGRESS.sub("", line).split():
            if word not in words and not VOLATILE.match(word) and width(word) <= columns - 24:
                yield f"broken: {word!r} in {line!r}"


class Screens(Served):
    def screen(self, line, columns):
        """What the command writes to a terminal of 24 rows."""
        pid, fd = pty.fork()
        if pid == 0:
            import fcntl
            import termios
            fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.chdir(self.folder)
            os.execve(ICP, [ICP, *shlex.split(line)], self.environment)
        text = b""
        while True:
            try:
                got = os.read(fd, 65536)
            except OSError:
                break
            if not got:
                break
            text += got
        os.waitpid(pid, 0)
        os.close(fd)
        return text.decode()

    @contextlib.contextmanager
    def asked(self):
        """Somebody asks the server something all the while."""
        def ask():
            with icpd.Client(port=self.server.port) as client:
                while not over.wait(0.05):
                    client.call("ping")

        over = threading.Event()
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            over.set()
            asking.join()

    def words(self, line):
        done = self.icp(line)
        return set((done.stdout + done.stderr).split())

    def faults_of(self, line):
        with self.asked() if line.startswith("monitor") else contextlib.nullcontext():
            words = self.words(line)
            screens = {columns: self.screen(line, columns) for columns in (80, 40)}
        self.assertTrue(words, line)
        self.assertTrue(all(screen.strip() for screen in screens.values()), line)
        return [
            f"icp {line}, {columns} columns: {fault}"
            for columns, screen in screens.items()
            for fault in screen_faults(screen, columns, words)
        ]

    def test_no_word_is_broken_on_a_screen_of_either_width(self):
        faults = []
        commands = [line[2:18].strip() for line in self.icp("help").stdout.splitlines() if line.startswith("  ")]
        for line in [*SCREENS, *(f"help {command}" for command in commands)]:
            found = []
            for _ in range(3):  # what a running server says may change between two looks at it
                found = self.faults_of(line)
                if not found:
                    break
            faults += found
        self.assertEqual(faults, [], "\n".join(faults))

    def test_the_control_is_found(self):
        self.assertTrue(list(screen_faults("a line that is much too wide for it\n", 30, set("a line that is much too wide for it".split()))))
        self.assertTrue(list(screen_faults("a wo\nrd that is\n", 40, {"a", "word", "that", "is"})))
        self.assertFalse(list(screen_faults("a word\nthat is\n", 40, {"a", "word", "that", "is"})))

    def test_wide_characters_stand_straight(self):
        screen = plain(self.screen("schema infer wide.csv", 100))
        lines = [line for line in screen.split("\n") if " %" in line]
        ends = {width(line[:line.index(" %")]) for line in lines}
        self.assertEqual(len(ends), 1, screen)

    def test_colour_is_for_terminals_that_want_it(self):
        self.assertIn("\x1b[1m", self.screen("list", 80))
        self.assertNotIn("\x1b", self.icp("list").stdout)
        self.environment["NO_COLOR"] = "1"
        self.addCleanup(self.environment.pop, "NO_COLOR")
        self.assertNotIn("\x1b", self.screen("list", 80))

    def test_a_long_answer_goes_through_the_pager(self):
        self.environment["ICP_PAGER"] = "sed s/^/PAGED:/"
        self.addCleanup(self.environment.__setitem__, "ICP_PAGER", "")
        self.assertIn("PAGED:", self.screen("filter true --limit 40", 80))
        self.assertNotIn("PAGED:", self.screen("filter true --limit 5", 80))
        self.assertNotIn("PAGED:", self.icp("filter true --limit 40").stdout)


class Shell(Served):
    """icp shell, typed into a terminal and read from a pipe."""

    def talk(self, *typed):
        """Types each text once the prompt stands, and returns all that the screen got."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            # libedit keeps two words of its own up to the end; a build with sanitizers would tell.
            os.execve(ICP, [ICP], {**self.environment, "NO_COLOR": "1", "ASAN_OPTIONS": "detect_leaks=0",
                                   "ICP_HISTORY": os.path.join(self.folder, "history")})
        screen = b""

        def until(what):
            nonlocal screen
            seen = len(screen)
            while what not in screen[seen:]:
                if not select.select([fd], [], [], 60)[0]:
                    raise AssertionError(screen)
                try:
                    got = os.read(fd, 4096)
                except OSError:
                    return
                if not got:
                    return
                screen += got

        until(b"icp> ")
        for text, wanted in typed:
            os.write(fd, text.encode())
            until(wanted.encode())
        os.write(fd, b"quit\n")
        until(b"nothing that comes")
        status = os.waitpid(pid, 0)[1]
        os.close(fd)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        return plain(screen.decode())

    def test_commands_follow_each_other_and_the_tab_key_completes(self):
        screen = self.talk(
            ("count true\n", "2,500 of 2,500 accounts"),
            ("cou\tindustry = 'Softw\t\n", "accounts"),
            ("filter tru --limt 5\n", "did you mean --limit"),
            ("count 'nothing\n", "a quote that is not"),
        )
        self.assertIn("The tab key completes", screen)
        self.assertRegex(screen, r"\n\d\d\d of 2,500 accounts")
        with open(os.path.join(self.folder, "history"), encoding="utf-8") as file:
            self.assertIn("'Software'", file.read())
        self.assertEqual(os.stat(os.path.join(self.folder, "history")).st_mode & 0o077, 0)

    def test_lines_of_a_pipe_are_commands(self):
        done = subprocess.run([ICP, "shell"], input="# a remark\n\ncount true\nicp count industry = 'Software' --json\nquit\ncount false\n",
                              cwd=self.folder, env=self.environment, text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2,500 of 2,500 accounts\n{", done.stdout)
        self.assertNotIn("\n0 of 2,500", done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)

#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Valid and hostile frames against a running server, and the proof that only the hostile suffer.

Opens --connections connections, each with a part to play (see PARTS), and keeps playing for
--seconds. Checked all along:
  * every valid request gets exactly one reply, with its id and no verdict of being malformed;
  * every hostile frame that leaves the framing sound gets exactly one reply, with its id and the
    error that it deserves, and the connection goes on;
  * a frame that loses the framing is answered, then the connection is closed, after every valid
    request before it was answered;
  * nothing is sent that nobody asked for, and every reply is a sound frame.
Exits 0 if all of that held, 1 if not (the first findings are printed), 64 if called wrongly.

--control spoils the check on purpose: it hides one reply from itself (lost), counts one twice
(doubled) or expects the wrong error (verdict), and so must exit 1. A check that cannot fail proves
nothing.

The frames are packed here by hand, from docs/protocol.md alone, so that this is a second reading of
the protocol. Only Python's standard library is needed; with libxxhash installed valid frames carry
checksums too.
"""
import argparse
import collections
import ctypes
import ctypes.util
import random
import socket
import struct
import sys
import threading
import time

HEADER = struct.Struct("<IBBHII")  # payload bytes, version, code, flags, id, checksum
VERSION = 1
REPLY, CHECKSUM, MORE = 1, 2, 4
OPCODES = {"hello": 1, "ping": 2, "stats": 3, "score": 64}
OK, BAD_FRAME, BAD_VERSION, BAD_CHECKSUM, TOO_LARGE, UNKNOWN_OP = 0, 1, 2, 3, 4, 5
BAD_PAYLOAD, BAD_FIELD, MISSING_FIELD, DUPLICATE_KEY = 6, 7, 8, 9
BUSY, SHUTTING_DOWN, INTERNAL, CORRUPT = 20, 23, 28, 26
# Enough replies to fill the buffers of both kernels and of the server.
NEVER_READER_FRAMES = 50000
# A frame is dripped for at most twice this, well within the server's frame_ms of 30 s.
DRIP_SECONDS = 5
# Nothing is read for at most this, within the server's write_ms of 30 s.
DEAF_SECONDS = 10
# A valid request may fail for many good reasons, but never because of these.
NEVER_FOR_VALID = set(range(BAD_FRAME, DUPLICATE_KEY + 1)) | {BUSY, SHUTTING_DOWN, INTERNAL, CORRUPT}
MALFORMED = {BAD_PAYLOAD, BAD_FIELD, MISSING_FIELD, DUPLICATE_KEY, TOO_LARGE}


def checksum_function():
    name = ctypes.util.find_library("xxhash")
    if not name:
        return None
    try:
        function = ctypes.CDLL(name).XXH3_64bits
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    function.restype = ctypes.c_uint64
    return lambda payload: function(payload, len(payload)) & 0xFFFFFFFF


checksum = checksum_function()


def pack_text(text):
    data = text.encode()
    if len(data) < 32:
        return bytes([0xA0 | len(data)]) + data
    return b"\xd9" + bytes([len(data)]) + data


def pack_map(**fields):
    return bytes([0x80 | len(fields)]) + b"".join(
        pack_text(key) + pack_text(value) for key, value in fields.items())


def frame(code, request_id, payload=b"", version=VERSION, flags=0, check=0, size=None):
    return HEADER.pack(len(payload) if size is None else size, version, code, flags, request_id,
                       check) + payload


class Broken(Exception):
    """The server did what it must not do."""


class Tally:
    """What happened, over all threads."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = collections.Counter()
        self.statuses = collections.Counter()
        self.findings = []
        self.finding_count = 0

    def finding(self, text):
        with self.lock:
            self.finding_count += 1
            if len(self.findings) < 20:
                self.findings.append(text)

    def add(self, sent, statuses):
        with self.lock:
            self.sent.update(sent)
            self.statuses.update(statuses)


class Line:
    """One connection, and what is still to come on it: id -> (what was sent, verdict)."""

    def __init__(self, player):
        self.player = player
        options = player.options
        use_local = options.socket and (not options.port or player.index % 2 == 1)
        self.sock = socket.socket(socket.AF_UNIX if use_local else socket.AF_INET)
        self.sock.settimeout(options.timeout)
        if player.part is Player.never_reads:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.sock.connect(options.socket if use_local else (options.host, options.port))
        if not use_local:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""
        self.awaited = {}
        self.next_id = player.random.randrange(1, 1 << 31)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def expect(self, what, verdict):
        self.next_id = (self.next_id + 1) & 0xFFFFFFFF
        self.awaited[self.next_id] = (what, verdict)
        self.player.sent[what] += 1
        return self.next_id

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Broken(f"sending failed ({error}) with {len(self.awaited)} replies to come")

    def fill(self):
        """Reads more; False at the end of the connection."""
        try:
            data = self.sock.recv(65536)
        except socket.timeout:
            raise Broken(f"no reply within {self.player.options.timeout} s to "
                         f"{collections.Counter(what for what, _ in self.awaited.values())}")
        except ConnectionResetError:
            data = b""
        self.held += data
        return bool(data)

    def frame_read(self):
        """The next frame, or None if the connection ended between frames."""
        while len(self.held) < HEADER.size:
            if not self.fill():
                if self.held:
                    raise Broken("the connection ended inside a frame header")
                return None
        size, version, code, flags, request_id, check = HEADER.unpack_from(self.held)
        if version != VERSION or not flags & REPLY or flags & ~(REPLY | CHECKSUM | MORE):
            raise Broken(f"not a reply frame: {self.held[:HEADER.size].hex()}")
        while len(self.held) < HEADER.size + size:
            if not self.fill():
                raise Broken("the connection ended inside a frame")
        payload = self.held[HEADER.size:HEADER.size + size]
        self.held = self.held[HEADER.size + size:]
        if flags & CHECKSUM and checksum and checksum(payload) != check:
            raise Broken("a reply does not match its checksum")
        return code, flags, request_id

    def settle_one(self):
        """Takes one reply off the list; False if the connection ended."""
        reply = self.frame_read()
        if reply is None:
            return False
        code, flags, request_id = reply
        for _ in range(self.player.spoil()):
            if request_id not in self.awaited:
                raise Broken(f"a reply (status {code}) that nobody asked for, id {request_id}: "
                             "unknown, or answered before")
            what, verdict = self.awaited[request_id]
            if not verdict(code):
                raise Broken(f"{what} was answered with status {code}")
            if not flags & MORE:
                del self.awaited[request_id]
        self.player.statuses[code] += 1
        return True

    def settle(self):
        while self.awaited:
            if not self.settle_one():
                raise Broken("the connection ended with replies to come to "
                             f"{collections.Counter(what for what, _ in self.awaited.values())}")

    def settle_closed(self, why):
        self.settle()
        if self.frame_read() is not None:
            raise Broken(f"a frame after the last reply, where an end was due ({why})")


def is_fine(code):
    return code not in NEVER_FOR_VALID


def is_one_of(*codes):
    return lambda code: code in codes


class Player:
    """One thread with one part."""

    def __init__(self, index, options, tally, part):
        self.index = index
        self.options = options
        self.tally = tally
        self.part = part
        self.random = random.Random(options.seed * 1000003 + index)
        self.sent = collections.Counter()
        self.statuses = collections.Counter()
        self.replies = 0

    def spoil(self):
        """How often a reply counts: once, unless the control tampers with it."""
        self.replies += 1
        if self.replies % 97 == 50 and self.options.control in ("lost", "doubled"):
            return 0 if self.options.control == "lost" else 2
        return 1

    # ---- what can be sent; each returns bytes and notes what is to come ----

    def valid(self, line):
        name = self.random.choice(self.options.op)
        if name == "score":
            payload = pack_map(id=f"account-{self.random.randrange(100000)}")
        elif name == "hello":
            payload = pack_map(client="hostile/1") if self.random.random() < 0.5 else b""
        else:
            payload = b"\x80" if self.random.random() < 0.5 else b""
        request_id = line.expect(name, is_fine)
        if checksum and self.random.random() < 0.5:
            return frame(OPCODES[name], request_id, payload, flags=CHECKSUM,
                         check=checksum(payload))
        return frame(OPCODES[name], request_id, payload)

    def spoilt(self, line):
        """Hostile, but the framing holds: one error, and on."""
        what, code, payload, extra, verdict = self.random.choice(SPOILT)
        if self.options.control == "verdict":
            verdict = is_one_of(TOO_LARGE)
        elif self.options.echo and not extra:
            verdict = is_fine  # an echo has no opinion of payloads
        payload = payload(self.random) if callable(payload) else payload
        return frame(code, line.expect(what, verdict), payload, **extra)

    def burst(self, line, spoilt_share=0.0, most=64):
        count = self.random.randrange(1, most + 1)
        return b"".join(
            self.spoilt(line) if self.random.random() < spoilt_share else self.valid(line)
            for _ in range(count))

    # ---- parts; each plays one scene, and the caller repeats it ----

    def good(self, deadline):
        with Line(self) as line:
            while time.monotonic() < deadline:
                line.send(self.burst(line))
                line.settle()

    def mixed(self, deadline):
        with Line(self) as line:
            while time.monotonic() < deadline:
                line.send(self.burst(line, spoilt_share=0.5))
                line.settle()

    def breaks_framing(self, _):
        with Line(self) as line:
            what, verdict, header = self.random.choice(FATAL)
            data = self.burst(line, spoilt_share=0.2)
            data += frame(OPCODES["ping"], line.expect(what, verdict), **header)
            data += self.random.randbytes(self.random.randrange(0, 300))
            line.send(data)
            line.settle_closed(what)

    def truncates(self, _):
        """Ends in the middle of a frame: by half, at once, or with a reset."""
        with Line(self) as line:
            data = self.burst(line)
            whole = frame(OPCODES["ping"], 7, b"\x81\xa1a\xc0")
            line.send(data + whole[:self.random.randrange(1, len(whole))])
            end = self.random.randrange(3)
            self.sent[("half-open", "left abruptly", "reset")[end]] += 1
            if end == 0:
                line.sock.shutdown(socket.SHUT_WR)
                line.settle_closed("the sending half was shut")
            elif end == 2:
                line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def drips(self, deadline):
        with Line(self) as line:
            data = self.valid(line) + self.spoilt(line) + self.valid(line)
            pause = min(0.01, DRIP_SECONDS / len(data))
            enough = time.monotonic() + 2 * DRIP_SECONDS
            for at, byte in enumerate(data):
                line.send(bytes([byte]))
                time.sleep(pause)
                if time.monotonic() > deadline:
                    return  # the last frame may be cut short
                if time.monotonic() > enough:  # a busy machine stretches every pause
                    line.send(data[at + 1:])
                    break
            line.settle()

    def never_reads(self, deadline):
        """Sends as long as the server takes it, reads nothing for a while, then all."""
        with Line(self) as line:
            line.sock.settimeout(0.2)
            rest = b""
            enough = time.monotonic() + DEAF_SECONDS
            for _ in range(NEVER_READER_FRAMES):
                if time.monotonic() > enough:
                    break
                # Large for an echo, and its reply is large from icpd: the server's buffers fill.
                payload = pack_map(client="hostile/1", pad="x" * 200)
                rest = frame(OPCODES["hello"], line.expect("hello", is_fine), payload)
                try:
                    while rest:
                        rest = rest[line.sock.send(rest):]
                except socket.timeout:
                    break
                except OSError as error:
                    raise Broken(f"a peer that did not read was cut off ({error})")
            line.sock.settimeout(self.options.timeout)
            time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))
            self.sent["never-reader"] += 1
            sender = threading.Thread(target=self.send_quietly, args=(line, rest))
            sender.start()
            line.settle()
            sender.join()

    @staticmethod
    def send_quietly(line, data):
        try:
            line.sock.sendall(data)
        except OSError:
            pass  # settle tells what is missing

    def random_bytes(self, _):
        """Noise: any reply is allowed, but replies must be frames and the end must come."""
        with Line(self) as line:
            line.send(self.burst(line))
            line.settle()
            self.sent["noise"] += 1
            # High bytes in front: a length over any limit, so that the framing is lost at once.
            noise = b"\xff\xff\xff\xff" + self.random.randbytes(self.random.randrange(12, 4000))
            try:
                line.sock.sendall(noise)
            except OSError:
                pass  # closed on us, rightly
            while line.frame_read() is not None:
                pass

    def run(self, deadline):
        while time.monotonic() < deadline:
            try:
                self.part(self, deadline)
            except (Broken, OSError) as error:
                self.tally.finding(f"connection {self.index} ({self.part.__name__}): {error}")
                if self.options.control:
                    break
                time.sleep(0.05)
        self.tally.add(self.sent, self.statuses)


def nested(depth):
    return b"\x81\xa1a" * depth + b"\xc0"


# What is sent, opcode, payload, header fields, verdict.
SPOILT = [
    ("version of tomorrow", 2, b"\x80", {"version": 2}, is_one_of(BAD_VERSION)),
    ("version 0", 2, b"\x80", {"version": 0}, is_one_of(BAD_VERSION)),
    ("bad checksum", 2, b"\x80", {"flags": CHECKSUM, "check": 1}, is_one_of(BAD_CHECKSUM)),
    ("unknown opcode", 0, b"\x80", {}, is_one_of(UNKNOWN_OP)),
    ("unknown opcode", 199, b"\x80", {}, is_one_of(UNKNOWN_OP)),
    ("deep nesting", 64, nested(200), {}, is_one_of(*MALFORMED)),
    ("deep arrays", 64, b"\x81\xa1a" + b"\x91" * 5000 + b"\xc0", {}, is_one_of(*MALFORMED)),
    ("duplicate key", 64, b"\x82\xa2id\xa1x\xa2id\xa1y", {}, is_one_of(DUPLICATE_KEY)),
    ("truncated payload", 64, b"\x81\xa2id\xa5abc", {}, is_one_of(BAD_PAYLOAD)),
    ("trailing bytes", 2, b"\x80\xc0", {}, is_one_of(BAD_PAYLOAD)),
    ("not a map", 64, b"\x93\x01\x02\x03", {}, is_one_of(*MALFORMED)),
    ("array of four billion", 64, b"\x81\xa6values\xdd\xff\xff\xff\xff", {}, is_one_of(*MALFORMED)),
    ("map of four billion", 64, b"\xdf\xff\xff\xff\xff", {}, is_one_of(*MALFORMED)),
    ("text of four billion", 64, b"\x81\xa2id\xdb\xff\xff\xff\xff", {}, is_one_of(*MALFORMED)),
    ("invalid UTF-8", 64, b"\x81\xa2id\xa2\xc3\x28", {}, is_one_of(*MALFORMED)),
    ("NaN", 64, b"\x81\xa7reasons\xcb\x7f\xf8\0\0\0\0\0\0", {}, is_one_of(*MALFORMED)),
    ("ext type", 64, b"\x81\xa2id\xd4\x05\x00", {}, is_one_of(*MALFORMED)),
    ("wrong type", 64, b"\x81\xa2id\x05", {}, is_one_of(BAD_FIELD)),
    # 0xc1 is never used in MessagePack.
    ("random payload", 64, lambda rng: b"\xc1" + rng.randbytes(rng.randrange(1, 200)), {},
     is_one_of(*MALFORMED)),
]

# What is sent, verdict, header fields; the framing is lost and the connection closes.
FATAL = [
    ("length of 4 GB", is_one_of(TOO_LARGE), {"size": 0xFFFFFFFF}),
    ("length over the limit", is_one_of(TOO_LARGE), {"size": 16777217}),
    ("reply as a request", is_one_of(BAD_FRAME), {"flags": REPLY}),
    ("request of many frames", is_one_of(BAD_FRAME), {"flags": MORE}),
    ("reserved flag", is_one_of(BAD_FRAME), {"flags": 0x100}),
    ("checksum without its flag", is_one_of(BAD_FRAME), {"check": 99}),
]

# Half of the cast is good or recoverable, so that there is someone to be harmed.
PARTS = [Player.good, Player.mixed, Player.good, Player.breaks_framing, Player.mixed,
         Player.truncates, Player.good, Player.drips, Player.never_reads, Player.random_bytes]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="TCP port")
    parser.add_argument("--socket", help="path of a Unix socket; with --port half use each")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--op", default="ping,hello,score",
                        help="valid requests to mix, of: " + ", ".join(OPCODES))
    parser.add_argument("--timeout", type=float, default=60, help="seconds to wait for a reply")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--echo", action="store_true",
                        help="the server echoes: it judges frames but not payloads")
    parser.add_argument("--control", nargs="?", const="lost",
                        choices=("lost", "doubled", "verdict"),
                        help="spoil the check, which must then fail")
    options = parser.parse_args()
    options.op = options.op.split(",")
    if not options.port and not options.socket:
        parser.error("one of --port and --socket is required")
    if any(name not in OPCODES for name in options.op):
        parser.error("--op takes " + ", ".join(OPCODES))
    if options.control:
        options.timeout = min(options.timeout, 3)
    return options


def last_word(options, tally):
    """When all is over, a newcomer is served."""
    player = Player(0, options, tally, Player.good)
    player.spoil = lambda: 1
    try:
        with Line(player) as line:
            line.send(player.valid(line))
            line.settle()
    except (Broken, OSError) as error:
        tally.finding(f"afterwards: {error}")
    tally.add(player.sent, player.statuses)


def main():
    options = arguments()
    tally = Tally()
    deadline = time.monotonic() + options.seconds
    players = [Player(index, options, tally, PARTS[index % len(PARTS)])
               for index in range(options.connections)]
    threads = [threading.Thread(target=player.run, args=(deadline,)) for player in players]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last_word(options, tally)
    valid = sum(tally.sent[name] for name in OPCODES)
    others = sum(tally.sent.values()) - valid
    print(f"seed {options.seed}, {options.connections} connections, {options.seconds:g} s: "
          f"{valid} valid requests, {others} hostile acts, "
          f"{sum(tally.statuses.values())} replies")
    for what, count in sorted(tally.sent.items(), key=str):
        print(f"  sent {what}: {count}")
    print("  statuses " + ", ".join(f"{code}: {count}"
                                    for code, count in sorted(tally.statuses.items())))
    if valid == 0 or others == 0:
        tally.finding("nothing was sent, so nothing was checked")
    for text in tally.findings:
        print("FAILED " + text)
    if tally.finding_count:
        print(f"{tally.finding_count} findings")
        return 1
    print("every valid request got its one reply")
    return 0


if __name__ == "__main__":
    sys.exit(main())

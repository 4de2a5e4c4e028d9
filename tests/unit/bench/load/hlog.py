#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Decodes the log that hlog_sample prints, by the description of HdrHistogram's V2 format alone, and
compares it with what was recorded. With `control` one count is expected wrongly: that must be found."""
import base64
import re
import struct
import subprocess
import sys
import zlib


def zigzag(data, at):
    value, shift = 0, 0
    for index in range(9):
        byte = data[at]
        at += 1
        if index == 8:
            value |= byte << shift
            break
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return (value >> 1) ^ -(value & 1), at


def decode(text):
    """Highest equivalent value → count, and the digits of precision."""
    packed = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack(">II", packed[:8])
    assert cookie & ~0xF0 == 0x1C849304 and length == len(packed) - 8, (hex(cookie), length)
    raw = zlib.decompress(packed[8:])
    cookie, length, offset, digits, low, high, ratio = struct.unpack(">IIiiqqd", raw[:40])
    assert cookie & ~0xF0 == 0x1C849303 and length == len(raw) - 40
    assert (offset, low, ratio) == (0, 1, 1.0), (offset, low, ratio)
    magnitude = (2 * 10 ** digits - 1).bit_length()  # of the sub-buckets
    half = 1 << (magnitude - 1)
    counts, at, index = {}, 40, 0
    while at < len(raw):
        count, at = zigzag(raw, at)
        if count < 0:
            index -= count
            continue
        if count:
            bucket = (index >> (magnitude - 1)) - 1
            sub = (index & (half - 1)) + half
            if bucket < 0:
                bucket, sub = 0, sub - half
            counts[((sub + 1) << bucket) - 1] = count
            assert sub << bucket <= high
        index += 1
    return counts, digits


def main():
    program, control = sys.argv[1], sys.argv[2:] == ["control"]
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == "#[Histogram log format version 1.3]", lines[0]
    assert "#[BaseTime: 1700000000.250 (seconds since epoch)]" in lines
    assert lines[3].startswith('"StartTimestamp","Interval_Length","Interval_Max"'), lines[3]
    rows = [re.fullmatch(r"(?:Tag=([^,]+),)?([\d.]+),([\d.]+),([\d.]+),(\S+)", line)
            for line in lines[4:]]
    assert len(rows) == 3 and all(rows), lines
    assert [row[1] for row in rows] == [None, "stream-1", None]
    assert [row[2] for row in rows] == ["0.000", "1.000", "2.000"]
    assert rows[2][3] == "0.500" and float(rows[2][4]) == 123.457
    assert decode(rows[0][5]) == ({}, 2)

    found, digits = decode(rows[1][5])
    expected = {0: 1}
    for bits in range(48):
        value = min(1 << bits, 1 << 44)
        expected[value] = expected.get(value, 0) + bits + 1
    if control:
        expected[1 << 20] += 1
    # Each value may stand up to 3.2 % higher, by our buckets, and 0.8 % by theirs.
    left = dict(found)
    for value, count in sorted(expected.items()):
        near = [at for at in left if value <= at <= value * 1.041]
        assert near and sum(left[at] for at in near) == count, (value, count, near)
        for at in near:
            del left[at]
    assert not left, left

    (value, count), = decode(rows[2][5])[0].items()
    assert count == 1 << 60 and 123456789 <= value <= 123456789 * 1.041, (value, count)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as error:
        if sys.argv[2:] == ["control"]:
            print("the wrong count was found, as it must be:", error)
            sys.exit(0)
        raise
    if sys.argv[2:] == ["control"]:
        sys.exit("a wrong count was not found")

// SPDX-License-Identifier: Apache-2.0
// Frames and payloads of docs/protocol.md: bytes in, values out. No sockets. MessagePack is read and
// written here, so that the package depends on nothing: whole numbers as the shortest integer, others as
// doubles, Uint8Array as bin, bigint as a 64-bit integer. What arrives is held to the rules of the
// protocol before anything is made of it; IcpError "bad-reply" means that the other side is not icpd, or
// that bytes were lost. An integer that a double does not hold becomes a bigint.
"use strict";

const { checksum } = require("./checksum.js");
const { IcpError } = require("./fault.js");
const { CHECKSUM, ERROR_CODES, HEADER_BYTES, LIMITS, MORE, PROTOCOL, REPLY } = require("./tables.js");

const FRAME_BYTES_MAX = LIMITS.frame_bytes_max;
const DEPTH_MAX = LIMITS.depth_max;
const MAP_KEYS_MAX = LIMITS.map_keys_max;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const bad = (why) => new IcpError("bad-reply", why);
const usage = (why) => new IcpError("usage", why);

// Writing.

class Writer {
    constructor() {
        this.buffer = Buffer.allocUnsafe(8192);
        this.at = 0;
    }

    room(bytes) {
        const wanted = this.at + bytes;
        if (wanted > this.buffer.length) {
            if (wanted > FRAME_BYTES_MAX + HEADER_BYTES) {
                throw new IcpError("too-large", `the request does not fit one frame of ${FRAME_BYTES_MAX} bytes`);
            }
            const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * this.buffer.length));
            this.buffer.copy(larger, 0, 0, this.at);
            this.buffer = larger;
        }
    }

    head(size, fix, fixMax, one, two, four) {
        this.room(5);
        const buffer = this.buffer;
        if (size <= fixMax) {
            buffer[this.at++] = fix | size;
        } else if (one !== 0 && size < 256) {
            buffer[this.at++] = one;
            buffer[this.at++] = size;
        } else if (size < 65536) {
            buffer[this.at++] = two;
            this.at = buffer.writeUInt16BE(size, this.at);
        } else {
            buffer[this.at++] = four;
            this.at = buffer.writeUInt32BE(size, this.at);
        }
    }

    text(value) {
        const length = value.length;
        if (length < 32) {
            // Short and ASCII most often: one byte each.
            this.room(1 + length);
            const buffer = this.buffer;
            const start = this.at + 1;
            let i = 0;
            for (; i < length; i++) {
                const unit = value.charCodeAt(i);
                if (unit > 127) {
                    break;
                }
                buffer[start + i] = unit;
            }
            if (i === length) {
                buffer[this.at] = 0xa0 | length;
                this.at = start + length;
                return;
            }
        }
        const bytes = Buffer.byteLength(value, "utf8");
        this.head(bytes, 0xa0, 31, 0xd9, 0xda, 0xdb);
        this.room(bytes);
        this.at += this.buffer.write(value, this.at, bytes, "utf8");
    }

    integer(value) {
        const buffer = this.buffer;
        if (value >= 0) {
            if (value < 128) {
                buffer[this.at++] = value;
            } else if (value < 256) {
                buffer[this.at++] = 0xcc;
                buffer[this.at++] = value;
            } else if (value < 65536) {
                buffer[this.at++] = 0xcd;
                this.at = buffer.writeUInt16BE(value, this.at);
            } else if (value < 4294967296) {
                buffer[this.at++] = 0xce;
                this.at = buffer.writeUInt32BE(value, this.at);
            } else {
                buffer[this.at++] = 0xcf;
                this.at = buffer.writeBigUInt64BE(BigInt(value), this.at);
            }
        } else if (value >= -32) {
            buffer[this.at++] = value & 0xff;
        } else if (value >= -2147483648) {
            buffer[this.at++] = 0xd2;
            this.at = buffer.writeInt32BE(value, this.at);
        } else {
            buffer[this.at++] = 0xd3;
            this.at = buffer.writeBigInt64BE(BigInt(value), this.at);
        }
    }

    number(value) {
        this.room(9);
        if (Number.isSafeInteger(value)) {
            this.integer(value);
        } else if (Number.isFinite(value)) {
            this.buffer[this.at++] = 0xcb;
            this.at = this.buffer.writeDoubleBE(value, this.at);
        } else {
            throw usage(`${value} cannot be sent: numbers are finite`);
        }
    }

    bigint(value) {
        this.room(9);
        if (value < -(1n << 63n) || value >= 1n << 64n) {
            throw usage(`${value} does not fit 64 bits`);
        }
        this.buffer[this.at++] = value < 0n ? 0xd3 : 0xcf;
        this.at = value < 0n ? this.buffer.writeBigInt64BE(value, this.at)
            : this.buffer.writeBigUInt64BE(value, this.at);
    }

    bytes(value) {
        this.head(value.length, 0, -1, 0xc4, 0xc5, 0xc6);
        this.room(value.length);
        this.buffer.set(value, this.at);
        this.at += value.length;
    }

    map(value, depth) {
        const keys = Object.keys(value).filter((key) => value[key] !== undefined);
        this.head(keys.length, 0x80, 15, 0, 0xde, 0xdf);
        for (const key of keys) {
            this.text(key);
            this.value(value[key], depth + 1);
        }
    }

    value(value, depth) {
        if (depth > DEPTH_MAX) {
            throw usage(`the request is nested deeper than ${DEPTH_MAX} levels`);
        }
        if (typeof value === "string") {
            this.text(value);
        } else if (typeof value === "number") {
            this.number(value);
        } else if (typeof value === "boolean") {
            this.room(1);
            this.buffer[this.at++] = value ? 0xc3 : 0xc2;
        } else if (value === null) {
            this.room(1);
            this.buffer[this.at++] = 0xc0;
        } else if (typeof value === "bigint") {
            this.bigint(value);
        } else if (value instanceof Uint8Array) {
            this.bytes(value);
        } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
            this.list(Array.from(value), depth); // a vector as numbers
        } else if (Array.isArray(value)) {
            this.list(value, depth);
        } else if (typeof value === "object") {
            this.map(value, depth);
        } else {
            throw usage(`a ${typeof value} cannot be sent`);
        }
    }

    list(value, depth) {
        this.head(value.length, 0x90, 15, 0, 0xdc, 0xdd);
        for (const one of value) {
            this.value(one, depth + 1);
        }
    }
}

const writer = new Writer(); // encoding never waits, so one serves all

// One frame: header and payload, with its checksum if flag 2 is given. No payload at all stands for no fields.
function frameEncode(code, requestId, fields, flags = 0) {
    writer.at = HEADER_BYTES;
    for (const key in fields) {
        if (fields[key] !== undefined) {
            writer.value(fields, 1);
            break;
        }
    }
    const size = writer.at - HEADER_BYTES;
    if (size > FRAME_BYTES_MAX) {
        throw new IcpError("too-large", `the request has ${size} bytes, at most ${FRAME_BYTES_MAX} fit one frame`);
    }
    const frame = Buffer.from(writer.buffer.subarray(0, writer.at));
    frame.writeUInt32LE(size, 0);
    frame[4] = PROTOCOL;
    frame[5] = code;
    frame.writeUInt16LE(flags, 6);
    frame.writeUInt32LE(requestId, 8);
    frame.writeUInt32LE((flags & CHECKSUM) !== 0 ? checksum(frame, HEADER_BYTES) : 0, 12);
    if (writer.buffer.length > 1 << 20) {
        writer.buffer = Buffer.allocUnsafe(8192);
    }
    return frame;
}

// Reading.

class Reader {
    constructor(buffer, start, end) {
        this.buffer = buffer;
        this.at = start;
        this.end = end;
    }

    take(bytes) {
        const start = this.at;
        if (bytes > this.end - start) {
            throw bad("the payload is cut off");
        }
        this.at = start + bytes;
        return start;
    }

    text(bytes) {
        const start = this.take(bytes);
        const buffer = this.buffer;
        if (bytes <= 24) {
            let text = "";
            let i = start;
            for (; i < this.at && buffer[i] < 128; i++) {
                text += String.fromCharCode(buffer[i]);
            }
            if (i === this.at) {
                return text;
            }
        }
        try {
            return utf8.decode(buffer.subarray(start, this.at));
        } catch {
            throw bad("a text that is not UTF-8");
        }
    }

    bin(bytes) {
        const start = this.take(bytes);
        return new Uint8Array(this.buffer.subarray(start, this.at)); // a copy: the buffer is large
    }

    float(value) {
        if (!Number.isFinite(value)) {
            throw bad("a number that is not finite");
        }
        return value;
    }

    big(value) {
        const number = Number(value);
        return Number.isSafeInteger(number) ? number : value;
    }

    list(count, depth) {
        if (count > this.end - this.at) {
            throw bad("a count larger than the bytes that are left");
        }
        const list = [];
        for (let i = 0; i < count; i++) {
            list.push(this.value(depth + 1));
        }
        return list;
    }

    key() {
        const first = this.buffer[this.take(1)];
        if ((first & 0xe0) === 0xa0) {
            return this.text(first & 0x1f);
        }
        if (first === 0xd9) {
            return this.text(this.buffer[this.take(1)]);
        }
        if (first === 0xda) {
            return this.text(this.buffer.readUInt16BE(this.take(2)));
        }
        if (first === 0xdb) {
            return this.text(this.buffer.readUInt32BE(this.take(4)));
        }
        throw bad("a key that is no text");
    }

    map(count, depth) {
        if (count > MAP_KEYS_MAX || 2 * count > this.end - this.at) {
            throw bad(`a map of ${count} keys`);
        }
        const map = {};
        for (let i = 0; i < count; i++) {
            const key = this.key();
            if (Object.prototype.hasOwnProperty.call(map, key)) {
                throw bad(`the key '${key}' stands twice in one map`);
            }
            const value = this.value(depth + 1);
            if (key === "__proto__") {
                Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true });
            } else {
                map[key] = value;
            }
        }
        return map;
    }

    nested(kind, count, depth) {
        if (depth > DEPTH_MAX) {
            throw bad(`nested deeper than ${DEPTH_MAX} levels`);
        }
        return kind === "map" ? this.map(count, depth) : this.list(count, depth);
    }

    // `depth` counts the maps and lists around the value, itself included if it is one.
    value(depth) {
        const buffer = this.buffer;
        const first = buffer[this.take(1)];
        if (first < 0x80) {
            return first;
        }
        if (first >= 0xe0) {
            return first - 256;
        }
        if (first < 0x90) {
            return this.nested("map", first & 0x0f, depth);
        }
        if (first < 0xa0) {
            return this.nested("list", first & 0x0f, depth);
        }
        if (first < 0xc0) {
            return this.text(first & 0x1f);
        }
        switch (first) {
        case 0xc0: return null;
        case 0xc2: return false;
        case 0xc3: return true;
        case 0xc4: return this.bin(buffer[this.take(1)]);
        case 0xc5: return this.bin(buffer.readUInt16BE(this.take(2)));
        case 0xc6: return this.bin(buffer.readUInt32BE(this.take(4)));
        case 0xca: return this.float(buffer.readFloatBE(this.take(4)));
        case 0xcb: return this.float(buffer.readDoubleBE(this.take(8)));
        case 0xcc: return buffer[this.take(1)];
        case 0xcd: return buffer.readUInt16BE(this.take(2));
        case 0xce: return buffer.readUInt32BE(this.take(4));
        case 0xcf: return this.big(buffer.readBigUInt64BE(this.take(8)));
        case 0xd0: return buffer.readInt8(this.take(1));
        case 0xd1: return buffer.readInt16BE(this.take(2));
        case 0xd2: return buffer.readInt32BE(this.take(4));
        case 0xd3: return this.big(buffer.readBigInt64BE(this.take(8)));
        case 0xd9: return this.text(buffer[this.take(1)]);
        case 0xda: return this.text(buffer.readUInt16BE(this.take(2)));
        case 0xdb: return this.text(buffer.readUInt32BE(this.take(4)));
        case 0xdc: return this.nested("list", buffer.readUInt16BE(this.take(2)), depth);
        case 0xdd: return this.nested("list", buffer.readUInt32BE(this.take(4)), depth);
        case 0xde: return this.nested("map", buffer.readUInt16BE(this.take(2)), depth);
        case 0xdf: return this.nested("map", buffer.readUInt32BE(this.take(4)), depth);
        default: throw bad(first === 0xc1 ? "the byte 0xc1 begins no value" : "an extension type; none is known");
        }
    }
}

// The map of a payload between two places of a buffer.
function payloadDecode(buffer, start = 0, end = buffer.length) {
    if (start === end) {
        return {};
    }
    const reader = new Reader(buffer, start, end);
    const value = reader.value(1);
    if (reader.at !== end) {
        throw bad(`${end - reader.at} bytes are left over after the payload`);
    }
    if (value === null || typeof value !== "object" || Array.isArray(value) || value instanceof Uint8Array) {
        throw bad("the payload is no map");
    }
    return value;
}

// Throws if a header alone tells that the frame is bad.
function headerCheck(buffer, at, isReply) {
    const size = buffer.readUInt32LE(at);
    const flags = buffer.readUInt16LE(at + 6);
    if (size > FRAME_BYTES_MAX) {
        throw bad(`a payload of ${size} bytes, at most ${FRAME_BYTES_MAX} are allowed`);
    }
    if (buffer[at + 4] !== PROTOCOL) {
        throw bad(`protocol version ${buffer[at + 4]}, ${PROTOCOL} is spoken here`);
    }
    if ((flags & ~(REPLY | CHECKSUM | MORE)) !== 0 || ((flags & REPLY) !== 0) !== isReply ||
        (!isReply && (flags & MORE) !== 0)) {
        throw bad(`flags 0x${flags.toString(16)}`);
    }
    if ((flags & CHECKSUM) === 0 && buffer.readUInt32LE(at + 12) !== 0) {
        throw bad("a checksum without its flag");
    }
}

// What stands in the place of a frame whose checksum is wrong: the request fails as if the server had said it.
const SPOILT = Object.freeze({ error: "bad-checksum", message: "the reply was altered on its way", retryable: true });

// Bytes as they come from a socket, in; onFrame(code, flags, requestId, payload) for each whole frame.
class FrameSplitter {
    constructor(onFrame, isReply = true) {
        this.onFrame = onFrame;
        this.isReply = isReply;
        this.parts = [];
        this.bytes = 0;
        this.wanted = HEADER_BYTES;
    }

    feed(data) {
        if (this.bytes > 0) {
            this.parts.push(data);
            this.bytes += data.length;
            if (this.bytes < this.wanted) {
                return;
            }
            data = Buffer.concat(this.parts, this.bytes);
            this.parts = [];
            this.bytes = 0;
        }
        let at = 0;
        this.wanted = HEADER_BYTES;
        while (data.length - at >= HEADER_BYTES) {
            headerCheck(data, at, this.isReply);
            const behind = at + HEADER_BYTES + data.readUInt32LE(at);
            if (behind > data.length) {
                this.wanted = behind - at;
                break;
            }
            this.frame(data, at, behind);
            at = behind;
        }
        if (at < data.length) {
            this.parts.push(Buffer.from(data.subarray(at)));
            this.bytes = data.length - at;
        }
    }

    frame(data, at, end) {
        const flags = data.readUInt16LE(at + 6);
        const id = data.readUInt32LE(at + 8);
        if ((flags & CHECKSUM) !== 0 && checksum(data, at + HEADER_BYTES, end) !== data.readUInt32LE(at + 12)) {
            this.onFrame(ERROR_CODES["bad-checksum"], flags & ~MORE, id, SPOILT);
        } else {
            this.onFrame(data[at + 5], flags, id, payloadDecode(data, at + HEADER_BYTES, end));
        }
    }
}

module.exports = { FrameSplitter, SPOILT, frameEncode, headerCheck, payloadDecode };

// SPDX-License-Identifier: Apache-2.0
// What the JSON of a vector stands for, and whether two values are the same.
// The value that a vector's JSON stands for; objects as Map-free plain objects without prototype.
export function fromJson(value) {
    if (Array.isArray(value)) {
        return value.map(fromJson);
    }
    if (value === null || typeof value !== "object") {
        return value;
    }
    const keys = Object.keys(value);
    if (keys.length === 1 && keys[0] === "$bin") {
        return new Uint8Array(Buffer.from(value.$bin, "hex"));
    }
    if (keys.length === 1 && keys[0] === "$int") {
        return BigInt(value.$int);
    }
    return Object.fromEntries(keys.map((key) => [key, fromJson(value[key])]));
}

function isNumeric(value) {
    return typeof value === "number" || typeof value === "bigint";
}

export function same(a, b) {
    if (isNumeric(a) && isNumeric(b)) {
        return a == b; // by value: 1n == 1
    }
    if (a === null || b === null || typeof a !== "object" || typeof b !== "object") {
        return a === b;
    }
    if (a instanceof Uint8Array || b instanceof Uint8Array) {
        return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
    }
    const keys = Object.keys(a);
    return Array.isArray(a) === Array.isArray(b) && keys.length === Object.keys(b).length &&
        keys.every((key) => key in b && same(a[key], b[key]));
}

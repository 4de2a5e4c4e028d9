// SPDX-License-Identifier: Apache-2.0
// The tables of the protocol (protocol.json, made from proto/*.def) as data: nothing of the protocol is
// written twice here.
"use strict";

const tables = require("./protocol.json");

const OPERATIONS = Object.create(null);
for (const row of tables.operations) {
    OPERATIONS[row.name] = {
        name: row.name,
        opcode: row.opcode,
        lane: row.lane, // inline, write, job, or one of those that walk the base: scan, search, measure, query
        safe: row.safe, // sending it twice does no harm
        reads: row.role === "score" || row.role === "read", // it answers from the data, and changes nothing
        writes: row.role === "write" || row.role === "admin", // its reply may say where it stands in the log
        takesOperation: row.request.some((one) => one.name === "operation"), // the request may carry an id
        jsonFields: row.request.filter((one) => one.type === "json").map((one) => one.name),
        required: row.lane === "job" ? [] : row.reply.filter((one) => one.required).map((one) => one.name),
        info: row,
    };
}
const ERRORS = Object.fromEntries(tables.errors.map((row) => [row.code, row]));
const ERROR_CODES = Object.fromEntries(tables.errors.map((row) => [row.name, row.code]));
const LIMITS = Object.fromEntries(tables.limits.map((row) => [row.name, row.value]));
const PATIENCE = Object.fromEntries(tables.patience.map((row) => [row.name, row.value]));

module.exports = {
    OPERATIONS, ERRORS, ERROR_CODES, LIMITS, PATIENCE, PORT: tables.port, TLS_PORT: tables.tls_port,
    PROTOCOL: tables.protocol, HEADER_BYTES: tables.header_bytes, REPLY: tables.flags.reply, CHECKSUM: tables.flags.checksum,
    MORE: tables.flags.more,
};

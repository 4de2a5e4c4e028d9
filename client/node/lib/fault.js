// SPDX-License-Identifier: Apache-2.0
"use strict";

const { ERRORS, ERROR_CODES } = require("./tables.js");

// Why a call failed, for a program and for a person.
//   code       number of the error; below 200 from the server, else made here
//   name       its name, such as "bad-field", "busy", "timeout"
//   field      path of what is at fault, such as "accounts[3].values.employees"; "" if nothing is
//   retryable  whether the same request may succeed later
//   retryAfterMs  milliseconds before which it will not; 0 where the server does not know
class IcpError extends Error {
    constructor(name, message, { field = "", code, retryable, retryAfterMs = 0 } = {}) {
        super(field ? `${name}: ${field}: ${message}` : `${name}: ${message}`);
        this.name = name;
        this.field = field;
        this.code = code ?? ERROR_CODES[name] ?? 0;
        this.retryable = retryable ?? ERRORS[this.code]?.retryable ?? false;
        this.retryAfterMs = retryAfterMs;
    }
}

function fromReply(status, payload) {
    const name = typeof payload.error === "string" ? payload.error : ERRORS[status]?.name ?? "internal";
    return new IcpError(name, String(payload.message ?? ""), {
        field: String(payload.field ?? ""), code: status, retryable: payload.retryable === true,
        retryAfterMs: Number(payload.retry_after_ms ?? 0) });
}

module.exports = { IcpError, fromReply };

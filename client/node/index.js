// SPDX-License-Identifier: Apache-2.0
// The client of icpd for Node; see docs/clients.md.
//
//     const { Client } = require("icp-client");
//     const client = new Client("icp://127.0.0.1:4273", { callTimeoutMs: 200 });
//     const score = await client.score({ email: "ann@acme.com", reasons: 3 });
"use strict";

const { Client, columns } = require("./lib/client.js");
const { IcpError } = require("./lib/fault.js");
const { DEFAULT_URI } = require("./lib/policy.js");
const { ERRORS, LIMITS, OPERATIONS } = require("./lib/tables.js");

module.exports = { Client, DEFAULT_URI, ERRORS, IcpError, LIMITS, OPERATIONS, columns };

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and replies as JSON, for tables of tests that people read. Bytes are what JSON has not:
 * {"$f32": [0.5, 1]}, {"$i64": [-3]} and {"$bytes": "AB"} stand for them. Ownership: the span
 * points into the writer and lives until the next call with it. Errors: what is no JSON fails the
 * test. */
#ifndef RPC_REQUEST_H
#define RPC_REQUEST_H

#include "proto/writer.h"

struct proto_span rpc_request_json(struct proto_writer *out, const char *text);

#endif

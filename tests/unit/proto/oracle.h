/* SPDX-License-Identifier: Apache-2.0 */
/* msgpack-c as a judge of proto/reader.h, for unit tests and fuzzers. msgpack-c reserves memory for
 * as many elements as an array claims: give it only bytes that the reader has accepted, whose
 * counts are therefore bounded by their length. Ownership: borrows. */
#ifndef ORACLE_H
#define ORACLE_H

#include "proto/span.h"

/* Whether msgpack-c unpacks the whole of `bytes` and reads in them the same values as the reader.
 */
bool oracle_agrees(struct proto_span bytes);

/* The same with the reader given other bytes than msgpack-c; for the control. */
bool oracle_same(struct proto_span theirs, struct proto_span ours);

#endif

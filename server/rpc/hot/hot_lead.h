/* SPDX-License-Identifier: Apache-2.0 */
/* The short way for an inline lead: {"values": {…}}, with or without "reasons", and no name of an
 * account.
 *
 * The map is walked once, from its bytes straight to codes: no table of values is filled and none
 * is encoded afterwards. Leads of one sender name their fields in the same order, so the field of
 * key i is guessed to be that of key i of the lead before, and a comparison of bytes replaces two
 * hashes (one for the field, one for repeated keys). Whatever is out of the ordinary (a number as
 * text, a vector) is read by the ordinary reader value by value; whatever is wrong (a repeated key,
 * another type, bytes that are cut) is left to the ordinary handler, whose refusals are the only
 * ones. Both ways give the same reply, which score_reply.h writes.
 *
 * Ownership: a worker has one; it points into the schema and the version of one generation of the
 * engine's state, and starts anew with another. Threads: the worker's. Cost: 20 values of all types
 * some 3,300 instructions, score and reply included. */
#ifndef RPC_HOT_LEAD_H
#define RPC_HOT_LEAD_H

#include "server/rpc/call.h"

struct rpc_hot_lead;

struct rpc_hot_lead *rpc_hot_lead_create(struct proto_fault *fault);
void rpc_hot_lead_destroy(struct rpc_hot_lead *lead); /* NULL is fine */

/* How many of the frames at the head, at most `most`, look like inline leads by their first key. */
size_t rpc_hot_lead_run(const struct proto_frame *frames, size_t count, size_t most);

/* Answers one of them; false if that is for the ordinary handler to do, and then nothing was
 * written. There is an active version. */
bool rpc_hot_lead_serve(struct rpc_worker *worker, const struct proto_frame *frame,
                        struct proto_writer *out);

/* The same of one lead of a score-many by the active version: appends the map that answers it, with
 * so many reasons. False if that is for the ordinary handler to do. */
bool rpc_hot_lead_entry(struct rpc_worker *worker, struct proto_span payload, unsigned reasons,
                        struct proto_writer *out);

#endif

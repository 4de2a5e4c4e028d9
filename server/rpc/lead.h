/* SPDX-License-Identifier: Apache-2.0 */
/* What score and score-many share: a lead as a query, and the columns of many ids. */
#ifndef RPC_LEAD_H
#define RPC_LEAD_H

#include <stdio.h>

#include "server/engine/before.h"
#include "server/rpc/call.h"
#include "server/rpc/values.h"

/* Fills query (but for its document) from the arguments of score. Values live in the worker until
 * the next lead, those of a moment of before in its arena. unknown gets the names of values that
 * the schema does not know: a lead may carry more than the schema knows, where an account may not.
 * PROTO_MISSING_FIELD if the lead says nothing, PROTO_BAD_FIELD if it has two names; what
 * engine_account_at says of a moment. */
bool rpc_lead_read(struct rpc_call *call, const struct proto_arg *args, struct engine_query *query,
                   struct rpc_unknown *unknown, struct proto_fault *fault);
/* Which account the arguments id, key and email name; positions as in score. */
bool rpc_name_read(const struct proto_arg *args, int id, int key, int email,
                   struct engine_name *name, struct proto_fault *fault);

/* The moment that the arguments seq, known and at name; what is absent is any. */
struct engine_moment rpc_moment_read(const struct proto_arg *args, int seq, int known, int at);

/* The slot of that account; PROTO_MISSING_FIELD if none is named, PROTO_NOT_FOUND. */
bool rpc_name_find(struct rpc_call *call, int id, int key, int email, uint32_t *slot,
                   struct proto_fault *fault);

/* The names of values that were passed over, each cut where the name of a field must end. */
void rpc_write_unknown(struct proto_writer *out, const struct rpc_unknown *unknown);

/* How many reasons of each sign are asked for; more than any model has terms is all of them. */
unsigned rpc_reasons(const struct proto_arg *arg);
/* Counts the scores of one score-many. */
void rpc_tally_many(const struct rpc_call *call, size_t count);

/* score-many by ids: columns of fit, p, grade and raw. */
enum rpc_outcome rpc_score_ids(struct rpc_call *call, const struct learn_document *document,
                               struct proto_fault *fault);

#endif

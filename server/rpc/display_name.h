/* SPDX-License-Identifier: Apache-2.0 */
/* The display name of an account beside its id: the value of the field that the schema says names
 * accounts, for replies that people read. Only requests with `names` pay for it. Where the schema
 * names no field, nothing is written at all, so that who asks sees whether there is a column to
 * show.
 *
 * Ownership: texts point into the snapshot. Errors: PROTO_CORRUPT where a record is damaged,
 * PROTO_NO_MEMORY. Threads: that of the call. Cost: a record each, some 100 ns. */
#ifndef RPC_DISPLAY_NAME_H
#define RPC_DISPLAY_NAME_H

#include <jansson.h>

#include "server/rpc/call.h"

/* Whether names are asked for (the argument at index), the schema has a field for them, and the
 * role may read accounts: one that may score alone is told no names. */
bool rpc_names_wanted(const struct rpc_call *call, int index);
/* Of a record; empty if it has none. */
struct proto_span rpc_display_name(const struct rpc_call *call,
                                   const struct feature_record *record);
/* Of a slot. */
bool rpc_display_name_of(const struct rpc_call *call, uint32_t slot, struct proto_span *name,
                         struct proto_fault *fault);
/* Of the account of a primary id in JSON; empty if it is gone. */
bool rpc_display_name_find(const struct rpc_call *call, const json_t *id, struct proto_span *name,
                           struct proto_fault *fault);
/* The same of a primary id. */
bool rpc_display_name_id(const struct rpc_call *call, struct proto_span id, struct proto_span *name,
                         struct proto_fault *fault);
/* Sets the member "name" of each object of an array, by its "id". */
bool rpc_display_names_set(const struct rpc_call *call, json_t *accounts, size_t from, size_t end,
                           struct proto_fault *fault);
/* Writes the names of an array of ids, in its order. */
bool rpc_display_names_write(const struct rpc_call *call, const json_t *ids,
                             struct proto_fault *fault);

#endif

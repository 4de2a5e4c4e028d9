/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_JSON_WRITE_H
#define RPC_JSON_WRITE_H

#include <jansson.h>

#include "proto/writer.h"

/* JSON as MessagePack: the same value, an object as a map. Depth is the JSON's own. */
void rpc_write_json(struct proto_writer *out, const json_t *json);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RPC_VALUE_WRITE_H
#define RPC_VALUE_WRITE_H

#include <stdio.h>

#include "server/rpc/call.h"

/* A value that is present, in the form of its type: number, flag, text, list of texts, bytes. */
void rpc_write_value(struct proto_writer *out, const struct feature_value *value);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte that selects the operation, then a payload. It goes through the real handler, on
 * an engine with accounts and an active ICP. Whatever comes in, exactly one reply comes out, it is
 * well-formed by the operation's own table or a well-formed error, and the server answers a ping
 * after it. Learning is left out: a job takes seconds, and its label is fuzzed by fuzz_filter.
 * ICP_FUZZ_OPERATION=NAME asks that operation alone, with the whole input as its payload
 * (each_operation.py). */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/rpc/rpc_fixture.h"

static struct rpc_fixture fixture;

static void fixture_once(void)
{
    if (!fixture.engine) {
        rpc_fixture_open(&fixture, false);
        rpc_fixture_fill(&fixture, 400);
        rpc_fixture_learn(&fixture);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    fixture_once();
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    const char *named = getenv("ICP_FUZZ_OPERATION");
    const struct proto_op_info *op = named ? proto_op_find_name(named) : proto_op_find(data[0]);
    FUZZ_HOLDS(op || !named);
    op = op ? op : &ops[data[0] % count];
    data += named == NULL;
    bytes -= named == NULL;
    if (op->op == PROTO_OP_ICP_LEARN) {
        return 0;
    }
    struct proto_span reply = {0};
    struct proto_fault fault = {0};
    uint8_t status =
        rpc_fixture_call(&fixture, (uint8_t)op->op, (struct proto_span){data, bytes}, &reply);
    if (status == PROTO_OK) {
        struct proto_arg args[PROTO_ARGS_MAX];
        FUZZ_HOLDS(proto_fields_decode(op->reply, op->reply_count, reply, args, &fault));
    } else {
        struct proto_fault refused = {0};
        FUZZ_HOLDS(proto_fault_decode(reply, &refused, &fault));
        FUZZ_HOLDS(status != PROTO_INTERNAL && status != PROTO_CORRUPT);
    }
    FUZZ_HOLDS(rpc_fixture_call(&fixture, PROTO_OP_PING, (struct proto_span){0}, &reply) ==
               PROTO_OK);
    return 0;
}

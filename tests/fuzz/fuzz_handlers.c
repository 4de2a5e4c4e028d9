/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte that selects the operation, then a payload. It goes through the real handler, on
 * an engine with accounts, an active ICP, a list, a segment and a few events. Whatever comes in,
 * exactly one reply comes out, it is well-formed by the operation's own table or a well-formed
 * error, and the server answers a ping after it. Learning is left out: a job takes seconds, and its
 * label is fuzzed by fuzz_filter. ICP_FUZZ_OPERATION=NAME asks that operation alone, with the whole
 * input as its payload (each_operation.py). */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/rpc/rpc_fixture.h"
#include "tests/unit/rpc/rpc_request.h"

static struct rpc_fixture fixture;

/* What there is to ask for beside accounts, so that a request that names it goes all the way. */
static const struct {
    enum proto_op op;
    const char *json;
} story[] = {
    {PROTO_OP_TAL_BUILD,
     "{\"name\":\"list\",\"k\":40,\"sample\":9,\"seed\":\"m\",\"hold_out\":0.1}"},
    {PROTO_OP_SEGMENT_PUT, "{\"name\":\"large\",\"filter\":\"employees > 100\"}"},
    {PROTO_OP_EVENT_APPEND,
     "{\"source\":\"crm\",\"events\":["
     "{\"account\":\"a1\",\"type\":\"touch\",\"id\":\"1\",\"time\":1600000000000,\"kind\":\"call\","
     "\"function\":\"sales\",\"person\":\"p\",\"campaign\":\"fair\"},"
     "{\"account\":\"a1\",\"type\":\"stage\",\"id\":\"2\",\"time\":1600100000000,\"kind\":"
     "\"created\","
     "\"subject\":\"d\",\"person\":\"p\"},"
     "{\"account\":\"a1\",\"type\":\"outcome\",\"id\":\"3\",\"time\":1600900000000,\"kind\":"
     "\"won\","
     "\"subject\":\"d\",\"amount\":900,\"currency\":\"USD\"},"
     "{\"account\":\"a1\",\"type\":\"subscription\",\"id\":\"4\",\"time\":1601000000000,"
     "\"subject\":\"s\",\"amount\":1200,\"currency\":\"USD\",\"months\":12},"
     "{\"account\":\"a2\",\"type\":\"touch\",\"id\":\"5\",\"time\":1600000000000,"
     "\"kind\":\"referral\",\"label\":\"a1\"},"
     "{\"account\":\"a2\",\"type\":\"stage\",\"id\":\"6\",\"time\":1600200000000,\"kind\":"
     "\"created\","
     "\"subject\":\"e\"}]}"},
    {PROTO_OP_CHALLENGE, "{\"condition\":\"employees > 100\",\"claim\":\"in\"}"},
};

static void fixture_once(void)
{
    if (!fixture.engine) {
        rpc_fixture_open(&fixture, false);
        rpc_fixture_fill(&fixture, 400);
        rpc_fixture_learn(&fixture);
        struct proto_writer request;
        proto_writer_init(&request);
        for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
            struct proto_arg args[PROTO_ARGS_MAX];
            rpc_fixture_ask(&fixture, (uint8_t)story[i].op,
                            rpc_request_json(&request, story[i].json), args);
        }
        proto_writer_fini(&request);
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

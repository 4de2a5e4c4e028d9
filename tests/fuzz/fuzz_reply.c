/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte that says in how large pieces the rest arrives, then what a server sends to a
 * libicp that has eight requests in flight, ids 1 to 8. Whatever it is: each request is told
 * exactly once (beside progress), replies are of the operation that was asked, every value that a
 * reply offers can be walked to its end, and a score is read or refused. */
#include <string.h>

#include "client/icp_async.h"
#include "tests/fuzz/fuzz.h"

#define REQUESTS 8
#define DEPTH_MAX 16

static const enum icp_op asked[REQUESTS] = {ICP_OP_PING,     ICP_OP_SCORE,     ICP_OP_SCORE,
                                            ICP_OP_COUNT,    ICP_OP_ICP_LEARN, ICP_OP_ACCOUNT_GET,
                                            ICP_OP_ICP_LIST, ICP_OP_SCORE_MANY};

static void walk_all(const struct icp_value *value, unsigned depth)
{
    char text[64];
    struct icp_walk walk = icp_walk_over(value);
    struct icp_text key;
    struct icp_value element;
    size_t count = 0;
    FUZZ_HOLDS(depth < DEPTH_MAX);
    FUZZ_HOLDS(strlen(icp_value_print(value, text, sizeof text)) < sizeof text);
    while (icp_next(&walk, &key, &element)) {
        walk_all(&element, depth + 1);
        count++;
    }
    FUZZ_HOLDS(count == value->count);
}

static void reply_check(const struct icp_reply *reply, struct icp_score *score)
{
    struct icp_fault fault;
    if (reply->fault.code != ICP_OK) {
        FUZZ_HOLDS(reply->fault.message[0] != '\0');
        return;
    }
    struct icp_value all = icp_reply_value(reply);
    FUZZ_HOLDS(all.kind == ICP_KIND_MAP);
    walk_all(&all, 0);
    if (reply->op == ICP_OP_SCORE && icp_score_read(reply, score, &fault)) {
        FUZZ_HOLDS(!score->is_default && score->grade != '\0');
    }
}

/* Takes what is whole, and notes who was told. */
static void replies_take(struct icp_wire *wire, bool told[REQUESTS], struct icp_reply *reply,
                         struct icp_score *score)
{
    while (icp_wire_next(wire, reply)) {
        uint32_t id = reply->request_id;
        FUZZ_HOLDS(id >= 1 && id <= REQUESTS && !told[id - 1]);
        FUZZ_HOLDS(reply->op == asked[id - 1]);
        told[id - 1] = !reply->more;
        reply_check(reply, score);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    size_t piece = (size_t)data[0] + 1;
    bool told[REQUESTS] = {false};
    struct icp_fault fault;
    struct icp_reply reply = {0};
    struct icp_score score = {ICP_SCORE};
    struct icp_wire *wire = icp_wire_create(NULL, &fault);
    FUZZ_HOLDS(wire != NULL);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        FUZZ_HOLDS(icp_wire_request(wire, asked[i], NULL, &fault) == i + 1);
    }
    bool is_fed = true;
    for (size_t at = 1; at < bytes && is_fed; at += piece) {
        size_t part = bytes - at < piece ? bytes - at : piece;
        is_fed = icp_wire_feed(wire, data + at, part, &fault);
        replies_take(wire, told, &reply, &score);
    }
    icp_wire_end(wire);
    replies_take(wire, told, &reply, &score);
    for (size_t i = 0; i < REQUESTS; i++) {
        FUZZ_HOLDS(told[i]);
    }
    icp_reply_fini(&reply);
    icp_score_fini(&score);
    icp_wire_destroy(wire);
    return 0;
}

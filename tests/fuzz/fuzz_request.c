/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte that selects the operation, then a payload. It is decoded as a request, as a
 * reply and as an error reply. What is accepted as a request is written anew from the decoded
 * fields, and must decode to the same; what is accepted at all, msgpack-c must accept and read
 * alike. */
#include "proto/request.h"
#include "proto/writer.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/proto/oracle.h"

static void arg_write(struct proto_writer *writer, enum proto_type type,
                      const struct proto_arg *arg)
{
    switch (type) {
    case PROTO_TEXT:
    case PROTO_JSON:
        proto_write_str(writer, arg->text);
        break;
    case PROTO_UINT:
        proto_write_uint(writer, arg->uint);
        break;
    case PROTO_INT:
        proto_write_int(writer, arg->integer);
        break;
    case PROTO_NUMBER:
        proto_write_f64(writer, arg->number);
        break;
    case PROTO_FLAG:
        proto_write_bool(writer, arg->flag);
        break;
    case PROTO_BYTES:
        proto_write_bin(writer, arg->text);
        break;
    case PROTO_TEXTS:
    case PROTO_LIST:
    case PROTO_MAP:
    case PROTO_ANY:
        proto_write_raw(writer, arg->value);
        break;
    }
}

/* Writes the fields that are present, and what every request may carry if it says anything. */
static void request_write(struct proto_writer *writer, const struct proto_request *request)
{
    const struct proto_op_info *op = request->op;
    bool is_aged = request->max_age_ms != UINT64_MAX;
    size_t present = (size_t)(request->deadline_ms != 0) + (request->min_seq != 0) + is_aged +
                     request->staleness;
    for (size_t i = 0; i < op->request_count; i++) {
        present += request->args[i].present;
    }
    proto_write_map(writer, present);
    for (size_t i = 0; i < op->request_count; i++) {
        if (request->args[i].present) {
            proto_write_text(writer, op->request[i].name);
            arg_write(writer, op->request[i].type, &request->args[i]);
        }
    }
    if (request->deadline_ms != 0) {
        proto_write_text(writer, "deadline_ms");
        proto_write_uint(writer, request->deadline_ms);
    }
    if (request->min_seq != 0) {
        proto_write_text(writer, "min_seq");
        proto_write_uint(writer, request->min_seq);
    }
    if (is_aged) {
        proto_write_text(writer, "max_age_ms");
        proto_write_uint(writer, request->max_age_ms);
    }
    if (request->staleness) {
        proto_write_text(writer, "staleness");
        proto_write_bool(writer, true);
    }
}

static void request_check(const struct proto_request *request)
{
    struct proto_fault fault;
    struct proto_writer once;
    struct proto_writer again;
    struct proto_request back;
    proto_writer_init(&once);
    proto_writer_init(&again);
    request_write(&once, request);
    FUZZ_HOLDS(proto_request_decode(request->op, proto_writer_span(&once), &back, &fault));
    FUZZ_HOLDS(back.deadline_ms == request->deadline_ms && back.min_seq == request->min_seq &&
               back.max_age_ms == request->max_age_ms);
    request_write(&again, &back);
    FUZZ_HOLDS(proto_span_equal(proto_writer_span(&once), proto_writer_span(&again)));
    proto_writer_fini(&once);
    proto_writer_fini(&again);
}

static void fault_check(const struct proto_fault *fault)
{
    FUZZ_HOLDS(fault->code == PROTO_BAD_PAYLOAD || fault->code == PROTO_BAD_FIELD ||
               fault->code == PROTO_MISSING_FIELD || fault->code == PROTO_DUPLICATE_KEY ||
               fault->code == PROTO_TOO_LARGE);
    FUZZ_HOLDS(fault->message[0] != '\0');
    FUZZ_HOLDS(proto_utf8_valid(proto_span_text(fault->field)));
    FUZZ_HOLDS(proto_utf8_valid(proto_span_text(fault->message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    const struct proto_op_info *op = proto_op_find(data[0]);
    op = op != NULL ? op : &ops[data[0] % count];
    struct proto_span payload = {data + 1, bytes - 1};
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_request request;
    if (proto_request_decode(op, payload, &request, &fault)) {
        FUZZ_HOLDS(fault.code == PROTO_OK && request.op == op);
        FUZZ_HOLDS(payload.bytes == 0 || oracle_agrees(payload));
        request_check(&request);
    } else {
        fault_check(&fault);
    }
    struct proto_arg args[PROTO_ARGS_MAX];
    if (!proto_fields_decode(op->reply, op->reply_count, payload, args, &fault)) {
        fault_check(&fault);
    }
    struct proto_fault reply;
    if (proto_fault_decode(payload, &reply, &fault)) {
        FUZZ_HOLDS(proto_utf8_valid(proto_span_text(reply.message)));
    } else {
        fault_check(&fault);
    }
    return 0;
}

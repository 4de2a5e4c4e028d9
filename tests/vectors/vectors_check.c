/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/vectors/vectors.h"

static bool payload_good(const struct vector_verdict *verdict, bool is_reply,
                         struct proto_fault *fault)
{
    if (!is_reply) {
        struct proto_request request;
        return proto_request_decode(verdict->op, verdict->payload, &request, fault);
    }
    if (verdict->header.code != PROTO_OK) {
        struct proto_fault reply;
        return proto_fault_decode(verdict->payload, &reply, fault);
    }
    struct proto_arg args[PROTO_ARGS_MAX];
    return proto_fields_decode(verdict->op->reply, verdict->op->reply_count, verdict->payload, args,
                               fault);
}

void vector_judge(struct proto_span frame, bool is_reply, const struct proto_op_info *op,
                  struct vector_verdict *verdict)
{
    *verdict = (struct vector_verdict){.op = op};
    size_t used = 0;
    enum proto_frame_state state =
        proto_frame_split(frame, PROTO_FRAME_BYTES_MAX, is_reply, &verdict->header,
                          &verdict->payload, &used, &verdict->fault);
    if (state == PROTO_FRAME_PARTIAL || (state == PROTO_FRAME_WHOLE && used != frame.bytes)) {
        proto_fault_set(&verdict->fault, PROTO_USAGE, "hex", "the vector is not one whole frame");
        return;
    }
    verdict->closes = state == PROTO_FRAME_REFUSED;
    if (state != PROTO_FRAME_WHOLE) {
        return;
    }
    if (!is_reply) {
        verdict->op = proto_op_find(verdict->header.code);
    }
    if (verdict->op == NULL) {
        proto_fault_set(&verdict->fault, PROTO_UNKNOWN_OP, "", "opcode %u names no operation",
                        verdict->header.code);
        return;
    }
    verdict->good = payload_good(verdict, is_reply, &verdict->fault);
}

static const char *text_of(const json_t *vector, const char *key)
{
    const char *text = json_string_value(json_object_get(vector, key));
    return text != NULL ? text : "";
}

static bool header_same(const json_t *vector, const struct proto_header *header)
{
    return json_integer_value(json_object_get(vector, "code")) == header->code &&
           json_integer_value(json_object_get(vector, "flags")) == header->flags &&
           json_integer_value(json_object_get(vector, "request_id")) == header->request_id;
}

static bool good_check(const json_t *vector, const struct vector_verdict *verdict, char *why,
                       size_t why_bytes)
{
    if (!verdict->good) {
        (void)snprintf(why, why_bytes, "wanted good, found %s at \"%s\": %s",
                       proto_error_find((unsigned)verdict->fault.code)->name, verdict->fault.field,
                       verdict->fault.message);
        return false;
    }
    if (!header_same(vector, &verdict->header)) {
        (void)snprintf(why, why_bytes, "code, flags or request_id differ from the header");
        return false;
    }
    /* No bytes at all stand for the empty map. */
    json_t *found = verdict->payload.bytes > 0 ? vector_json_of(verdict->payload) : json_object();
    bool is_same = found != NULL && vector_json_same(json_object_get(vector, "payload"), found);
    if (!is_same) {
        (void)snprintf(why, why_bytes, "the payload differs from what the frame holds");
    }
    json_decref(found);
    return is_same;
}

static bool bad_check(const json_t *vector, const struct vector_verdict *verdict, char *why,
                      size_t why_bytes)
{
    const char *error = proto_error_find((unsigned)verdict->fault.code)->name;
    if (verdict->good) {
        (void)snprintf(why, why_bytes, "wanted %s, found a good frame", text_of(vector, "error"));
        return false;
    }
    if (strcmp(error, text_of(vector, "error")) != 0 ||
        strcmp(verdict->fault.field, text_of(vector, "field")) != 0 ||
        verdict->closes != json_is_true(json_object_get(vector, "closes"))) {
        (void)snprintf(why, why_bytes, "wanted %s at \"%s\", found %s at \"%s\": %s",
                       text_of(vector, "error"), text_of(vector, "field"), error,
                       verdict->fault.field, verdict->fault.message);
        return false;
    }
    return true;
}

bool vector_check(const json_t *vector, char *why, size_t why_bytes)
{
    uint8_t data[VECTOR_BYTES_MAX];
    size_t bytes = 0;
    const char *hex = text_of(vector, "hex");
    if (hex[0] == '\0' || !vector_hex_decode(hex, data, sizeof(data), &bytes)) {
        (void)snprintf(why, why_bytes, "no hex, or not well formed");
        return false;
    }
    bool is_reply = strcmp(text_of(vector, "direction"), "reply") == 0;
    struct vector_verdict verdict;
    vector_judge((struct proto_span){data, bytes}, is_reply,
                 proto_op_find_name(text_of(vector, "op")), &verdict);
    if (verdict.good && strcmp(verdict.op->name, text_of(vector, "op")) != 0) {
        (void)snprintf(why, why_bytes, "the frame is of operation %s", verdict.op->name);
        return false;
    }
    return json_is_true(json_object_get(vector, "good"))
               ? good_check(vector, &verdict, why, why_bytes)
               : bad_check(vector, &verdict, why, why_bytes);
}

void vector_add(json_t *vectors, const char *name, struct proto_span frame,
                const struct vector_wanted *wanted)
{
    json_t *vector = json_object();
    json_object_set_new(vector, "name", json_string(name));
    json_object_set_new(vector, "good", json_boolean(wanted->payload != NULL));
    json_object_set_new(vector, "direction", json_string(wanted->is_reply ? "reply" : "request"));
    json_object_set_new(vector, "op", json_string(wanted->op));
    json_object_set_new(vector, "hex", vector_hex_encode(frame));
    if (wanted->payload != NULL) {
        struct proto_header header;
        proto_header_decode(frame.data, &header);
        json_object_set_new(vector, "code", json_integer(header.code));
        json_object_set_new(vector, "flags", json_integer(header.flags));
        json_object_set_new(vector, "request_id", json_integer(header.request_id));
        json_object_set_new(vector, "payload", json_deep_copy(wanted->payload));
    } else {
        json_object_set_new(vector, "error", json_string(wanted->error));
        json_object_set_new(vector, "field", json_string(wanted->field));
        json_object_set_new(vector, "layer", json_string(wanted->layer));
        json_object_set_new(vector, "closes", json_boolean(wanted->closes));
    }
    char why[1024];
    if (frame.bytes > VECTOR_BYTES_MAX || !vector_check(vector, why, sizeof(why))) {
        (void)fprintf(stderr, "vector \"%s\": %s\n", name,
                      frame.bytes > VECTOR_BYTES_MAX ? "too long" : why);
        exit(EXIT_FAILURE);
    }
    json_array_append_new(vectors, vector);
}

void vector_add_payload(json_t *vectors, const char *name, struct vector_frame frame,
                        struct proto_span payload, const struct vector_wanted *wanted)
{
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_writer_frame_begin(&writer);
    proto_write_raw(&writer, payload);
    proto_writer_frame_end(&writer, frame.code, frame.flags, frame.request_id);
    vector_add(vectors, name, proto_writer_span(&writer), wanted);
    proto_writer_fini(&writer);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A payload is built as its bytes. Room for each value is made before it is written, from the
 * payload's own allocator; the first thing that goes wrong is kept and told when it is sent. */
#include <math.h>

#include "client/client.h"

/* Bytes of the largest map or array header: marker and u32; and of the largest scalar: marker and
 * u64. */
#define HEAD_BYTES_MAX 5
#define VALUE_HEAD_BYTES_MAX 9

struct icp_payload *icp_payload_create(void)
{
    return icp_payload_create_with(NULL);
}

struct icp_payload *icp_payload_create_with(const struct icp_allocator *allocator)
{
    struct icp_payload *payload = client_memory_grow(allocator, NULL, sizeof *payload);
    if (payload == NULL) {
        return NULL;
    }
    *payload = (struct icp_payload){0};
    if (allocator != NULL) {
        payload->allocator = *allocator;
    }
    proto_writer_init(&payload->body);
    icp_payload_reset(payload);
    return payload;
}

void icp_payload_destroy(struct icp_payload *payload)
{
    if (payload == NULL) {
        return;
    }
    client_writer_fini(&payload->body);
    client_memory_free(payload);
}

void icp_payload_reset(struct icp_payload *payload)
{
    proto_writer_reset(&payload->body);
    payload->depth = 0;
    payload->levels[0].count = 0;
    payload->levels[0].is_map = true;
    payload->is_named = payload->has_min_seq = false;
    payload->error = PROTO_OK;
    payload->reason = NULL;
}

static void payload_fail(struct icp_payload *payload, enum proto_error error, const char *reason)
{
    if (payload->error != PROTO_OK) {
        return;
    }
    payload->error = error;
    payload->reason = reason;
}

/* Counts one element of the open level and writes its key, with room for the header of its value
 * and `bytes` more. False: nothing may be written. */
static bool element_begin(struct icp_payload *payload, const char *key, size_t bytes)
{
    if (payload->error != PROTO_OK) {
        return false;
    }
    if (payload->levels[payload->depth].is_map != (key != NULL)) {
        payload_fail(payload, PROTO_USAGE,
                     key == NULL ? "a value within a map needs a key"
                                 : "a value within a list cannot have a key");
        return false;
    }
    size_t key_bytes = key != NULL ? strlen(key) : 0;
    if (bytes > SIZE_MAX / 4 || key_bytes > SIZE_MAX / 4 ||
        !client_writer_room(&payload->body, &payload->allocator,
                            2 * VALUE_HEAD_BYTES_MAX + key_bytes + bytes)) {
        payload_fail(payload, PROTO_NO_MEMORY, "no memory for the payload");
        return false;
    }
    if (key != NULL) {
        proto_write_text(&payload->body, key);
    }
    if (payload->depth == 0 && key != NULL) {
        payload->is_named |= strcmp(key, "operation") == 0;
        payload->has_min_seq |= strcmp(key, "min_seq") == 0;
    }
    payload->levels[payload->depth].count++;
    return true;
}

void icp_payload_nil(struct icp_payload *payload, const char *key)
{
    if (element_begin(payload, key, 0)) {
        proto_write_nil(&payload->body);
    }
}

void icp_payload_flag(struct icp_payload *payload, const char *key, bool value)
{
    if (element_begin(payload, key, 0)) {
        proto_write_bool(&payload->body, value);
    }
}

void icp_payload_int(struct icp_payload *payload, const char *key, int64_t value)
{
    if (element_begin(payload, key, 0)) {
        proto_write_int(&payload->body, value);
    }
}

void icp_payload_uint(struct icp_payload *payload, const char *key, uint64_t value)
{
    if (element_begin(payload, key, 0)) {
        proto_write_uint(&payload->body, value);
    }
}

void icp_payload_number(struct icp_payload *payload, const char *key, double value)
{
    if (!isfinite(value)) {
        payload_fail(payload, PROTO_USAGE, "a number must be finite");
    }
    if (element_begin(payload, key, 0)) {
        proto_write_f64(&payload->body, value);
    }
}

void icp_payload_text_n(struct icp_payload *payload, const char *key, struct icp_text value)
{
    if (element_begin(payload, key, value.bytes)) {
        proto_write_str(&payload->body,
                        (struct proto_span){(const uint8_t *)value.data, value.bytes});
    }
}

void icp_payload_text(struct icp_payload *payload, const char *key, const char *value)
{
    icp_payload_text_n(payload, key, (struct icp_text){value, strlen(value)});
}

void icp_payload_bytes(struct icp_payload *payload, const char *key, const void *data, size_t bytes)
{
    if (element_begin(payload, key, bytes)) {
        proto_write_bin(&payload->body, (struct proto_span){data, bytes});
    }
}

void icp_payload_map(struct icp_payload *payload, const char *key, const struct icp_payload *map)
{
    size_t pairs = 0;
    struct proto_span body = {0};
    struct proto_fault fault = {0};
    if (!client_payload_finish(map, &pairs, &body, &fault)) {
        payload_fail(payload, fault.code, "the payload put in as a map is not whole");
        return;
    }
    if (!element_begin(payload, key, body.bytes)) {
        return;
    }
    proto_write_map(&payload->body, pairs);
    proto_write_raw(&payload->body, body);
}

static void level_begin(struct icp_payload *payload, const char *key, bool is_map)
{
    if (payload->error == PROTO_OK && payload->depth + 1 >= CLIENT_NESTING_MAX) {
        payload_fail(payload, PROTO_TOO_LARGE, "lists and maps are nested too deeply");
    }
    if (!element_begin(payload, key, 0)) {
        return;
    }
    payload->depth++;
    payload->levels[payload->depth].head = payload->body.bytes;
    payload->levels[payload->depth].count = 0;
    payload->levels[payload->depth].is_map = is_map;
}

/* The header goes in front of what was written, once its count is known: at most five bytes, so a
 * memmove is cheaper than a header that is always the widest. */
static void level_end(struct icp_payload *payload, bool is_map)
{
    if (payload->error != PROTO_OK) {
        return;
    }
    if (payload->depth == 0 || payload->levels[payload->depth].is_map != is_map) {
        payload_fail(payload, PROTO_USAGE, "a list or map is ended that is not open");
        return;
    }
    struct proto_writer *body = &payload->body;
    if (!client_writer_room(body, &payload->allocator, HEAD_BYTES_MAX)) {
        payload_fail(payload, PROTO_NO_MEMORY, "no memory for the payload");
        return;
    }
    size_t head = payload->levels[payload->depth].head;
    size_t end = body->bytes;
    if (is_map) {
        proto_write_map(body, payload->levels[payload->depth].count);
    } else {
        proto_write_array(body, payload->levels[payload->depth].count);
    }
    payload->depth--;
    uint8_t header[HEAD_BYTES_MAX];
    size_t header_bytes = body->bytes - end;
    memcpy(header, body->data + end, header_bytes);
    memmove(body->data + head + header_bytes, body->data + head, end - head);
    memcpy(body->data + head, header, header_bytes);
}

void icp_payload_map_begin(struct icp_payload *payload, const char *key)
{
    level_begin(payload, key, true);
}

void icp_payload_map_end(struct icp_payload *payload)
{
    level_end(payload, true);
}

void icp_payload_list_begin(struct icp_payload *payload, const char *key)
{
    level_begin(payload, key, false);
}

void icp_payload_list_end(struct icp_payload *payload)
{
    level_end(payload, false);
}

size_t icp_payload_count(const struct icp_payload *payload)
{
    return payload->levels[payload->depth].count;
}

size_t icp_payload_size(const struct icp_payload *payload)
{
    return payload->body.bytes;
}

bool client_payload_finish(const struct icp_payload *payload, size_t *pairs,
                           struct proto_span *body, struct proto_fault *fault)
{
    *pairs = 0;
    *body = (struct proto_span){0};
    if (payload == NULL) {
        return true;
    }
    if (payload->error != PROTO_OK) {
        return proto_fault_set(fault, payload->error, "", "%s", payload->reason);
    }
    if (!proto_writer_ok(&payload->body)) {
        return proto_fault_set(fault, PROTO_TOO_LARGE, "", "a value is longer than 4 GiB");
    }
    if (payload->depth != 0) {
        return proto_fault_set(fault, PROTO_USAGE, "", "a list or map of the payload is not ended");
    }
    *pairs = payload->levels[0].count;
    *body = proto_writer_span(&payload->body);
    return true;
}

bool client_request_fill(enum icp_op op, const struct icp_payload *payload,
                         struct client_request *request, struct proto_fault *fault)
{
    *request = (struct client_request){0};
    if ((unsigned)op > UINT8_MAX || proto_op_find((uint8_t)op) == NULL) {
        return proto_fault_set(fault, PROTO_USAGE, "", "%u is no operation", (unsigned)op);
    }
    request->op = (uint8_t)op;
    request->operation = payload != NULL && payload->is_named ? "" : NULL;
    request->has_min_seq = payload != NULL && payload->has_min_seq;
    return client_payload_finish(payload, &request->pairs, &request->body, fault);
}

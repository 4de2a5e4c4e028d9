/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/request.h"

#include <assert.h>
#include <stdio.h>

#include "proto/rule.h"

enum {
#define M(NAME, name, TYPE, unit, help) COMMON_##NAME,
#define R(...)
#include "proto/common.def"
#undef M
#undef R
    COMMON_COUNT,
};
static const struct proto_field_info common_fields[COMMON_COUNT] = {
#define M(NAME, text, TYPE, unit, help)                                                            \
    {.name = (text), .name_bytes = sizeof(text) - 1, .type = PROTO_##TYPE},
#define R(...)
#include "proto/common.def"
#undef M
#undef R
};

static bool name_is(const struct proto_field_info *field, struct proto_span key)
{
    return field->name_bytes == key.bytes && memcmp(field->name, key.data, key.bytes) == 0;
}

/* Index of the field of that name, looked for from `hint` on, or `count`. */
static size_t field_find(const struct proto_field_info *fields, size_t count, size_t hint,
                         struct proto_span key)
{
    for (size_t i = hint; i < count; i++) {
        if (name_is(&fields[i], key)) {
            return i;
        }
    }
    for (size_t i = 0; i < hint; i++) {
        if (name_is(&fields[i], key)) {
            return i;
        }
    }
    return count;
}

/* A value that is handed on encoded: it must be of the kind and whole. */
static struct proto_span encoded_read(struct proto_reader *reader, enum proto_kind kind)
{
    enum proto_kind found = proto_reader_peek(reader);
    if (found != kind && found != PROTO_KIND_NONE && found != PROTO_KIND_EXT) {
        proto_reader_fail(reader, PROTO_BAD_FIELD, "", "expected %s, found %s",
                          proto_kind_name(kind), proto_kind_name(found));
    }
    return proto_read_any(reader);
}

static struct proto_span texts_read(struct proto_reader *reader)
{
    const uint8_t *start = reader->at;
    size_t count = proto_read_array(reader);
    for (size_t i = 0; i < count; i++) {
        (void)proto_read_str(reader);
        if (!proto_reader_ok(reader)) {
            proto_fault_within(reader->fault, "[%zu]", i);
            return (struct proto_span){0};
        }
    }
    proto_reader_leave(reader);
    return (struct proto_span){start, (size_t)(reader->at - start)};
}

static void arg_read(struct proto_reader *reader, enum proto_type type, struct proto_arg *arg)
{
    switch (type) {
    case PROTO_TEXT:
    case PROTO_JSON:
        arg->text = proto_read_str(reader);
        break;
    case PROTO_UINT:
        arg->uint = proto_read_uint(reader);
        break;
    case PROTO_INT:
        arg->integer = proto_read_int(reader);
        break;
    case PROTO_NUMBER:
        arg->number = proto_read_number(reader);
        break;
    case PROTO_FLAG:
        arg->flag = proto_read_bool(reader);
        break;
    case PROTO_BYTES:
        arg->text = proto_read_bin(reader);
        break;
    case PROTO_TEXTS:
        arg->value = texts_read(reader);
        break;
    case PROTO_LIST:
        arg->value = encoded_read(reader, PROTO_KIND_ARRAY);
        break;
    case PROTO_MAP:
        arg->value = encoded_read(reader, PROTO_KIND_MAP);
        break;
    case PROTO_ANY:
        arg->value = proto_read_any(reader);
        break;
    }
    arg->present = true;
}

static const char *type_wanted(enum proto_type type)
{
    switch (type) {
    case PROTO_TEXT:
    case PROTO_JSON:
        return "a string";
    case PROTO_UINT:
    case PROTO_INT:
        return "a whole number";
    case PROTO_NUMBER:
        return "a number";
    case PROTO_FLAG:
        return "a boolean";
    case PROTO_BYTES:
        return "binary data";
    case PROTO_TEXTS:
        return "an array of strings";
    case PROTO_LIST:
        return "an array";
    case PROTO_MAP:
        return "a map";
    case PROTO_ANY:
        break;
    }
    return "a value";
}

/* A table of fields, and the args they fill. */
struct target {
    const struct proto_field_info *fields;
    size_t count;
    struct proto_arg *args;
    struct proto_arg *common; /* of common.def; NULL: those keys are not special */
    bool checked;             /* the payload was read whole before */
};

/* Reads the pair whose key has just been read. Returns the index of the field, or `count`. */
static size_t pair_read(struct proto_reader *reader, const struct target *target, size_t hint,
                        struct proto_span key, size_t *unknown_count)
{
    size_t index = field_find(target->fields, target->count, hint, key);
    const struct proto_field_info *field = NULL;
    struct proto_arg *arg = NULL;
    if (index < target->count) {
        field = &target->fields[index];
        arg = &target->args[index];
    } else if (target->common != NULL) {
        size_t found = field_find(common_fields, COMMON_COUNT, 0, key);
        field = found < COMMON_COUNT ? &common_fields[found] : NULL;
        arg = field != NULL ? &target->common[found] : NULL;
    }
    if (arg == NULL) {
        ++*unknown_count;
        (void)proto_read_any(reader);
    } else if (arg->present) {
        proto_reader_fail(reader, PROTO_DUPLICATE_KEY, "", "the key stands twice in one map");
    } else {
        arg_read(reader, field->type, arg);
        if (field->bounded && proto_reader_ok(reader)) {
            reader->failed = !proto_rule_keeps(field, arg, reader->fault);
        }
    }
    if (!proto_reader_ok(reader)) {
        int shown = key.bytes < sizeof(reader->fault->field) ? (int)key.bytes
                                                             : (int)sizeof(reader->fault->field);
        proto_fault_within(reader->fault, "%.*s", shown, (const char *)key.data);
    }
    return index;
}

static bool required_present(const struct target *target, struct proto_fault *fault)
{
    for (size_t i = 0; i < target->count; i++) {
        if (!target->args[i].present && target->fields[i].presence == PROTO_REQUIRED) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, target->fields[i].name,
                                   "expected %s, found no such field",
                                   type_wanted(target->fields[i].type));
        }
    }
    return true;
}

/* Enters the payload's map; whatever else it is makes the payload bad. */
static size_t payload_enter(struct proto_reader *reader)
{
    size_t pairs = proto_read_map(reader);
    if (!proto_reader_ok(reader) && reader->fault->code == PROTO_BAD_FIELD) {
        proto_fault_set(reader->fault, PROTO_BAD_PAYLOAD, "", "as the payload: %s",
                        reader->fault->message);
    }
    return pairs;
}

static bool payload_decode(struct proto_span payload, const struct target *target,
                           struct proto_fault *fault)
{
    for (size_t i = 0; i < target->count; i++) {
        target->args[i].present = false;
    }
    if (payload.bytes == 0) {
        return required_present(target, fault);
    }
    struct proto_reader reader;
    proto_reader_init(&reader, payload, fault);
    reader.checked = target->checked;
    size_t pairs = payload_enter(&reader);
    size_t unknown_count = 0;
    size_t hint = 0; /* clients send fields in the order of the table, more often than not */
    for (size_t i = 0; i < pairs; i++) {
        struct proto_span key = proto_read_key(&reader);
        if (!proto_reader_ok(&reader)) {
            return false;
        }
        size_t index = pair_read(&reader, target, hint, key, &unknown_count);
        if (!proto_reader_ok(&reader)) {
            return false;
        }
        hint = index < target->count ? index + 1 : hint;
    }
    proto_reader_leave(&reader);
    if (!proto_reader_end(&reader)) {
        return false;
    }
    if (unknown_count > 1 &&
        !target->checked) { /* two unknown keys may be the same one: look at the map as a whole */
        proto_reader_init(&reader, payload, fault);
        (void)proto_read_any(&reader);
    }
    return proto_reader_ok(&reader) && required_present(target, fault);
}

bool proto_request_decode(const struct proto_op_info *op, struct proto_span payload,
                          struct proto_request *request, struct proto_fault *fault)
{
    struct proto_arg common[COMMON_COUNT];
    struct target target = {op->request, op->request_count, request->args, common, false};
    for (size_t i = 0; i < COMMON_COUNT; i++) {
        common[i].present = false;
    }
    request->op = op;
    request->deadline_ms = request->min_seq = 0;
    request->max_age_ms = UINT64_MAX;
    request->staleness = false;
    if (!payload_decode(payload, &target, fault)) {
        return false;
    }
    if (common[COMMON_DEADLINE_MS].present) {
        request->deadline_ms = common[COMMON_DEADLINE_MS].uint;
    }
    if (common[COMMON_MIN_SEQ].present) {
        request->min_seq = common[COMMON_MIN_SEQ].uint;
    }
    if (common[COMMON_MAX_AGE_MS].present) {
        request->max_age_ms = common[COMMON_MAX_AGE_MS].uint;
    }
    request->staleness = common[COMMON_STALENESS].present && common[COMMON_STALENESS].flag;
    return true;
}

bool proto_fields_decode(const struct proto_field_info *fields, size_t count,
                         struct proto_span payload, struct proto_arg *args,
                         struct proto_fault *fault)
{
    struct target target = {fields, count, args, NULL, false};
    return payload_decode(payload, &target, fault);
}

bool proto_members_decode(const struct proto_field_info *fields, size_t count,
                          struct proto_span map, struct proto_arg *args, struct proto_fault *fault)
{
    struct target target = {fields, count, args, NULL, true};
    return payload_decode(map, &target, fault);
}

bool proto_fault_decode(struct proto_span payload, struct proto_fault *reply,
                        struct proto_fault *fault)
{
    struct proto_arg args[PROTO_F_COUNT];
    size_t count = 0;
    const struct proto_field_info *fields = proto_fault_fields(&count);
    assert(count == PROTO_F_COUNT);
    if (!proto_fields_decode(fields, count, payload, args, fault)) {
        return false;
    }
    struct proto_span field = args[PROTO_F_FIELD].text;
    struct proto_span message = args[PROTO_F_MESSAGE].text;
    char text[sizeof(reply->field)];
    size_t bytes = field.bytes < sizeof(text) ? field.bytes : sizeof(text) - 1;
    memcpy(text, field.data, bytes);
    text[bytes] = '\0';
    int shown =
        message.bytes < sizeof(reply->message) ? (int)message.bytes : (int)sizeof(reply->message);
    /* A code that this version does not know stays as it is: its name would be a guess. */
    uint64_t code = args[PROTO_F_CODE].uint;
    proto_fault_set(reply, code <= UINT8_MAX ? (enum proto_error)code : PROTO_INTERNAL, text,
                    "%.*s", shown, (const char *)message.data);
    if (args[PROTO_F_RETRY_AFTER_MS].present) {
        uint64_t wait_ms = args[PROTO_F_RETRY_AFTER_MS].uint;
        reply->retry_after_ms = wait_ms < UINT32_MAX ? (uint32_t)wait_ms : UINT32_MAX;
    }
    return true;
}

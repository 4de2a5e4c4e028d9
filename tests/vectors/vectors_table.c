/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors that follow from the tables: for each operation its smallest and fullest request and
 * reply, each field left out, of a wrong type or out of its range, a key unknown or twice; and each
 * error reply. */
#include <math.h>
#include <stdio.h>

#include "proto/rule.h"
#include "tests/vectors/vectors.h"

/* A value for each type, and one of another type. */
static const struct {
    const char *fits;
    const char *wrong;
} samples[] = {
    [PROTO_TEXT] = {"\"domain:acme.com\"", "7"},
    [PROTO_JSON] = {"\"{}\"", "{}"},
    [PROTO_UINT] = {"1712345678901", "-1"},
    [PROTO_INT] = {"-250000", "\"-250000\""},
    [PROTO_NUMBER] = {"0.625", "\"0.625\""},
    [PROTO_FLAG] = {"true", "1"},
    [PROTO_BYTES] = {"{\"$bin\":\"0000803f0000c0bf\"}", "\"bytes\""},
    [PROTO_TEXTS] = {"[\"acct-1\",\"Z\\u00fcrich\"]", "\"acct-1\""},
    [PROTO_LIST] = {"[{\"id\":\"acct-1\",\"values\":{\"employees\":250,\"industry\":null}}]", "{}"},
    [PROTO_MAP] = {"{\"employees\":250,\"industry\":\"Software\",\"tags\":[\"b2b\",\"saas\"]}",
                   "[]"},
    [PROTO_ANY] = {"[1,null,\"x\"]", NULL},
};

static json_t *sample(enum proto_type type, bool fits)
{
    const char *text = fits ? samples[type].fits : samples[type].wrong;
    return text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static bool is_whole(enum proto_type type)
{
    return type == PROTO_UINT || type == PROTO_INT;
}

/* A value that the field takes: the sample, or the edge that it would be beyond. */
static json_t *fitting(const struct proto_field_info *field)
{
    if (is_whole(field->type) && field->bounded) {
        return json_integer((json_int_t)(isnan(field->high) ? field->low : field->high));
    }
    json_t *value = sample(field->type, true);
    bool beyond = field->type == PROTO_NUMBER && field->bounded &&
                  (json_real_value(value) > field->high || json_real_value(value) < field->low);
    if (beyond) {
        json_decref(value);
        value = json_real(isnan(field->high) ? field->low : field->high);
    }
    return value;
}

/* A map with a value for each field: all, or only those required. */
static json_t *payload_of(const struct proto_field_info *fields, size_t count, bool all)
{
    json_t *payload = json_object();
    for (size_t i = 0; i < count; i++) {
        if (all || fields[i].presence == PROTO_REQUIRED) {
            json_object_set_new(payload, fields[i].name, fitting(&fields[i]));
        }
    }
    return payload;
}

/* What an operation's vectors have in common. */
struct source {
    json_t *vectors;
    const struct proto_op_info *op;
    bool is_reply;
    uint32_t request_id;
};

static void add(const struct source *source, const char *what, const json_t *payload,
                const char *error, const char *field)
{
    char name[160];
    (void)snprintf(name, sizeof(name), "%s %s: %s", source->op->name,
                   source->is_reply ? "reply" : "request", what);
    struct proto_writer writer;
    proto_writer_init(&writer);
    vector_pack(&writer, payload);
    struct vector_wanted wanted = {
        .op = source->op->name,
        .is_reply = source->is_reply,
        .payload = error == NULL ? (json_t *)(uintptr_t)payload : NULL,
        .error = error,
        .field = field,
        .layer = "table",
    };
    struct vector_frame frame = {
        .code = source->is_reply ? PROTO_OK : (uint8_t)source->op->op,
        .flags = source->is_reply ? PROTO_FLAG_REPLY : 0,
        .request_id = source->request_id,
    };
    vector_add_payload(source->vectors, name, frame, proto_writer_span(&writer), &wanted);
    proto_writer_fini(&writer);
}

static void good_add(const struct source *source, const struct proto_field_info *fields,
                     size_t count)
{
    json_t *least = payload_of(fields, count, false);
    json_t *all = payload_of(fields, count, true);
    add(source, "required fields alone", least, NULL, NULL);
    if (json_object_size(all) > json_object_size(least)) {
        add(source, "every field", all, NULL, NULL);
    }
    json_object_set_new(all, "not_known_yet", json_pack("{s:[i]}", "id", 1));
    add(source, "an unknown key is passed over", all, NULL, NULL);
    if (!source->is_reply) {
        json_object_set_new(least, "deadline_ms", json_integer(250));
        add(source, "with a deadline", least, NULL, NULL);
    }
    json_decref(least);
    json_decref(all);
}

/* Numbers at the nearest value that the bounds shut out; bounds of texts and lists are long, and
 * left to the list of vectors. */
static void bounds_add(const struct source *source, const struct proto_field_info *field,
                       json_t *payload)
{
    char what[120];
    bool whole = is_whole(field->type);
    bool open = field->low == PROTO_ABOVE_0;
    if (!whole && field->type != PROTO_NUMBER) {
        return;
    }
    if (field->low > 0) {
        json_object_set_new(payload, field->name,
                            whole ? json_integer((json_int_t)field->low - 1)
                                  : json_real(open ? 0 : field->low - 1));
        (void)snprintf(what, sizeof(what), "%s below its range", field->name);
        add(source, what, payload, "bad-field", field->name);
    }
    if (field->high > 0) {
        json_object_set_new(payload, field->name,
                            whole ? json_integer((json_int_t)field->high + 1)
                                  : json_real(field->high + 0.25));
        (void)snprintf(what, sizeof(what), "%s above its range", field->name);
        add(source, what, payload, "bad-field", field->name);
    }
}

static void bad_add(const struct source *source, const struct proto_field_info *fields,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char what[120];
        json_t *payload = payload_of(fields, count, false);
        if (fields[i].presence == PROTO_REQUIRED) {
            json_object_del(payload, fields[i].name);
            (void)snprintf(what, sizeof(what), "without %s", fields[i].name);
            add(source, what, payload, "missing-field", fields[i].name);
        }
        json_t *wrong = sample(fields[i].type, false);
        if (wrong != NULL) {
            json_object_set_new(payload, fields[i].name, wrong);
            (void)snprintf(what, sizeof(what), "%s of a wrong type", fields[i].name);
            add(source, what, payload, "bad-field", fields[i].name);
        }
        bounds_add(source, &fields[i], payload);
        json_decref(payload);
    }
}

/* The first field twice, the second time with another value. */
static void twice_add(const struct source *source)
{
    if (source->op->request_count == 0) {
        return;
    }
    const struct proto_field_info *field = &source->op->request[0];
    json_t *value = fitting(field);
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_map(&writer, 2);
    proto_write_text(&writer, field->name);
    vector_pack(&writer, value);
    proto_write_text(&writer, field->name);
    vector_pack(&writer, value);
    char name[160];
    (void)snprintf(name, sizeof(name), "%s request: %s twice", source->op->name, field->name);
    struct vector_wanted wanted = {
        .op = source->op->name, .error = "duplicate-key", .field = field->name, .layer = "form"};
    struct vector_frame frame = {.code = (uint8_t)source->op->op, .request_id = source->request_id};
    vector_add_payload(source->vectors, name, frame, proto_writer_span(&writer), &wanted);
    proto_writer_fini(&writer);
    json_decref(value);
}

/* One error reply for each code that travels. */
static void errors_add(json_t *vectors)
{
    size_t count = 0;
    const struct proto_error_info *errors = proto_errors(&count);
    for (size_t i = 0; i < count; i++) {
        unsigned code = (unsigned)errors[i].code;
        if (code == PROTO_OK || code >= 200) {
            continue;
        }
        struct proto_fault fault;
        proto_fault_set(&fault, errors[i].code, code % 2 == 0 ? "" : "accounts[3].values.employees",
                        "%s", errors[i].text);
        struct proto_writer writer;
        proto_writer_init(&writer);
        proto_write_fault(&writer, &fault, 0, 4096 + code);
        json_t *payload = json_pack("{s:i, s:s, s:s, s:s, s:b}", "code", (int)code, "error",
                                    errors[i].name, "message", errors[i].text, "field", fault.field,
                                    "retryable", (int)errors[i].retryable);
        char name[120];
        (void)snprintf(name, sizeof(name), "error reply: %s", errors[i].name);
        struct vector_wanted wanted = {.op = "score", .is_reply = true, .payload = payload};
        vector_add(vectors, name, proto_writer_span(&writer), &wanted);
        json_decref(payload);
        proto_writer_fini(&writer);
    }
}

void vectors_from_tables(json_t *vectors)
{
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    for (size_t i = 0; i < count; i++) {
        struct source source = {vectors, &ops[i], false, (uint32_t)ops[i].op * 1000};
        good_add(&source, ops[i].request, ops[i].request_count);
        bad_add(&source, ops[i].request, ops[i].request_count);
        twice_add(&source);
        source.is_reply = true;
        good_add(&source, ops[i].reply, ops[i].reply_count);
    }
    errors_add(vectors);
}

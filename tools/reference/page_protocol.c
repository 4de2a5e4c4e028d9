/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the protocol as JSON, for clients in other languages: operations with the fields of
 * their requests and replies, shapes, errors, limits and patience. One line for each field, so that
 * a change of a table is a change of its line. What a key means stands in docs/clients.md. */
#include <inttypes.h>
#include <math.h>

#include "proto/frame.h"
#include "proto/rule.h"
#include "proto/shape.h"
#include "tools/reference/reference.h"

/* A text as JSON; the tables hold UTF-8, which stays as it is. */
static void text_print(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20) {
            (void)fprintf(out, "\\u%04x", (unsigned)(unsigned char)*text);
            continue;
        }
        if (*text == '"' || *text == '\\') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

static void member_print(FILE *out, const char *name, const char *text)
{
    (void)fprintf(out, ", \"%s\": ", name);
    text_print(out, text);
}

/* Bounds: a bound that its value itself does not reach is marked open. */
static void bounds_print(FILE *out, const struct proto_field_info *field)
{
    const struct proto_limit_info *limit = proto_rule_limit(field->high_source);
    if (!isnan(field->low)) {
        bool open = field->low == PROTO_ABOVE_0;
        (void)fprintf(out, ", \"low\": %.17g", open ? 0 : field->low);
        (void)fputs(open ? ", \"low_open\": true" : "", out);
    }
    if (!isnan(field->high)) {
        bool open = field->high == PROTO_BELOW_1;
        (void)fprintf(out, ", \"high\": %.17g", open ? 1 : field->high);
        (void)fputs(open ? ", \"high_open\": true" : "", out);
    }
    if (limit != NULL) {
        member_print(out, "limit", limit->name);
    }
}

static void field_print(FILE *out, const struct proto_field_info *field, enum proto_shape shape)
{
    char text[96];
    (void)fputs("{\"name\": ", out);
    text_print(out, field->name);
    member_print(out, "type", proto_type_name(field->type));
    (void)fprintf(out, ", \"required\": %s", field->presence == PROTO_REQUIRED ? "true" : "false");
    if (shape != PROTO_SHAPE_NONE) {
        member_print(out, "of", proto_shape_info(shape)->name);
    }
    bounds_print(out, field);
    if (*proto_rule_default_print(field, text, sizeof text)) {
        (void)fprintf(out, ", \"default\": %s", text);
    }
    if (*field->unit) {
        member_print(out, "unit", field->unit);
    }
    member_print(out, "help", field->help);
    (void)fputc('}', out);
}

static void op_fields_print(FILE *out, const struct proto_op_info *op, bool reply)
{
    const struct proto_field_info *fields = reply ? op->reply : op->request;
    size_t count = reply ? op->reply_count : op->request_count;
    (void)fprintf(out, ",\n      \"%s\": [", reply ? "reply" : "request");
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i > 0 ? ",\n        " : "\n        ", out);
        field_print(out, &fields[i], proto_shape_of(op, reply, i));
    }
    (void)fputs("]", out);
}

static void operations_print(FILE *out)
{
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    (void)fputs("  \"operations\": [", out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "%s\n    {\"opcode\": %d", i > 0 ? "," : "", (int)ops[i].op);
        member_print(out, "name", ops[i].name);
        member_print(out, "lane", proto_lane_name(ops[i].lane));
        member_print(out, "role", proto_role_name(ops[i].role));
        (void)fprintf(out, ", \"safe\": %s", ops[i].retry == PROTO_RETRY_SAFE ? "true" : "false");
        member_print(out, "help", ops[i].help);
        op_fields_print(out, &ops[i], false);
        op_fields_print(out, &ops[i], true);
        (void)fputs("}", out);
    }
    (void)fputs("\n  ],\n", out);
}

static void shapes_print(FILE *out)
{
    (void)fputs("  \"shapes\": [", out);
    for (unsigned shape = PROTO_SHAPE_NONE + 1; shape < PROTO_SHAPE_COUNT; shape++) {
        const struct proto_shape_info *info = proto_shape_info((enum proto_shape)shape);
        (void)fputs(shape > PROTO_SHAPE_NONE + 1 ? ",\n    {\"name\": " : "\n    {\"name\": ", out);
        text_print(out, info->name);
        member_print(out, "help", info->help);
        (void)fputs(",\n      \"members\": [", out);
        for (size_t i = 0; i < info->member_count; i++) {
            (void)fputs(i > 0 ? ",\n        " : "\n        ", out);
            field_print(out, &info->members[i], info->of[i]);
        }
        (void)fputs("]}", out);
    }
    (void)fputs("\n  ],\n", out);
}

static void errors_print(FILE *out)
{
    size_t count = 0;
    const struct proto_error_info *errors = proto_errors(&count);
    (void)fputs("  \"errors\": [", out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "%s\n    {\"code\": %d", i > 0 ? "," : "", (int)errors[i].code);
        member_print(out, "name", errors[i].name);
        (void)fprintf(out, ", \"retryable\": %s", errors[i].retryable ? "true" : "false");
        member_print(out, "help", errors[i].text);
        (void)fputs("}", out);
    }
    (void)fputs("\n  ],\n  \"error_reply\": [", out);
    const struct proto_field_info *fields = proto_fault_fields(&count);
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i > 0 ? ",\n    " : "\n    ", out);
        field_print(out, &fields[i], PROTO_SHAPE_NONE);
    }
    (void)fputs("\n  ],\n", out);
}

/* Rows as those of limit.def. */
static void rows_print(FILE *out, const char *name, const struct proto_limit_info *limits,
                       size_t count)
{
    (void)fprintf(out, "  \"%s\": [", name);
    for (size_t i = 0; i < count; i++) {
        (void)fputs(i > 0 ? ",\n    {\"name\": " : "\n    {\"name\": ", out);
        text_print(out, limits[i].name);
        (void)fprintf(out, ", \"value\": %" PRIu64, limits[i].value);
        member_print(out, "unit", limits[i].unit);
        member_print(out, "help", limits[i].reason);
        (void)fputs("}", out);
    }
    (void)fputs("\n  ]", out);
}

void reference_page_protocol(FILE *out)
{
    (void)fprintf(
        out,
        "{\n  \"made_by\": \"icp-reference protocol, from proto/*.def; do not edit\",\n"
        "  \"described_in\": \"docs/clients.md\",\n"
        "  \"protocol\": %d,\n  \"port\": %d,\n  \"tls_port\": %d,\n  \"header_bytes\": %d,\n"
        "  \"flags\": {\"reply\": %d, \"checksum\": %d, \"more\": %d},\n",
        PROTO_VERSION, PROTO_PORT, PROTO_TLS_PORT, (int)PROTO_HEADER_BYTES, (int)PROTO_FLAG_REPLY,
        (int)PROTO_FLAG_CHECKSUM, (int)PROTO_FLAG_MORE);
    operations_print(out);
    shapes_print(out);
    errors_print(out);
    size_t count = 0;
    const struct proto_limit_info *rows = proto_limits(&count);
    rows_print(out, "limits", rows, count);
    (void)fputs(",\n", out);
    rows = proto_patience(&count);
    rows_print(out, "patience", rows, count);
    (void)fputs("\n}\n", out);
}

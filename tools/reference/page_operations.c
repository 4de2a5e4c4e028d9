/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/rule.h"
#include "proto/shape.h"
#include "tools/reference/reference.h"

static const char *retry_name(enum proto_retry retry)
{
    return retry == PROTO_RETRY_SAFE ? "safe" : "unsafe";
}

static void overview_print(FILE *out, const struct proto_op_info *ops, size_t count)
{
    (void)fputs(
        "The opcode stands in byte 5 of a request's header (see "
        "[protocol.md](../protocol.md)).\n\n"
        "- **Role**: the least role that a connection needs; [roles.md](roles.md) has them all.\n"
        "- **Answered**: `inline`, at once; `write`, when the change is durable; `scan`, when a "
        "pass over the accounts, on a thread of its own, has ended; `job`, when a job that runs in "
        "the background has ended, with progress frames before if asked.\n"
        "- **Retry**: `safe`, sending it twice does no harm; `unsafe`, a client must not "
        "repeat it unasked.\n\n"
        "| Opcode | Operation | Role | Answered | Retry | What it does |\n"
        "|---:|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| %d | [%s](#%s) | %s | %s | %s | ", (int)ops[i].op, ops[i].name,
                      ops[i].name, proto_role_name(ops[i].role), proto_lane_name(ops[i].lane),
                      retry_name(ops[i].retry));
        reference_cell(out, ops[i].help);
        (void)fputs(" |\n", out);
    }
}

static void commons_print(FILE *out)
{
    static const struct {
        const char *name, *type, *unit, *help;
        bool of_reply;
    } rows[] = {
#define M(NAME, name, TYPE, unit, help) {name, #TYPE, unit, help, false},
#define R(NAME, name, TYPE, unit, help) {name, #TYPE, unit, help, true},
#include "proto/common.def"
#undef M
#undef R
    };
    (void)fputs("| Member | Type | Unit | Meaning |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)fprintf(out, "| `%s` | ", rows[i].name);
        for (const char *at = rows[i].type; *at != '\0'; at++) {
            (void)fputc(*at + ('a' - 'A'), out);
        }
        (void)fprintf(out, " | %s | %s%s |\n", rows[i].unit,
                      rows[i].of_reply ? "of the reply: " : "", rows[i].help);
    }
}

static void types_print(FILE *out)
{
    (void)fputs(
        "\n## Types\n\n"
        "| Type | MessagePack |\n|---|---|\n"
        "| text | str, UTF-8 |\n"
        "| json | the same; the text is JSON |\n"
        "| uint | a whole number from 0 to 2^63-1: any integer format, or a float without a "
        "fraction |\n"
        "| int | the same from -2^63 to 2^63-1 |\n"
        "| number | any integer or float format; finite |\n"
        "| flag | bool |\n"
        "| bytes | bin |\n"
        "| texts | array of str |\n"
        "| list | array; *list of x*: of maps with the members of [x](#members) |\n"
        "| map | map with str keys; *map: x* has the members of [x](#members) |\n"
        "| any | any of these, or nil |\n\n"
        "Every request may also carry these, of which [protocol.md](../protocol.md) says more. "
        "Unknown keys are passed over.\n\n",
        out);
    commons_print(out);
    (void)fputs(
        "\n*Allowed* bounds the value of a number, the bytes of a text and the elements of a list; "
        "what is beyond is refused by name (`bad-field`; a list or a document that is too long "
        "`too-large`). *Default* is what a field that is left out means. In a reply a number's "
        "unit stands behind its type.\n",
        out);
}

/* A heading's anchor: its text with hyphens for blanks. */
static void shape_link(FILE *out, enum proto_type type, const char *name)
{
    (void)fprintf(out, "%s[%s](#", type == PROTO_LIST ? "list of " : "map: ", name);
    for (; *name != '\0'; name++) {
        (void)fputc(*name == ' ' ? '-' : *name, out);
    }
    (void)fputc(')', out);
}

static void unit_print(FILE *out, const struct proto_field_info *field)
{
    if (*field->unit) {
        (void)fprintf(out, ", %s", field->unit);
    }
}

/* Bounds, with the limit that they come from, and default. */
static void rule_print(FILE *out, const struct proto_field_info *field)
{
    char text[96];
    const struct proto_limit_info *limit = proto_rule_limit(field->high_source);
    reference_cell(out, proto_rule_print(field, text, sizeof text));
    if (limit != NULL) {
        (void)fprintf(out, " ([`%s`](limits.md))", limit->name);
    }
    proto_rule_default_print(field, text, sizeof text);
    (void)fprintf(out, *text ? "%s| `%s` | " : "%s| %s| ", field->bounded ? " " : "", text);
}

/* A row: with what is allowed and the default, or, of a reply, without. */
static void field_print(FILE *out, const struct proto_field_info *field, enum proto_shape shape,
                        bool ruled)
{
    (void)fprintf(out, "| `%s` | ", field->name);
    if (shape == PROTO_SHAPE_NONE) {
        (void)fputs(proto_type_name(field->type), out);
    } else {
        shape_link(out, field->type, proto_shape_info(shape)->name);
    }
    if (!ruled || !field->bounded) {
        unit_print(out, field);
    }
    (void)fprintf(out, " | %s | ", field->presence == PROTO_REQUIRED ? "required" : "optional");
    if (ruled) {
        rule_print(out, field);
    }
    reference_cell(out, field->help);
    (void)fputs(" |\n", out);
}

static void fields_print(FILE *out, const struct proto_op_info *op, bool reply)
{
    const struct proto_field_info *fields = reply ? op->reply : op->request;
    size_t count = reply ? op->reply_count : op->request_count;
    const char *title = reply ? "Reply" : "Request";
    if (count == 0) {
        (void)fprintf(out, "%s: no fields.\n\n", title);
        return;
    }
    (void)fprintf(out, "%s:\n\n| Field | Type | |%s Meaning |\n|---|---|---|%s---|\n", title,
                  reply ? "" : " Allowed | Default |", reply ? "" : "---|---|");
    for (size_t i = 0; i < count; i++) {
        field_print(out, &fields[i], proto_shape_of(op, reply, i), !reply);
    }
    (void)fputs("\n", out);
}

static void shapes_print(FILE *out)
{
    (void)fputs("\n## Members\n\nOf the maps that stand in requests and replies, alone or in "
                "lists.\n",
                out);
    for (unsigned shape = PROTO_SHAPE_NONE + 1; shape < PROTO_SHAPE_COUNT; shape++) {
        const struct proto_shape_info *info = proto_shape_info((enum proto_shape)shape);
        bool ruled = false;
        for (size_t i = 0; i < info->member_count; i++) {
            ruled = ruled || info->members[i].bounded;
        }
        (void)fprintf(
            out, "\n### %s\n\n%s.\n\n| Member | Type | |%s Meaning |\n|---|---|---|%s---|\n",
            info->name, info->help, ruled ? " Allowed | Default |" : "", ruled ? "---|---|" : "");
        for (size_t i = 0; i < info->member_count; i++) {
            field_print(out, &info->members[i], info->of[i], ruled);
        }
    }
}

void reference_page_operations(FILE *out)
{
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    reference_title(out, "Operations", "proto/op.def, proto/field.def and proto/shape.def");
    overview_print(out, ops, count);
    types_print(out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "\n## %s\n\n%s. Opcode %d, role %s, answered %s, retry %s.\n\n",
                      ops[i].name, ops[i].help, (int)ops[i].op, proto_role_name(ops[i].role),
                      proto_lane_name(ops[i].lane), retry_name(ops[i].retry));
        fields_print(out, &ops[i], false);
        fields_print(out, &ops[i], true);
    }
    shapes_print(out);
}

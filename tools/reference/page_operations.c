/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table.h"
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
        "- **Role**: the least role that a connection needs; `none` < `read` < `write` < "
        "`admin`.\n"
        "- **Answered**: `inline`, at once; `write`, when the change is durable; `job`, when "
        "a job that runs in the background ends, with progress frames before if asked.\n"
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

static void types_print(FILE *out)
{
    (void)fputs(
        "\n## Types\n\n"
        "| Type | MessagePack |\n|---|---|\n"
        "| text | str, UTF-8 |\n"
        "| uint | a whole number from 0 to 2^63-1: any integer format, or a float without a "
        "fraction |\n"
        "| int | the same from -2^63 to 2^63-1 |\n"
        "| number | any integer or float format; finite |\n"
        "| flag | bool |\n"
        "| bytes | bin |\n"
        "| texts | array of str |\n"
        "| list | array |\n"
        "| map | map with str keys |\n"
        "| any | any of these, or nil |\n\n"
        "Every request may also carry `deadline_ms` (uint). Unknown keys are passed over.\n",
        out);
}

static void fields_print(FILE *out, const char *title, const struct proto_field_info *fields,
                         size_t count)
{
    if (count == 0) {
        (void)fprintf(out, "%s: no fields.\n\n", title);
        return;
    }
    (void)fprintf(out, "%s:\n\n| Field | Type | | Meaning |\n|---|---|---|---|\n", title);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| `%s` | %s | %s | ", fields[i].name, proto_type_name(fields[i].type),
                      fields[i].presence == PROTO_REQUIRED ? "required" : "optional");
        reference_cell(out, fields[i].help);
        (void)fputs(" |\n", out);
    }
    (void)fputs("\n", out);
}

void reference_page_operations(FILE *out)
{
    size_t count = 0;
    const struct proto_op_info *ops = proto_ops(&count);
    reference_title(out, "Operations", "proto/op.def and proto/field.def");
    overview_print(out, ops, count);
    types_print(out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "\n## %s\n\n%s. Opcode %d, role %s, answered %s, retry %s.\n\n",
                      ops[i].name, ops[i].help, (int)ops[i].op, proto_role_name(ops[i].role),
                      proto_lane_name(ops[i].lane), retry_name(ops[i].retry));
        fields_print(out, "Request", ops[i].request, ops[i].request_count);
        fields_print(out, "Reply", ops[i].reply, ops[i].reply_count);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table.h"
#include "tools/reference/reference.h"

static void errors_print(FILE *out, bool is_local)
{
    size_t count = 0;
    const struct proto_error_info *errors = proto_errors(&count);
    (void)fputs("| Code | Name | Retry may help | Meaning |\n|---:|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++) {
        if (((int)errors[i].code >= 200) == is_local) {
            (void)fprintf(out, "| %d | %s | %s | ", (int)errors[i].code, errors[i].name,
                          errors[i].retryable ? "yes" : "no");
            reference_cell(out, errors[i].text);
            (void)fputs(" |\n", out);
        }
    }
}

void reference_page_errors(FILE *out)
{
    size_t count = 0;
    const struct proto_field_info *fields = proto_fault_fields(&count);
    reference_title(out, "Errors", "proto/error.def and proto/fault.def");
    (void)fputs(
        "The code stands in byte 5 of a reply's header (see [protocol.md](../protocol.md)). "
        "Codes are never renumbered.\n\n",
        out);
    errors_print(out, false);
    (void)fputs("\n## Payload of an error reply\n\n| Key | Type | Meaning |\n|---|---|---|\n", out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| `%s` | %s | ", fields[i].name, proto_type_name(fields[i].type));
        reference_cell(out, fields[i].help);
        (void)fputs(" |\n", out);
    }
    (void)fputs("\n## Made by the client library\n\nThese never travel.\n\n", out);
    errors_print(out, true);
}

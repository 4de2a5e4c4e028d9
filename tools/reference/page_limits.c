/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "proto/table.h"
#include "tools/reference/reference.h"

void reference_page_limits(FILE *out)
{
    size_t count = 0;
    const struct proto_limit_info *limits = proto_limits(&count);
    reference_title(out, "Limits", "proto/limit.def");
    (void)fputs(
        "Fixed limits of the format. `hello` answers with them by name. What goes over one is "
        "refused with an error that names it.\n\n"
        "| Limit | Value | Unit | What it bounds, and why |\n|---|---:|---|---|\n",
        out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "| `%s` | %" PRIu64 " | %s | ", limits[i].name, limits[i].value,
                      limits[i].unit);
        reference_cell(out, limits[i].reason);
        (void)fputs(" |\n", out);
    }
}

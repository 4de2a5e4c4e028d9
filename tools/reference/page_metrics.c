/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/metrics.h"
#include "tools/reference/reference.h"

void reference_page_metrics(FILE *out)
{
    reference_title(out, "Figures of the server", "server/base/metric.def");
    (void)fputs(
        "`stats` gives these beside requests, errors by code and latencies of each operation. "
        "A counter only grows; a gauge is what is there now.\n\n",
        out);
    base_metrics_reference(out);
}

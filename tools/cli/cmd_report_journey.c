/* SPDX-License-Identifier: Apache-2.0 */
/* icp report journey: tables asked of the server, a page written beside its final name and then put
 * there. A day that is none is told before anything is asked. */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/journey_asked.h"
#include "tools/cli/measure_cells.h"

static int page_write(const struct cli *cli, const struct report_journey *page)
{
    const char *path = cli_text(cli, CLI_REPORT_JOURNEY_OUT);
    struct out_file output;
    int status = cli_file_begin(cli, path != NULL ? path : "-", &output);
    if (status != EX_OK) {
        return status;
    }
    report_journey(output.file, page);
    status = cli_file_commit(cli, &output);
    out_file_abandon(&output);
    return status;
}

int cmd_report_journey(struct cli *cli)
{
    static const char *const days[] = {"from", "to", "as-of"};
    int64_t ms = 0;
    if (!cli_arguments(cli, 0, 0)) {
        return EX_USAGE;
    }
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        if (!measure_option_day(cli, days[i], false, &ms)) {
            return EX_USAGE;
        }
    }
    struct journey_asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory for the page");
    }
    int status = journey_asked_read(cli, asked);
    if (status == EX_OK) {
        status = page_write(cli, &asked->page);
    }
    journey_asked_fini(asked);
    free(asked);
    return status;
}

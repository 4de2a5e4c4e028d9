/* SPDX-License-Identifier: Apache-2.0 */
/* Each of the two is asked by itself, as of one sequence; a list that nobody worked has none. */
#include "tools/cli/verdict_kept.h"

#include "server/feature/date_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/measure_ask.h"

/* *there: whether it could be measured. */
static int one_ask(const struct cli *cli, struct cli_request *request, struct measure_ask *ask,
                   struct measure_table *table, bool *there)
{
    icp_payload_reset(request->payload);
    int status = measure_ask_put(cli, ask, request->payload);
    *there = false;
    if (status != EX_OK) {
        return status;
    }
    if (!icp_call(request->client, ICP_OP_MEASURE, request->payload, &request->reply)) {
        return request->reply.fault.code == ICP_NO_EVIDENCE ? EX_OK
                                                            : cli_refused(cli, &request->reply);
    }
    measure_table_fini(table);
    status = measure_ask_take(cli, ask->id, &request->reply, table);
    *there = status == EX_OK;
    return status;
}

int verdict_kept_ask(const struct cli *cli, const struct verdict_kept_asked *asked,
                     struct verdict_kept *kept)
{
    struct cli_request request;
    char since[FEATURE_DATE_TEXT_BYTES];
    char at[FEATURE_DATE_TEXT_BYTES];
    char committed[32];
    struct measure_ask ask = {
        .id = MEASURE_ID_ADHERENCE, .has_seq = asked->seq > 0, .seq = asked->seq};
    *kept = (struct verdict_kept){.has_adherence = false};
    measure_table_init(&kept->adherence, MEASURE_ID_ADHERENCE);
    measure_table_init(&kept->divergence, MEASURE_ID_DIVERGENCE);
    (void)feature_date_print(asked->since_ms, since);
    (void)feature_date_print(asked->at_ms, at);
    measure_ask_parameter(&ask, "tal", asked->list);
    measure_ask_parameter(&ask, "from", since);
    measure_ask_parameter(&ask, "as-of", at);
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    struct measure_ask divergence = ask;
    if (asked->committed > 0) {
        (void)snprintf(committed, sizeof committed, "%.17g", asked->committed);
        measure_ask_parameter(&ask, "committed", committed);
    }
    status = one_ask(cli, &request, &ask, &kept->adherence, &kept->has_adherence);
    if (status == EX_OK && asked->by != NULL) {
        divergence.id = MEASURE_ID_DIVERGENCE;
        divergence.by = asked->by;
        status = one_ask(cli, &request, &divergence, &kept->divergence, &kept->has_divergence);
    }
    cli_request_close(&request);
    return status;
}

void verdict_kept_fini(struct verdict_kept *kept)
{
    measure_table_fini(&kept->adherence);
    measure_table_fini(&kept->divergence);
}

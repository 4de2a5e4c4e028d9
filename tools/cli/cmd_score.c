/* SPDX-License-Identifier: Apache-2.0 */
/* icp score: one account or lead; with --csv each row of a file (lead_csv.c). */
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/lead_csv.h"
#include "tools/cli/lead_set.h"
#include "tools/cli/moment_option.h"
#include "tools/cli/score_print.h"

static bool is_past(const struct cli *cli)
{
    return cli_has(cli, CLI_SCORE_AS_OF) || cli_has(cli, CLI_SCORE_AT);
}

/* The moment as of which the stored account is scored. */
static int moment_read(const struct cli *cli, struct icp_query *query)
{
    struct as_of as_of;
    bool given = false;
    int64_t at_ms = 0;
    int status = as_of_read(cli, CLI_SCORE_AS_OF, &as_of);
    if (status == EX_OK) {
        status = as_of_time(cli, CLI_SCORE_AT, &given, &at_ms);
    }
    query->seq = as_of.seq;
    /* To the query 0 is no time: the moment before it is as good. */
    query->known_ms = as_of.timed && as_of.known_ms == 0 ? -1 : as_of.known_ms;
    query->at_ms = given && at_ms == 0 ? -1 : at_ms;
    if (status == EX_OK && is_past(cli) && query->id == NULL && query->key == NULL &&
        query->email == NULL) {
        return cli_fail(cli, EX_USAGE,
                        "--as-of and --at go with a stored account: give ID, --key or --email");
    }
    return status;
}

/* An account that is not there now; of one that was not there then the server says so. */
static int not_scored(const struct cli *cli, const struct icp_query *query,
                      const struct icp_fault *fault)
{
    const char *kind = query->id != NULL ? "id" : query->key != NULL ? "key" : "email";
    const char *name = query->id != NULL    ? query->id
                       : query->key != NULL ? query->key
                                            : query->email;
    bool absent = fault->code == ICP_NOT_FOUND && fault->field[0] == '\0';
    return absent && name != NULL && !is_past(cli) ? cli_not_found(cli, kind, name)
                                                   : cli_icp_fault(cli, fault);
}

static int score_one(const struct cli *cli, struct icp_payload *values)
{
    struct icp_query query = {ICP_QUERY,
                              .id = cli->argument_count > 0 ? cli->arguments[0]
                                                            : cli_text(cli, CLI_SCORE_ID),
                              .key = cli_text(cli, CLI_SCORE_KEY),
                              .email = cli_text(cli, CLI_SCORE_EMAIL),
                              .names = true,
                              .engagement = cli_text(cli, CLI_SCORE_ENGAGEMENT)};
    uint64_t reasons = 0;
    uint64_t version = 0;
    if (!cli_number(cli, CLI_SCORE_REASONS, 0, PROTO_COLUMNS_MAX, 0, &reasons) ||
        !cli_number(cli, CLI_SCORE_ICP, 1, UINT32_MAX, 0, &version)) {
        return EX_USAGE;
    }
    if ((query.id != NULL) + (query.key != NULL) + (query.email != NULL) > 1 ||
        (cli->argument_count > 0 && cli_has(cli, CLI_SCORE_ID))) {
        return cli_fail(cli, EX_USAGE, "give one of ID, --key and --email");
    }
    int status = moment_read(cli, &query);
    if (status == EX_OK) {
        status = lead_set_fill(cli, values);
    }
    if (status != EX_OK) {
        return status;
    }
    if (icp_payload_count(values) > 0) {
        query.values = values;
    } else if (query.id == NULL && query.key == NULL && query.email == NULL) {
        return cli_fail(cli, EX_USAGE,
                        "whom to score? Give an id, --key, --email or --set, or a "
                        "file with --csv");
    }
    bool check = cli_has(cli, CLI_SCORE_CHECK);
    query.icp = (uint32_t)version;
    query.reasons = (uint32_t)(check && reasons == 0 ? PROTO_COLUMNS_MAX : reasons);
    struct icp_score score = {0};
    struct icp_fault fault;
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = query.values != NULL ? lead_set_check(cli, client) : EX_OK;
    if (status != EX_OK) {
        ; /* said already */
    } else if (!icp_score_lead(client, &query, &score, &fault)) {
        status = not_scored(cli, &query, &fault);
    } else if (check && !score_adds_up(&score)) {
        status = cli_fail(cli, EX_SOFTWARE, "intercept + contributions differ from the raw score");
    } else {
        status = score_print(cli, &score, check);
    }
    icp_score_fini(&score);
    icp_close(client);
    return status;
}

int cmd_score(struct cli *cli)
{
    if (!cli_arguments(cli, 0, cli_has(cli, CLI_SCORE_CSV) ? 0 : 1)) {
        return EX_USAGE;
    }
    if (cli_has(cli, CLI_SCORE_CSV) && is_past(cli)) {
        return cli_fail(cli, EX_USAGE, "--as-of and --at go with one account, not with --csv");
    }
    if (cli_has(cli, CLI_SCORE_CSV) && cli_has(cli, CLI_SCORE_ENGAGEMENT)) {
        return cli_fail(cli, EX_USAGE,
                        "--engagement goes with one account, not with --csv; 'icp "
                        "view' has that of many");
    }
    if (cli_has(cli, CLI_SCORE_CSV)) {
        return score_csv(cli);
    }
    static const enum cli_option_id only_csv[] = {CLI_SCORE_OUT, CLI_SCORE_VALUES_ONLY,
                                                  CLI_SCORE_PIPELINE, CLI_SCORE_NAMES};
    for (size_t i = 0; i < sizeof only_csv / sizeof *only_csv; i++) {
        if (cli_has(cli, only_csv[i])) {
            return cli_fail(cli, EX_USAGE, "--%s goes with --csv FILE",
                            cli_options()[only_csv[i]].name);
        }
    }
    struct icp_payload *values = icp_payload_create();
    if (values == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    int status = score_one(cli, values);
    icp_payload_destroy(values);
    return status;
}

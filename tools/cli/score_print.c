/* SPDX-License-Identifier: Apache-2.0 */
/* The answer first, then what made it, then what is missing. */
#include "tools/cli/score_print.h"
#include "tools/cli/out/out_number.h"

#include <stdlib.h>

bool score_adds_up(const struct icp_score *score)
{
    int64_t sum = score->intercept + score->rest;
    for (size_t i = 0; i < score->reason_count; i++) {
        sum += score->reasons[i].contribution;
    }
    return sum == score->raw;
}

void score_reasons_text(const struct icp_score *score, char *out, size_t out_bytes)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < score->reason_count && used + 1 < out_bytes; i++) {
        const struct icp_reason *reason = &score->reasons[i];
        char value[160];
        int bytes = snprintf(out + used, out_bytes - used, "%s%.*s=%s %+.3f", i > 0 ? "; " : "",
                             (int)reason->field.bytes, reason->field.data,
                             icp_value_print(&reason->value, value, sizeof value),
                             out_signed((double)reason->contribution / 1e6, 3));
        if (bytes < 0 || (size_t)bytes >= out_bytes - used) {
            out[used] = '\0'; /* half a reason would mislead */
            return;
        }
        used += (size_t)bytes;
    }
}

static void names_print(const struct cli *cli, const char *what, const struct icp_text *names,
                        size_t count)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *line = count > 0 ? open_memstream(&text, &bytes) : NULL;
    if (line == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fprintf(line, "%s %.*s", i > 0 ? "," : "", (int)names[i].bytes, names[i].data);
    }
    if (fclose(line) == 0) {
        cli_print(cli, "%s:%s\n", what, text);
    }
    free(text);
}

static int reasons_print(const struct cli *cli, const struct icp_score *score)
{
    static const char *const headers[] = {"points", "field", "value"};
    struct out_table table;
    if (score->reason_count == 0) {
        return EX_OK;
    }
    out_table_init(&table, headers, 3);
    for (size_t i = 0; i < score->reason_count; i++) {
        const struct icp_reason *reason = &score->reasons[i];
        char value[200];
        out_cell_number(&table, "%+.1f", out_signed((double)reason->contribution / 1e4, 1));
        out_cell_text_n(&table, reason->field);
        out_cell_text(&table, "%s", icp_value_print(&reason->value, value, sizeof value));
    }
    out_cell_number(&table, "%+.1f", out_signed((double)score->rest / 1e4, 1));
    out_cell_text(&table, "(all other fields)");
    out_cell_text(&table, "%s", "");
    out_cell_number(&table, "%+.1f", out_signed((double)score->intercept / 1e4, 1));
    out_cell_text(&table, "(where every account starts)");
    out_cell_text(&table, "%s", "");
    cli_print(cli, "\n");
    return cli_table(cli, &table);
}

/* What it did lately, where that was asked for and the account is stored. */
static void engagement_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value engagement;
    struct icp_value value = {.number = 0};
    struct icp_value band = {.text = {"", 0}};
    if (icp_reply_get(reply, "engagement", &engagement) &&
        icp_value_get(&engagement, "score", &value) && icp_value_get(&engagement, "band", &band)) {
        cli_print(cli, "engagement %.1f, %.*s\n", value.number, (int)band.text.bytes,
                  band.text.data);
    }
}

int score_print(const struct cli *cli, const struct icp_score *score, bool checked)
{
    struct icp_text name = icp_reply_text(&score->reply, "name");
    if (cli->style.form == OUT_JSON) {
        return cli_json_reply(cli, &score->reply);
    }
    cli_print(
        cli,
        "grade %c, better than %.1f %% of your accounts, p %.1f %%  (ICP version %u%s%.*s%s)\n",
        score->grade, score->fit, 100 * score->p, score->icp,
        score->id.bytes > 0 ? ", account " : "", (int)score->id.bytes, score->id.data,
        score->found ? "" : ", no stored account: the values alone");
    if (name.bytes > 0) {
        cli_print(cli, "%.*s\n", (int)name.bytes, name.data);
    }
    if (score->tal) {
        cli_print(cli, "on the target account list\n");
    }
    engagement_print(cli, &score->reply);
    if (score->missing_count > 0) {
        cli_print(cli, "it could be better than %.1f to %.1f %% if what is missing were known\n",
                  score->fit_low, score->fit_high);
    }
    int status = reasons_print(cli, score);
    names_print(cli, "missing", score->missing, score->missing_count);
    names_print(cli, "stale", score->stale, score->stale_count);
    names_print(cli, "warning: not counted, the schema has no field of this name", score->unknown,
                score->unknown_count);
    if (checked) {
        cli_print(cli,
                  "intercept + contributions = raw score (%lld millionths of a logit): checked\n",
                  (long long)score->raw);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* icp report verdict: the verdict with its weeks, asked of the server, as a page written beside its
 * final name and then put there. */
#include <jansson.h>
#include <stdlib.h>

#include "server/report/report_verdict.h"
#include "tools/cli/cmd.h"
#include "tools/cli/plan_text.h"
#include "tools/cli/policy_file.h"
#include "tools/cli/verdict_ask.h"
#include "tools/cli/verdict_kept.h"

enum { LINES_MAX = 32 };

/* Texts of a reply with zeros behind them. */
struct lines {
    char *lines[LINES_MAX];
    size_t count;
};

static bool lines_take(const struct icp_reply *reply, const char *member, struct lines *lines)
{
    struct icp_value list = {.count = 0};
    struct icp_value text;
    *lines = (struct lines){.count = 0};
    (void)icp_reply_get(reply, member, &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (lines->count < LINES_MAX && icp_next(&walk, NULL, &text)) {
        char *copy = strndup(text.text.data, text.text.bytes);
        if (copy == NULL) {
            return false;
        }
        lines->lines[lines->count++] = copy;
    }
    return true;
}

static void lines_fini(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++) {
        free(lines->lines[i]);
    }
}

static struct report_lines lines_of(const struct lines *lines)
{
    return (struct report_lines){(const char *const *)lines->lines, lines->count};
}

/* The name of the policy in its file; "" where it has none or is not there any more. */
static char *policy_name(const struct cli *cli)
{
    char *text = NULL;
    char *name = NULL;
    if (policy_file_read(cli, cli_text(cli, CLI_REPORT_VERDICT_POLICY), &text) == EX_OK) {
        json_t *policy = json_loads(text, 0, NULL);
        const char *told = json_string_value(json_object_get(policy, "name"));
        name = strdup(told != NULL ? told : "");
        json_decref(policy);
    }
    free(text);
    return name;
}

static int page_write(const struct cli *cli, const struct report_verdict *page)
{
    const char *path = cli_text(cli, CLI_REPORT_VERDICT_OUT);
    struct out_file output;
    int status = cli_file_begin(cli, path != NULL ? path : "-", &output);
    if (status != EX_OK) {
        return status;
    }
    report_verdict(output.file, page);
    status = cli_file_commit(cli, &output);
    out_file_abandon(&output);
    return status;
}

static uint64_t count_of(const struct icp_reply *reply, const char *member)
{
    return (uint64_t)icp_reply_int(reply, member, 0);
}

static int answer_write(const struct cli *cli, const struct verdict_answer *answer,
                        const struct verdict_kept *kept)
{
    struct lines words;
    struct lines cannot;
    struct lines next;
    const struct icp_reply *reply = &answer->reply;
    struct icp_value alpha = {.number = 0};
    struct icp_text told = icp_reply_text(reply, "verdict");
    const char *plan = cli_text(cli, CLI_REPORT_VERDICT_PLAN);
    char *verdict = strndup(told.data, told.bytes);
    char *policy = policy_name(cli);
    bool good = lines_take(reply, "words", &words) && verdict != NULL && policy != NULL;
    good = lines_take(reply, "cannot", &cannot) && good;
    good = lines_take(reply, "next", &next) && good;
    (void)icp_reply_get(reply, "alpha", &alpha);
    const struct report_verdict page = {
        .list = answer->list,
        .verdict = verdict,
        .policy = policy,
        .words = lines_of(&words),
        .cannot = lines_of(&cannot),
        .next = lines_of(&next),
        .lift = &answer->tables[VERDICT_LIFT],
        .rate = &answer->tables[VERDICT_RATE],
        .forecast = &answer->tables[VERDICT_FORECAST],
        .promise = &answer->tables[VERDICT_PROMISE],
        .adherence = kept->has_adherence ? &kept->adherence : NULL,
        .divergence = kept->has_divergence ? &kept->divergence : NULL,
        .plan = plan != NULL ? plan : "",
        .committed = answer->committed,
        .created_ms = icp_reply_int(reply, "created", 0),
        .since_ms = icp_reply_int(reply, "since", 0),
        .at_ms = icp_reply_int(reply, "at", 0),
        .icp = count_of(reply, "icp"),
        .seq = count_of(reply, "seq"),
        .cases = count_of(reply, "cases"),
        .open = count_of(reply, "open"),
        .before = count_of(reply, "before"),
        .elsewhere = count_of(reply, "elsewhere"),
        .touches = count_of(reply, "touches"),
        .alpha = alpha.number,
    };
    int status = good ? page_write(cli, &page) : cli_fail(cli, EX_OSERR, "no memory for the page");
    lines_fini(&words);
    lines_fini(&cannot);
    lines_fini(&next);
    free(verdict);
    free(policy);
    return status;
}

/* --committed goes before what the plan says. */
static int committed_read(const struct cli *cli, double *committed)
{
    const char *text = cli_text(cli, CLI_REPORT_VERDICT_COMMITTED);
    int status = EX_OK;
    json_t *share = text != NULL ? plan_share_read(cli, "committed", text, &status) : NULL;
    if (share != NULL) {
        *committed = json_number_value(share);
    }
    json_decref(share);
    return status;
}

int cmd_report_verdict(struct cli *cli)
{
    struct verdict_answer answer;
    double committed = 0;
    if (!cli_arguments(cli, 0, 1) || committed_read(cli, &committed) != EX_OK) {
        return EX_USAGE;
    }
    int status = verdict_ask(cli, true, &answer);
    if (status == EX_OK) {
        struct verdict_kept kept;
        const char *segment = cli_text(cli, CLI_REPORT_VERDICT_SEGMENT);
        answer.committed = committed > 0 ? committed : answer.committed;
        const struct verdict_kept_asked asked = {
            .list = answer.list,
            .by = segment != NULL ? segment : cli_text(cli, CLI_REPORT_VERDICT_BY),
            .committed = answer.committed,
            .since_ms = icp_reply_int(&answer.reply, "since", 0),
            .at_ms = icp_reply_int(&answer.reply, "at", 0),
            .seq = count_of(&answer.reply, "seq")};
        status = verdict_kept_ask(cli, &asked, &kept);
        status = status == EX_OK ? answer_write(cli, &answer, &kept) : status;
        verdict_kept_fini(&kept);
    }
    verdict_answer_fini(&answer);
    return status;
}

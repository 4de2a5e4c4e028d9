/* SPDX-License-Identifier: Apache-2.0 */
/* icp plan create, owner, signatory, validate, tal, commit, verdict: acts that need no key.
 * Each makes the body of one entry of its options and sends it; the server checks it. */
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/plan_text.h"

/* An option that must be given, as a member of the body. */
static int member_put(const struct cli *cli, json_t *body, const char *member, const char *option)
{
    const char *text = cli_text_named(cli, option);
    if (text == NULL) {
        return cli_fail(cli, EX_USAGE, "--%s is missing", option);
    }
    return json_object_set_new(body, member, json_string(text)) == 0
               ? EX_OK
               : cli_fail(cli, EX_DATAERR, "--%s is no UTF-8 text", option);
}

/* "a, b,c" as a list of texts; NULL without memory. */
static json_t *words_split(const char *text)
{
    json_t *list = json_array();
    while (list != NULL && *text != '\0') {
        text += strspn(text, ", ");
        size_t bytes = strcspn(text, ",");
        size_t end = bytes;
        while (end > 0 && text[end - 1] == ' ') {
            end--;
        }
        if (end > 0 && json_array_append_new(list, json_stringn(text, end)) != 0) {
            json_decref(list);
            return NULL;
        }
        text += bytes;
    }
    return list;
}

static int words_put(const struct cli *cli, json_t *body, const char *option)
{
    const char *text = cli_text_named(cli, option);
    if (text == NULL) {
        return cli_fail(cli, EX_USAGE, "--%s is missing: name them, with commas between", option);
    }
    return json_object_set_new(body, option, words_split(text)) == 0
               ? EX_OK
               : cli_fail(cli, EX_DATAERR, "--%s is no UTF-8 text", option);
}

/* Sends the body unless something was wrong with it; takes it. */
static int act_end(const struct cli *cli, const char *act, json_t *body, int status)
{
    if (status == EX_OK) {
        return plan_send(cli, cli->arguments[0], act, body);
    }
    json_decref(body);
    return status;
}

int cmd_plan_create(struct cli *cli)
{
    uint64_t icp = 0;
    const char *note = cli_text(cli, CLI_PLAN_CREATE_NOTE);
    if (!cli_arguments(cli, 1, 1) ||
        !cli_number(cli, CLI_PLAN_CREATE_ICP, 1, PROTO_ICPS_MAX, 0, &icp)) {
        return EX_USAGE;
    }
    json_t *body = json_object();
    int status = member_put(cli, body, "from", "from");
    status = status == EX_OK ? member_put(cli, body, "to", "to") : status;
    status = status == EX_OK ? words_put(cli, body, "layers") : status;
    status = status == EX_OK ? words_put(cli, body, "stages") : status;
    if (icp > 0) {
        (void)json_object_set_new(body, "icp", json_integer((json_int_t)icp));
    }
    if (note != NULL && status == EX_OK) {
        status = member_put(cli, body, "note", "note");
    }
    const char *share = cli_text(cli, CLI_PLAN_CREATE_SHARE);
    json_t *value = NULL;
    if (share != NULL && status == EX_OK &&
        (value = plan_share_read(cli, "share", share, &status)) != NULL) {
        (void)json_object_set_new(body, "share", value);
    }
    return act_end(cli, "create", body, status);
}

int cmd_plan_owner(struct cli *cli)
{
    if (!cli_arguments(cli, 3, 3)) {
        return EX_USAGE;
    }
    json_t *body = json_pack("{s:s, s:s}", "kind", cli->arguments[1], "name", cli->arguments[2]);
    int status = member_put(cli, body, "owner", "owner");
    status = status == EX_OK ? member_put(cli, body, "budget", "budget") : status;
    status = status == EX_OK ? member_put(cli, body, "metric", "metric") : status;
    return act_end(cli, "owner", body, status);
}

int cmd_plan_signatory(struct cli *cli)
{
    if (!cli_arguments(cli, 2, 2)) {
        return EX_USAGE;
    }
    json_t *body = json_pack("{s:s}", "function", cli->arguments[1]);
    int status = member_put(cli, body, "person", "person");
    status = status == EX_OK ? member_put(cli, body, "key", "public-key") : status;
    return act_end(cli, "signatory", body, status);
}

int cmd_plan_validate(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    json_t *body = json_object();
    return act_end(cli, "validate", body, member_put(cli, body, "evidence", "evidence"));
}

int cmd_plan_tal(struct cli *cli)
{
    if (!cli_arguments(cli, 2, 2)) {
        return EX_USAGE;
    }
    return plan_send(cli, cli->arguments[0], "list", json_pack("{s:s}", "tal", cli->arguments[1]));
}

int cmd_plan_commit(struct cli *cli)
{
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    json_t *body = json_object();
    bool note = cli_has(cli, CLI_PLAN_COMMIT_NOTE);
    return act_end(cli, "commit", body, note ? member_put(cli, body, "note", "note") : EX_OK);
}

int cmd_plan_verdict(struct cli *cli)
{
    if (!cli_arguments(cli, 2, 2)) {
        return EX_USAGE;
    }
    json_t *body = json_pack("{s:s}", "verdict", cli->arguments[1]);
    return act_end(cli, "verdict", body, member_put(cli, body, "because", "because"));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request, and in words what it says. */
#include "tools/cli/tal_account.h"

#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/member.h"

/* As it stands within single quotes of a shell: a quote ends them, is written behind a backslash,
 * and they begin again. NULL: no memory. */
static char *quoted(struct icp_text text)
{
    static const char quote[] = "'\\''";
    char *out = malloc((sizeof quote - 1) * text.bytes + 1);
    size_t used = 0;
    for (size_t at = 0; out != NULL && at < text.bytes; at++) {
        if (text.data[at] == '\'') {
            memcpy(out + used, quote, sizeof quote - 1);
            used += sizeof quote - 1;
        } else {
            out[used++] = text.data[at];
        }
    }
    if (out != NULL) {
        out[used] = '\0';
    }
    return out;
}

/* What anybody can run to draw the account again. */
static void draw_print(const struct cli *cli, struct icp_text seed, struct icp_text id)
{
    char *of_seed = quoted(seed);
    char *of_id = quoted(id);
    if (of_seed != NULL && of_id != NULL) {
        cli_print(cli, "  printf %%s '%s:%s' | sha256sum | cut -c1-16\n", of_seed, of_id);
    }
    free(of_seed);
    free(of_id);
}

static const char *stands(struct icp_text part, bool sampled)
{
    return member_text_is(part, "member")        ? "on the list, to be worked"
           : member_text_is(part, "held-out")    ? "on the list and held out: not to be worked"
           : member_text_is(part, "just-missed") ? "not on the list; it just missed it"
           : sampled                             ? "not on the list; it was drawn for the sample"
                                                 : "not on the list, nor frozen beside it";
}

static void account_print(const struct cli *cli, const struct icp_reply *reply)
{
    struct icp_value entry;
    struct icp_value rank = {.integer = 0};
    struct icp_value p = {.number = 0};
    struct icp_text id = icp_reply_text(reply, "id");
    struct icp_text seed = icp_reply_text(reply, "seed");
    struct icp_text draw = icp_reply_text(reply, "draw");
    struct icp_text below = icp_reply_text(reply, "below");
    bool sampled = icp_reply_flag(reply, "sampled", false);
    cli_print(cli, "%.*s is %s%s\n", (int)id.bytes, id.data,
              stands(icp_reply_text(reply, "part"), sampled),
              sampled && !member_text_is(icp_reply_text(reply, "part"), "none")
                  ? "; it is in the sample too"
                  : "");
    if (icp_reply_get(reply, "entry", &entry)) {
        (void)icp_value_get(&entry, "p", &p);
        if (icp_value_get(&entry, "rank", &rank)) {
            cli_print(cli, "  rank %lld, ", (long long)rank.integer);
        }
        cli_print(cli, "%sp %.4f when the list was made\n", rank.integer > 0 ? "" : "  ", p.number);
    }
    if (seed.bytes > 0) {
        cli_print(cli, "  its draw is %.*s, and a member below %.*s is held out:\n",
                  (int)draw.bytes, draw.data, (int)below.bytes, below.data);
        draw_print(cli, seed, id);
    } else {
        cli_print(cli, "  the list is of format 1: nothing was drawn\n");
    }
}

int tal_account(const struct cli *cli)
{
    struct cli_request request;
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    icp_payload_text(request.payload, "name", cli->arguments[0]);
    icp_payload_text(request.payload, "id", cli->arguments[1]);
    status = cli_request_send(cli, &request, ICP_OP_TAL_ACCOUNT);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        account_print(cli, &request.reply);
    }
    cli_request_close(&request);
    return status;
}

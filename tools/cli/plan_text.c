/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of lines are put together to the file that `icp plan export` writes, and that is what is
 * verified, printed and signed: the way from a file and the way from a server are one. */
#include "tools/cli/plan_text.h"

#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/feature/span_text.h"
#include "server/term/term_json.h"
#include "tools/cli/csv/csv_input.h"

enum { EXPORT_BYTES_MAX = 256 << 20 };

static int memory_out(const struct cli *cli)
{
    return cli_fail(cli, EX_OSERR, "no memory");
}

static bool line_put(struct plan_text *plan, const char *line, size_t bytes)
{
    if (plan->room - plan->bytes < bytes + 2) {
        size_t room = 2 * plan->room + bytes + 4096;
        char *grown = realloc(plan->text, room);
        if (grown == NULL) {
            return false;
        }
        plan->text = grown;
        plan->room = room;
    }
    memcpy(plan->text + plan->bytes, line, bytes);
    plan->bytes += bytes;
    plan->text[plan->bytes++] = '\n';
    plan->text[plan->bytes] = '\0';
    return true;
}

/* The first or the last line, which is taken. */
static bool frame_put(struct plan_text *plan, char *line)
{
    bool good = line != NULL && line_put(plan, line, strlen(line));
    free(line);
    return good;
}

static int lines_take(const struct cli *cli, const struct icp_reply *reply, struct plan_text *plan,
                      uint64_t *got)
{
    struct icp_value lines = {0};
    struct icp_value line;
    (void)icp_reply_get(reply, "lines", &lines);
    struct icp_walk walk = icp_walk_over(&lines);
    for (*got = 0; icp_next(&walk, NULL, &line); ++*got) {
        if (plan->bytes > EXPORT_BYTES_MAX) {
            return cli_fail(cli, EX_PROTOCOL, "the server gives more than %d MiB of one plan",
                            EXPORT_BYTES_MAX >> 20);
        }
        if (!line_put(plan, line.text.data, line.text.bytes)) {
            return memory_out(cli);
        }
    }
    plan->lost = (long long)icp_reply_int(reply, "lost", 0);
    return EX_OK;
}

/* The last line says what the server says: how many there are, and the hash of the newest that is
 * sound. */
static int end_take(const struct cli *cli, const struct icp_reply *reply, struct plan_text *plan)
{
    struct term_hash head = {{0}};
    struct icp_text hex = icp_reply_text(reply, "head");
    (void)term_hex_read((struct proto_span){(const uint8_t *)hex.data, hex.bytes}, head.bytes,
                        sizeof head.bytes);
    uint32_t count = (uint32_t)icp_reply_int(reply, "count", 0);
    return frame_put(plan, term_export_end(count, &head)) ? EX_OK : memory_out(cli);
}

int plan_text_fetch(const struct cli *cli, const char *name, struct plan_text *plan)
{
    struct cli_request request;
    uint64_t after = 0;
    uint64_t got = 0;
    *plan = (struct plan_text){.text = NULL};
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    if (!frame_put(plan, term_export_head(name))) {
        status = memory_out(cli);
    }
    do {
        icp_payload_reset(request.payload);
        icp_payload_text(request.payload, "name", name);
        icp_payload_uint(request.payload, "after", after);
        status = status == EX_OK ? cli_request_send(cli, &request, ICP_OP_PLAN_GET) : status;
        status = status == EX_OK ? lines_take(cli, &request.reply, plan, &got) : status;
        after += got;
    } while (status == EX_OK && got > 0 &&
             after < (uint64_t)icp_reply_int(&request.reply, "count", 0));
    if (status == EX_OK) {
        status = end_take(cli, &request.reply, plan);
    }
    cli_request_close(&request);
    return status;
}

int plan_text_read(const struct cli *cli, const char *path, struct plan_text *plan)
{
    struct proto_fault fault = {.code = PROTO_OK};
    *plan = (struct plan_text){.text = NULL};
    plan->text = (char *)csv_file_read(path, EXPORT_BYTES_MAX, &plan->bytes, &fault);
    return plan->text != NULL ? EX_OK : cli_file_fault(cli, &fault);
}

void plan_text_fini(struct plan_text *plan)
{
    free(plan->text);
    *plan = (struct plan_text){.text = NULL};
}

int plan_text_verify(const struct cli *cli, const struct plan_text *plan, const char *head,
                     struct term_plan *folded)
{
    struct term_hash wanted;
    struct term_finding finding;
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span text = {(const uint8_t *)plan->text, plan->bytes};
    *folded = (struct term_plan){.state = TERM_STATE_FIT};
    if (head != NULL && !term_hex_read(proto_span_text(head), wanted.bytes, sizeof wanted.bytes)) {
        return cli_fail(cli, EX_USAGE,
                        "a head is %d hexadecimal digits, as 'icp plan show' prints it",
                        TERM_HASH_HEX);
    }
    if (!term_audit(text, head == NULL ? NULL : &wanted, folded, &finding, &fault)) {
        return cli_fault(cli, &fault);
    }
    return finding.wrong == TERM_SOUND
               ? EX_OK
               : cli_fail(cli, EX_DATAERR, "line %zu: %s", finding.line, finding.message);
}

int plan_send(const struct cli *cli, const char *name, const char *act, json_t *body)
{
    struct cli_request request;
    struct proto_fault fault = {.code = PROTO_OK};
    size_t bytes = 0;
    if (body == NULL) {
        return cli_fail(cli, EX_DATAERR, "what is to be said is no UTF-8 text");
    }
    char *text = term_json_print(body, &bytes, &fault);
    json_decref(body);
    if (text == NULL) {
        return cli_fault(cli, &fault);
    }
    int status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        free(text);
        return status;
    }
    icp_payload_text(request.payload, "name", name);
    icp_payload_text(request.payload, "act", act);
    icp_payload_text(request.payload, "body", text);
    free(text);
    status = cli_request_send(cli, &request, ICP_OP_PLAN_ADD);
    if (status == EX_OK && cli->style.form == OUT_JSON) {
        status = cli_json_reply(cli, &request.reply);
    } else if (status == EX_OK) {
        struct icp_text state = icp_reply_text(&request.reply, "state");
        struct icp_text hash = icp_reply_text(&request.reply, "hash");
        cli_print(cli, "%s: entry %lld, the plan is %.*s\n  head %.*s\n", name,
                  (long long)icp_reply_int(&request.reply, "entry", 0), (int)state.bytes,
                  state.data, (int)hash.bytes, hash.data);
    }
    cli_request_close(&request);
    return status;
}

json_t *plan_list_document(const struct cli *cli, const char *tal, int *status)
{
    struct cli_request request;
    struct proto_fault fault = {.code = PROTO_OK};
    json_t *document = NULL;
    *status = cli_request_open(cli, &request);
    if (*status != EX_OK) {
        return NULL;
    }
    icp_payload_text(request.payload, "name", tal);
    icp_payload_flag(request.payload, "document", true);
    *status = cli_request_send(cli, &request, ICP_OP_TAL_GET);
    if (*status == EX_OK) {
        struct icp_text text = icp_reply_text(&request.reply, "document");
        document = feature_json_load((struct proto_span){(const uint8_t *)text.data, text.bytes},
                                     PROTO_CORRUPT, &fault);
        *status = document != NULL ? EX_OK : cli_fault(cli, &fault);
    }
    cli_request_close(&request);
    return document;
}

json_t *plan_share_read(const struct cli *cli, const char *option, const char *text, int *status)
{
    size_t bytes = strlen(text);
    bool percent = bytes > 0 && text[bytes - 1] == '%';
    double share = 0;
    if (!feature_number_read((struct proto_span){(const uint8_t *)text, bytes - percent}, &share) ||
        !(share > 0 && share < (percent ? 100 : 1))) {
        *status = cli_fail(cli, EX_USAGE, "--%s: '%s' is no share of the work such as 60%% or 0.6",
                           option, text);
        return NULL;
    }
    return json_real(percent ? share / 100 : share);
}

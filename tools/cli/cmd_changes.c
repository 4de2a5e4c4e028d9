/* SPDX-License-Identifier: Apache-2.0 */
/* icp changes: page after page of the change feed, a line of JSON for each change and one at the
 * end that says where to go on. With --state that number is kept in a file, which is put in its
 * place when all lines are written: who is cut off reads some changes twice, and none is lost. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "tools/cli/cmd.h"

struct feed {
    uint64_t since, until, after, told;
    uint64_t limit;
    bool full;
};

static bool number_read(const char *text, uint64_t *number)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    *number = value;
    return text[0] >= '0' && text[0] <= '9' && errno == 0 && value <= INT64_MAX &&
           (*end == '\0' || *end == '\n');
}

/* The number of the file; a file that is not there yet is 0. */
static int state_read(const struct cli *cli, const char *path, uint64_t *since)
{
    char text[32] = "";
    FILE *file = fopen(path, "r");
    *since = 0;
    if (file == NULL) {
        return errno == ENOENT
                   ? EX_OK
                   : cli_fail(cli, EX_NOINPUT, "%s cannot be read: %s", path, strerror(errno));
    }
    bool read = fgets(text, sizeof text, file) != NULL;
    (void)fclose(file);
    return read && number_read(text, since)
               ? EX_OK
               : cli_fail(cli, EX_DATAERR, "%s holds no sequence: 'icp changes' wrote none", path);
}

static int state_write(const struct cli *cli, const char *path, uint64_t next)
{
    struct out_file output;
    int status = cli_file_begin(cli, path, &output);
    if (status == EX_OK) {
        fprintf(output.file, "%" PRIu64 "\n", next);
        status = cli_file_commit(cli, &output);
    }
    return status;
}

static int since_read(const struct cli *cli, struct feed *feed)
{
    const char *since = cli_text(cli, CLI_CHANGES_SINCE);
    const char *state = cli_text(cli, CLI_CHANGES_STATE);
    if (since == NULL && state == NULL) {
        return cli_fail(cli, EX_USAGE, "--since SEQ or --state FILE is needed; 0 is the beginning");
    }
    if (since == NULL) {
        return state_read(cli, state, &feed->since);
    }
    return cli_number(cli, CLI_CHANGES_SINCE, 0, INT64_MAX, 0, &feed->since) ? EX_OK : EX_USAGE;
}

/* A value of the reply as JSON. */
static json_t *json_of(const struct icp_value *value)
{
    switch (value->kind) {
    case ICP_KIND_TEXT:
        return json_stringn(value->text.data, value->text.bytes);
    case ICP_KIND_INT:
        return json_integer(value->integer);
    case ICP_KIND_NUMBER:
        return json_real(value->number);
    case ICP_KIND_LIST: {
        json_t *list = json_array();
        struct icp_walk walk = icp_walk_over(value);
        struct icp_value item;
        while (list != NULL && icp_next(&walk, NULL, &item)) {
            (void)json_array_append_new(list, json_of(&item));
        }
        return list;
    }
    default:
        return json_null();
    }
}

static bool line_write(const struct cli *cli, json_t *line)
{
    char *text = line != NULL ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(10)) : NULL;
    bool good = text != NULL && fprintf(cli->style.sink.file, "%s\n", text) > 0;
    free(text);
    json_decref(line);
    return good;
}

static bool moves_write(const struct cli *cli, const struct icp_reply *reply, struct feed *feed)
{
    struct icp_value list = {.count = 0};
    struct icp_value move;
    (void)icp_reply_get(reply, "changes", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &move)) {
        json_t *line = json_object();
        struct icp_walk members = icp_walk_over(&move);
        struct icp_text name;
        struct icp_value value;
        while (line != NULL && icp_next(&members, &name, &value)) {
            char key[64];
            (void)snprintf(key, sizeof key, "%.*s", (int)name.bytes, name.data);
            (void)json_object_set_new(line, key, json_of(&value));
        }
        if (!line_write(cli, line)) {
            return false;
        }
        feed->told++;
    }
    return true;
}

/* The page that comes next; *more: there is one. A page that leads nowhere, or to itself, ends the
 * run: its sequence is nothing to keep. */
static int page_turn(const struct cli *cli, const struct icp_reply *reply, struct feed *feed,
                     bool *more)
{
    uint64_t next = (uint64_t)icp_reply_int(reply, "next", -1);
    uint64_t after = (uint64_t)icp_reply_int(reply, "after", 0);
    uint64_t seq = (uint64_t)icp_reply_int(reply, "seq", 0);
    bool moves = after > 0 ? after > feed->after : next != feed->since || next >= seq;
    if (next > INT64_MAX || !moves) {
        return cli_fail(cli, EX_PROTOCOL, "the server does not say where to go on behind %" PRIu64,
                        feed->since);
    }
    if (icp_reply_flag(reply, "full", false) && !feed->full) {
        struct icp_text why = icp_reply_text(reply, "why");
        cli_say(cli, "everybody as they are: %.*s", (int)why.bytes, why.data);
        feed->full = true;
    }
    feed->after = after;
    feed->until = after > 0 ? next : 0;
    if (after == 0) {
        feed->since = next;
    }
    *more = after > 0 || next < seq;
    return EX_OK;
}

static int page_ask(const struct cli *cli, struct cli_request *request, struct feed *feed,
                    bool *more)
{
    icp_payload_reset(request->payload);
    icp_payload_uint(request->payload, "since", feed->since);
    icp_payload_uint(request->payload, "limit", feed->limit);
    if (feed->after > 0) {
        icp_payload_uint(request->payload, "after", feed->after);
        icp_payload_uint(request->payload, "until", feed->until);
    }
    int status = cli_request_send(cli, request, ICP_OP_CHANGES);
    if (status != EX_OK) {
        return status;
    }
    if (!moves_write(cli, &request->reply, feed)) {
        return cli_fail(cli, EX_IOERR, "the changes cannot be written");
    }
    return page_turn(cli, &request->reply, feed, more);
}

int cmd_changes(struct cli *cli)
{
    struct feed feed = {.since = 0};
    struct cli_request request;
    bool more = true;
    if (!cli_arguments(cli, 0, 0) ||
        !cli_number(cli, CLI_CHANGES_LIMIT, 1, 10000, 1000, &feed.limit)) {
        return EX_USAGE;
    }
    int status = since_read(cli, &feed);
    if (status == EX_OK) {
        status = cli_request_open(cli, &request);
    }
    if (status != EX_OK) {
        return status;
    }
    while (status == EX_OK && more) {
        status = page_ask(cli, &request, &feed, &more);
    }
    cli_request_close(&request);
    if (status != EX_OK) {
        return status;
    }
    if (!line_write(cli, json_pack("{s:I}", "next", (json_int_t)feed.since)) ||
        fflush(cli->style.sink.file) != 0) {
        return cli_fail(cli, EX_IOERR, "the changes cannot be written");
    }
    cli_say(cli, "%" PRIu64 " changes; go on with --since %" PRIu64, feed.told, feed.since);
    const char *state = cli_text(cli, CLI_CHANGES_STATE);
    return state != NULL ? state_write(cli, state, feed.since) : EX_OK;
}

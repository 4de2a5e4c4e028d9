/* SPDX-License-Identifier: Apache-2.0 */
/* icp timeline: an account's story, page after page as it was at the first, so that nothing that
 * comes meanwhile moves the pages; then one table, one JSON or one CSV of it. */
#include <stdlib.h>

#include "proto/table.h"
#include "tools/cli/cmd.h"
#include "tools/cli/label.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/moment_option.h"
#include "tools/cli/told_event.h"

#define NO_TIME INT64_MIN

struct story {
    const struct cli *cli;
    const char *kind; /* "id", "key", "email" */
    const char *name;
    int64_t since_ms; /* NO_TIME: not told */
    int64_t until_ms;
    int64_t known_ms;
    uint64_t seq;   /* 0: as it is now; after the first page that of its answer */
    uint64_t limit; /* events at most; 0: all */
    uint64_t taken;
    uint64_t count; /* that match, on all pages */
    bool spoilt;    /* an event came that is none */
    char id[PROTO_ID_BYTES_MAX + 1];
    char called[2 * PROTO_ID_BYTES_MAX]; /* the id, and the name if accounts have names */
    struct out_table table;
    json_t *events;
};

static int choice_read(struct story *story)
{
    const struct cli *cli = story->cli;
    const char *key = cli_text(cli, CLI_TIMELINE_KEY);
    const char *email = cli_text(cli, CLI_TIMELINE_EMAIL);
    if (!cli_arguments(cli, 0, 1)) {
        return EX_USAGE;
    }
    if (cli->argument_count + (key != NULL) + (email != NULL) != 1) {
        return cli_fail(cli, EX_USAGE, "give one of ID, --key and --email");
    }
    story->kind = key != NULL ? "key" : email != NULL ? "email" : "id";
    story->name = key != NULL ? key : email != NULL ? email : cli->arguments[0];
    if (!measure_option_day(cli, "since", false, &story->since_ms) ||
        !measure_option_day(cli, "until", false, &story->until_ms) ||
        !cli_number(cli, CLI_TIMELINE_LIMIT, 1, INT64_MAX, 0, &story->limit)) {
        return EX_USAGE;
    }
    struct as_of as_of;
    int status = as_of_read(cli, CLI_TIMELINE_AS_OF, &as_of);
    story->seq = as_of.seq;
    story->known_ms = as_of.timed ? as_of.known_ms : NO_TIME;
    return status;
}

static bool page_ask(const struct story *story, struct icp_payload *payload)
{
    const struct cli *cli = story->cli;
    uint64_t left = story->limit > 0 ? story->limit - story->taken : PROTO_TIMELINE_EVENTS_MAX;
    icp_payload_reset(payload);
    icp_payload_text(payload, story->kind, story->name);
    if (story->since_ms != NO_TIME) {
        icp_payload_int(payload, "since", story->since_ms);
    }
    if (story->until_ms != NO_TIME) {
        icp_payload_int(payload, "until", story->until_ms);
    }
    if (story->known_ms != NO_TIME) {
        icp_payload_int(payload, "known", story->known_ms);
    }
    if (story->seq > 0) {
        icp_payload_uint(payload, "seq", story->seq);
    }
    icp_payload_flag(payload, "all", cli_has(cli, CLI_TIMELINE_ALL));
    icp_payload_flag(payload, "newest", cli_has(cli, CLI_TIMELINE_NEWEST));
    icp_payload_uint(payload, "skip", story->taken);
    icp_payload_uint(payload, "limit",
                     left < PROTO_TIMELINE_EVENTS_MAX ? left : PROTO_TIMELINE_EVENTS_MAX);
    return names_write(cli, CLI_TIMELINE_TYPES, "types", payload);
}

static void event_take(struct story *story, const struct icp_value *map)
{
    struct event event;
    bool retracted = false;
    if (story->events != NULL) {
        story->spoilt |= json_array_append_new(story->events, out_json_of(map)) != 0;
    } else if (!told_event_read(map, &event, &retracted)) {
        story->spoilt = true;
    } else if (story->cli->style.form == OUT_CSV) {
        told_event_cells(&story->table, &event, retracted);
    } else {
        told_event_story(&story->table, &event, retracted);
    }
}

/* *more: another page is there and wanted. */
static void page_take(struct story *story, const struct icp_reply *reply, bool *more)
{
    struct icp_value list = {0};
    struct icp_value map;
    struct icp_text id = icp_reply_text(reply, "id");
    snprintf(story->id, sizeof story->id, "%.*s", (int)id.bytes, id.data);
    story->count = (uint64_t)icp_reply_int(reply, "count", 0);
    story->seq = (uint64_t)icp_reply_int(reply, "seq", 0);
    (void)icp_reply_get(reply, "events", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &map)) {
        event_take(story, &map);
        story->taken++;
    }
    *more = icp_reply_int(reply, "next", 0) > 0 && list.count > 0 &&
            (story->limit == 0 || story->taken < story->limit);
}

static int pages_read(struct story *story, struct cli_request *request)
{
    const struct cli *cli = story->cli;
    bool more = true;
    while (more) {
        if (!page_ask(story, request->payload)) {
            return EX_USAGE;
        }
        if (!icp_call(request->client, ICP_OP_TIMELINE, request->payload, &request->reply)) {
            return request->reply.fault.code == ICP_NOT_FOUND
                       ? cli_not_found(cli, story->kind, story->name)
                       : cli_icp_fault(cli, &request->reply.fault);
        }
        page_take(story, &request->reply, &more);
        if (story->spoilt) {
            return cli_fail(cli, EX_SOFTWARE,
                            "event %llu of the answer cannot be read: either the server is newer "
                            "than this program, or memory ran out",
                            (unsigned long long)story->taken);
        }
    }
    return EX_OK;
}

/* The name that a person knows the account by; without one the id alone. */
static void name_ask(struct story *story, struct cli_request *request)
{
    icp_payload_reset(request->payload);
    icp_payload_text(request->payload, "id", story->id);
    icp_payload_flag(request->payload, "names", true);
    struct icp_text name = {"", 0};
    if (icp_call(request->client, ICP_OP_ACCOUNT_GET, request->payload, &request->reply)) {
        name = icp_reply_text(&request->reply, "name");
    }
    snprintf(story->called, sizeof story->called, "%s%s%.*s", story->id, name.bytes > 0 ? "  " : "",
             (int)(name.bytes < 200 ? name.bytes : 0), name.data);
}

/* Whether an account without such events may have others. */
static bool is_choice(const struct story *story)
{
    return story->since_ms != NO_TIME || story->until_ms != NO_TIME ||
           cli_has(story->cli, CLI_TIMELINE_TYPES) || cli_has(story->cli, CLI_TIMELINE_AS_OF);
}

static int story_print(struct story *story)
{
    const struct cli *cli = story->cli;
    char count[OUT_NUMBER_BYTES];
    char taken[OUT_NUMBER_BYTES];
    if (story->events != NULL) {
        json_t *json =
            json_pack("{s:s, s:I, s:I, s:O}", "id", story->id, "count", (json_int_t)story->count,
                      "seq", (json_int_t)story->seq, "events", story->events);
        return cli_json(cli, json);
    }
    if (cli->style.form == OUT_TABLE && story->taken == 0) {
        cli_print(cli, "%s: no event%s\n", story->called,
                  is_choice(story) ? " that was asked for" : " was told of it");
        return EX_OK;
    }
    if (cli->style.form == OUT_TABLE && story->taken < story->count) {
        cli_print(cli, "%s: %s of %s events\n", story->called, out_count(story->taken, taken),
                  out_count(story->count, count));
    } else if (cli->style.form == OUT_TABLE) {
        cli_print(cli, "%s: %s event%s\n", story->called, out_count(story->count, count),
                  story->count == 1 ? "" : "s");
    }
    return cli_table(cli, &story->table);
}

int cmd_timeline(struct cli *cli)
{
    struct story story = {
        .cli = cli, .since_ms = NO_TIME, .until_ms = NO_TIME, .known_ms = NO_TIME};
    struct cli_request request;
    int status = choice_read(&story);
    if (status != EX_OK) {
        return status;
    }
    status = cli_request_open(cli, &request);
    if (status != EX_OK) {
        return status;
    }
    bool csv = cli->style.form == OUT_CSV;
    out_table_init(&story.table, csv ? told_event_cell_headers() : told_event_story_headers(),
                   csv ? TOLD_CELL_COLUMNS : TOLD_STORY_COLUMNS);
    if (cli->style.form == OUT_JSON) {
        story.events = json_array();
        status = story.events != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory");
    }
    if (status == EX_OK) {
        status = pages_read(&story, &request);
    }
    if (status == EX_OK && cli->style.form == OUT_TABLE) {
        name_ask(&story, &request);
    }
    if (status == EX_OK) {
        status = story_print(&story);
    }
    json_decref(story.events);
    out_table_fini(&story.table);
    cli_request_close(&request);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* icp export --everything, icp import --everything. Out: the server writes an export of one moment,
 * which is fetched piece by piece into a file beside the one that is asked for; that gets its name
 * when all of it is there. In: the file is checked whole, then sent line by line, accounts a MiB at
 * a time. Only the first line asks for an empty store: what follows may be sent twice, over a
 * connection that was cut. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/cmd.h"
#include "tools/cli/everything.h"
#include "tools/cli/everything_similar.h"
#include "tools/cli/job_wait.h"
#include "tools/cli/out/out_progress.h"

enum { CHUNK_BYTES = 1 << 20 };

static void exported_counts(const struct icp_reply *reply, uint64_t counts[EVERYTHING_KINDS])
{
    static const char *const names[EVERYTHING_KINDS] = {
        "schemas",    "icps",         "accounts", "lists",    "switches", "challenges",
        "identities", "plan_entries", "metrics",  "segments", "events"};
    for (unsigned i = 0; i < EVERYTHING_KINDS; i++) {
        counts[i] = (uint64_t)icp_reply_int(reply, names[i], 0);
    }
}

/* Pieces until one is empty. */
static int pieces_fetch(const struct cli *cli, struct icp_client *client,
                        const struct icp_reply *exported, FILE *file)
{
    uint64_t job = (uint64_t)icp_reply_int(exported, "job", 0);
    double all = (double)icp_reply_int(exported, "bytes", 1);
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    struct out_progress progress = {0};
    int64_t at = 0;
    int status = payload == NULL ? cli_fail(cli, EX_OSERR, "no memory") : EX_OK;
    for (bool more = true; status == EX_OK && more;) {
        icp_payload_reset(payload);
        icp_payload_uint(payload, "job", job);
        icp_payload_uint(payload, "at", (uint64_t)at);
        status = cli_call(cli, client, ICP_OP_EVERYTHING_READ, payload, &reply);
        struct icp_text text =
            status == EX_OK ? icp_reply_text(&reply, "text") : (struct icp_text){0};
        more = text.bytes > 0;
        if (more && fwrite(text.data, 1, text.bytes, file) != text.bytes) {
            status = cli_fail(cli, EX_IOERR, "the file cannot be written");
        }
        at = icp_reply_int(&reply, "next", 0);
        out_progress_draw(&progress, (double)at / all, "fetching");
    }
    out_progress_end(&progress);
    if (status == EX_OK && at != icp_reply_int(exported, "bytes", 0)) {
        status = cli_fail(cli, EX_SOFTWARE, "%" PRId64 " bytes came, not %lld", at,
                          (long long)icp_reply_int(exported, "bytes", 0));
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

static int exported_tell(const struct cli *cli, const char *path, const struct icp_reply *reply)
{
    uint64_t counts[EVERYTHING_KINDS];
    char text[256];
    char size[OUT_NUMBER_BYTES];
    int64_t damaged = icp_reply_int(reply, "damaged", 0);
    exported_counts(reply, counts);
    everything_counts(counts, text, sizeof text);
    cli_say(cli, "%s: %s; %s, as of write %lld", strcmp(path, "-") == 0 ? "written" : path, text,
            out_size((double)icp_reply_int(reply, "bytes", 0), size),
            (long long)icp_reply_int(reply, "seq", 0));
    if (damaged == 0) {
        return EX_OK;
    }
    return cli_fail(cli, EX_DATAERR,
                    "%lld lines say \"damaged\": the store could not read what was there; 'icpd "
                    "--scrub' and a backup help",
                    (long long)damaged);
}

static int export_run(const struct cli *cli, struct icp_client *client, const char *path)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    struct out_file output = {0};
    int status = cli_file_begin(cli, path, &output);
    if (status == EX_OK && payload == NULL) {
        status = cli_fail(cli, EX_OSERR, "no memory");
    }
    if (status == EX_OK) {
        icp_payload_flag(payload, "progress", true);
        status = job_run(cli, client, ICP_OP_EVERYTHING_EXPORT, payload, &reply);
    }
    if (status == EX_OK) {
        status = pieces_fetch(cli, client, &reply, output.file);
    }
    if (status == EX_OK) {
        status = cli_file_commit(cli, &output);
    }
    if (status == EX_OK) {
        status = exported_tell(cli, path, &reply);
    }
    out_file_abandon(&output);
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    return status;
}

int cmd_export(struct cli *cli)
{
    int status = EX_OK;
    if (!cli_arguments(cli, 1, 1)) {
        return EX_USAGE;
    }
    if (!cli_has(cli, CLI_EXPORT_EVERYTHING)) {
        return cli_fail(cli, EX_USAGE,
                        "say --everything for all that the server holds; 'icp filter … --csv' "
                        "writes accounts, 'icp tal export' a list");
    }
    struct icp_client *client = cli_connect(cli, &status);
    if (client == NULL) {
        return status;
    }
    status = export_run(cli, client, cli->arguments[0]);
    icp_close(client);
    return status;
}

/* What is on its way to the server. */
struct sending {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    char *chunk;
    size_t chunk_bytes, chunk_room;
    uint64_t line; /* number of its first */
    unsigned kind; /* of the lines that wait */
    char *similar; /* the line that says how vectors are built; NULL: none came */
    uint64_t stored;
};

/* A fault that names an account by its place in the request names its line. */
static int send_fault(const struct sending *sending, const struct icp_fault *fault)
{
    unsigned place = 0;
    /* Before each event and entry stands the moment at which it became known. */
    bool event = sscanf(fault->field, "events[%u]", &place) == 1 ||
                 sscanf(fault->field, "entries[%u]", &place) == 1;
    place /= event ? 2 : 1;
    if (event || sscanf(fault->field, "accounts[%u]", &place) == 1) {
        return cli_fail(sending->cli, cli_exit_status(fault->code), "line %" PRIu64 ": %s",
                        sending->line + place, fault->message);
    }
    struct icp_fault same = *fault;
    if (strcmp(same.field, "lines") == 0) {
        same.field[0] = '\0';
    }
    return cli_icp_fault(sending->cli, &same);
}

static int chunk_send(struct sending *sending, bool again)
{
    if (sending->chunk_bytes == 0) {
        return EX_OK;
    }
    icp_payload_reset(sending->payload);
    icp_payload_text_n(sending->payload, "lines",
                       (struct icp_text){sending->chunk, sending->chunk_bytes});
    icp_payload_uint(sending->payload, "line", sending->line);
    icp_payload_flag(sending->payload, "again", again);
    sending->chunk_bytes = 0;
    if (!icp_call(sending->client, ICP_OP_EVERYTHING_IMPORT, sending->payload, &sending->reply)) {
        return send_fault(sending, &sending->reply.fault);
    }
    sending->stored += (uint64_t)icp_reply_int(&sending->reply, "stored", 0);
    return EX_OK;
}

static int chunk_add(struct sending *sending, const struct everything *everything)
{
    size_t need = sending->chunk_bytes + everything->line_bytes;
    if (need > sending->chunk_room || sending->chunk == NULL) {
        char *larger = realloc(sending->chunk, need * 2 + 1);
        if (larger == NULL) {
            return cli_fail(sending->cli, EX_OSERR, "no memory");
        }
        sending->chunk = larger;
        sending->chunk_room = need * 2 + 1;
    }
    if (sending->chunk_bytes == 0) {
        sending->line = everything->number;
    }
    memcpy(sending->chunk + sending->chunk_bytes, everything->line, everything->line_bytes);
    sending->chunk_bytes = need;
    return EX_OK;
}

/* Accounts go together, and so do events, and entries; any other line goes by itself. */
static int line_send(struct sending *sending, const struct everything *everything)
{
    static const char *const together[] = {"account", "event", "identity"};
    unsigned kind = 0;
    while (kind < 3 && !everything_is(everything, together[kind])) {
        kind++;
    }
    bool many = kind < 3;
    int status = EX_OK;
    if (everything_is(everything, "similar")) {
        free(sending->similar);
        sending->similar = strdup(everything->line);
        if (sending->similar == NULL) {
            return cli_fail(sending->cli, EX_OSERR, "no memory");
        }
    }
    if (!many || kind != sending->kind ||
        sending->chunk_bytes + everything->line_bytes > CHUNK_BYTES) {
        status = chunk_send(sending, true);
    }
    if (status == EX_OK) {
        status = chunk_add(sending, everything);
    }
    sending->kind = kind;
    if (status == EX_OK && !many) {
        status =
            chunk_send(sending, everything->number > 1 || cli_has(sending->cli, CLI_IMPORT_AGAIN));
    }
    return status;
}

static int everything_send(struct sending *sending, struct everything *everything)
{
    struct out_progress progress = {0};
    int status = EX_OK;
    int got;
    while (status == EX_OK && (got = everything_next(sending->cli, everything)) != 0) {
        status = got < 0 ? EX_DATAERR : line_send(sending, everything);
        out_progress_draw(&progress, (double)everything->read / (double)everything->bytes,
                          "importing");
    }
    out_progress_end(&progress);
    return status;
}

static int import_send(const struct cli *cli, struct everything *everything)
{
    char text[256];
    char number[OUT_NUMBER_BYTES];
    int status = EX_OK;
    struct sending sending = {.cli = cli, .payload = icp_payload_create()};
    sending.client = cli_connect(cli, &status);
    if (status == EX_OK && sending.payload == NULL) {
        status = cli_fail(cli, EX_OSERR, "no memory");
    }
    if (status == EX_OK) {
        status = everything_send(&sending, everything);
    }
    if (status == EX_OK) {
        everything_counts(everything->counts, text, sizeof text);
        cli_say(cli, "%s are there now; %s accounts and events were stored", text,
                out_count(sending.stored, number));
    }
    if (status == EX_OK && sending.similar != NULL) {
        status = everything_similar_build(cli, sending.client, sending.similar);
    }
    icp_close(sending.client);
    icp_reply_fini(&sending.reply);
    icp_payload_destroy(sending.payload);
    free(sending.chunk);
    free(sending.similar);
    return status;
}

int everything_import(const struct cli *cli)
{
    struct everything everything;
    char text[256];
    int status = everything_open(cli, cli->arguments[0], &everything);
    if (status != EX_OK) {
        return status;
    }
    status = everything_check(cli, &everything);
    if (status == EX_OK && cli_has(cli, CLI_IMPORT_DRY_RUN)) {
        everything_counts(everything.counts, text, sizeof text);
        cli_say(cli, "the file is whole: %s; nothing was stored", text);
    } else if (status == EX_OK) {
        status = import_send(cli, &everything);
    }
    everything_close(&everything);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are read one by one into room of the largest that a server takes; each is parsed, counted
 * by its first member and added to the sum. The last line must say the same and be the last: a file
 * that ends before it was cut off, one that goes on was put together from two. */
#include "tools/cli/everything.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "server/math/sha256.h"
#include "tools/cli/out/out_number.h"

enum { LINE_ROOM = PROTO_FRAME_BYTES_MAX, COPY_BYTES = 1 << 16 };

static const struct {
    const char *name, *plural, *one, *many;
} kinds[EVERYTHING_KINDS] = {{"schema", "schemas", "schema version", "schema versions"},
                             {"icp", "icps", "ICP version", "ICP versions"},
                             {"account", "accounts", "account", "accounts"},
                             {"list", "lists", "list", "lists"},
                             {"switch", "switches", "switch", "switches"},
                             {"challenge", "challenges", "challenge", "challenges"},
                             {"identity", "identities", "identity entry", "identity entries"},
                             {"plan", "plan_entries", "plan entry", "plan entries"},
                             {"metric", "metrics", "definition", "definitions"},
                             {"segment", "segments", "segment", "segments"},
                             {"event", "events", "event", "events"}};

void everything_counts(const uint64_t counts[EVERYTHING_KINDS], char *text, size_t text_bytes)
{
    char number[OUT_NUMBER_BYTES];
    size_t at = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < EVERYTHING_KINDS && at < text_bytes; i++) {
        bool rare = i >= EVERYTHING_ALWAYS && strcmp(kinds[i].name, "event") != 0;
        if (counts[i] == 0 && rare) {
            continue; /* most bases have none */
        }
        at += (size_t)snprintf(text + at, text_bytes - at, "%s%s %s", i > 0 ? ", " : "",
                               out_count(counts[i], number),
                               counts[i] == 1 ? kinds[i].one : kinds[i].many);
    }
}

/* Standard input is read once, and the file twice. */
static FILE *input_copy(const struct cli *cli, int *status)
{
    char part[COPY_BYTES];
    size_t got;
    FILE *copy = tmpfile();
    while (copy != NULL && (got = fread(part, 1, sizeof part, stdin)) > 0) {
        if (fwrite(part, 1, got, copy) != got) {
            fclose(copy);
            copy = NULL;
        }
    }
    if (copy == NULL || ferror(stdin) || fflush(copy) != 0) {
        *status = cli_fail(cli, EX_IOERR, "standard input cannot be copied: %s", strerror(errno));
        if (copy != NULL) {
            fclose(copy);
        }
        return NULL;
    }
    rewind(copy);
    return copy;
}

int everything_open(const struct cli *cli, const char *path, struct everything *everything)
{
    int status = EX_OK;
    *everything = (struct everything){.line = malloc(LINE_ROOM)};
    if (everything->line == NULL) {
        return cli_fail(cli, EX_OSERR, "no memory");
    }
    everything->file = strcmp(path, "-") == 0 ? input_copy(cli, &status) : fopen(path, "re");
    if (everything->file == NULL && status == EX_OK) {
        status = cli_fail(cli, EX_NOINPUT, "%s: %s", path, strerror(errno));
    }
    if (status != EX_OK) {
        everything_close(everything);
    }
    return status;
}

void everything_close(struct everything *everything)
{
    if (everything->file != NULL) {
        fclose(everything->file);
    }
    free(everything->line);
    *everything = (struct everything){0};
}

static int refuse(const struct cli *cli, const struct everything *everything, size_t column,
                  const char *what)
{
    return cli_fail(cli, EX_DATAERR, "line %" PRIu64 ", column %zu: %s", everything->number, column,
                    what);
}

int everything_next(const struct cli *cli, struct everything *everything)
{
    everything->number++;
    if (fgets(everything->line, LINE_ROOM, everything->file) == NULL) {
        if (ferror(everything->file)) {
            cli_say(cli, "line %" PRIu64 " cannot be read: %s", everything->number,
                    strerror(errno));
            return -1;
        }
        return 0;
    }
    everything->line_bytes = strlen(everything->line);
    everything->read += everything->line_bytes;
    if (everything->line_bytes > 0 && everything->line[everything->line_bytes - 1] == '\n') {
        return 1;
    }
    if (memcmp(everything->line, "\x28\xB5\x2F\xFD", 4) == 0) {
        refuse(cli, everything, 1,
               "this is compressed: 'zstd -dc FILE | icp import --everything -'");
    } else if (feof(everything->file)) {
        refuse(cli, everything, everything->line_bytes + 1,
               "the file ends within a line: it was cut off");
    } else {
        refuse(cli, everything, everything->line_bytes + 1,
               "a zero byte, or a line longer than a server takes");
    }
    return -1;
}

bool everything_is(const struct everything *everything, const char *name)
{
    size_t bytes = strlen(name);
    const char *from = strchr(everything->line, '"');
    return from != NULL && strncmp(from + 1, name, bytes) == 0 && from[1 + bytes] == '"';
}

static json_t *line_parse(const struct cli *cli, const struct everything *everything)
{
    json_error_t error;
    json_t *json =
        json_loadb(everything->line, everything->line_bytes, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL) {
        char what[sizeof error.text + 32];
        snprintf(what, sizeof what, "no valid JSON: %s", error.text);
        refuse(cli, everything, error.column > 0 ? (size_t)error.column : 1, what);
    }
    return json;
}

/* The column of a member of the last line, which is short and plain. */
static size_t column_of(const struct everything *everything, const char *name)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    const char *at = strstr(everything->line, quoted);
    return at == NULL ? 1 : (size_t)(at - everything->line) + 1;
}

static int counts_check(const struct cli *cli, const struct everything *everything,
                        const json_t *end)
{
    for (unsigned i = 0; i < EVERYTHING_KINDS; i++) {
        const json_t *said = json_object_get(end, kinds[i].plural);
        if (i >= EVERYTHING_ALWAYS && said == NULL && everything->counts[i] == 0) {
            continue; /* of before there were any */
        }
        if (!json_is_integer(said) || (uint64_t)json_integer_value(said) != everything->counts[i]) {
            char what[128];
            snprintf(what, sizeof what, "\"%s\" must be %" PRIu64 ": so many there are",
                     kinds[i].plural, everything->counts[i]);
            return refuse(cli, everything, column_of(everything, kinds[i].plural), what);
        }
    }
    return EX_OK;
}

static int end_check(const struct cli *cli, const struct everything *everything,
                     struct math_sha256 *sha)
{
    char sum[MATH_SHA256_HEX_BYTES];
    json_t *end = line_parse(cli, everything);
    if (end == NULL) {
        return EX_DATAERR;
    }
    math_sha256_hex(sha, sum);
    const char *said = json_string_value(json_object_get(end, "sha256"));
    int status = counts_check(cli, everything, end);
    if (status == EX_OK && (said == NULL || strcmp(said, sum) != 0)) {
        char what[256];
        snprintf(what, sizeof what,
                 "the lines before have the sum %s, not this one: something was changed", sum);
        status = refuse(cli, everything, column_of(everything, "sha256"), what);
    }
    json_decref(end);
    return status;
}

/* Any line but the last. */
static int line_check(const struct cli *cli, struct everything *everything)
{
    if (everything->number == 1 &&
        (everything->line[0] != '{' || !everything_is(everything, "icpd"))) {
        return refuse(
            cli, everything, 1,
            "everything begins with {\"icpd\":\"export\",\"format\":1}; for accounts of a "
            "CSV file leave --everything out");
    }
    json_t *json = line_parse(cli, everything);
    if (json == NULL) {
        return EX_DATAERR;
    }
    json_decref(json);
    for (unsigned i = 0; i < EVERYTHING_KINDS; i++) {
        everything->counts[i] += everything_is(everything, kinds[i].name);
    }
    return EX_OK;
}

int everything_check(const struct cli *cli, struct everything *everything)
{
    struct math_sha256 sha;
    int got;
    int status = EX_OK;
    bool ended = false;
    math_sha256_begin(&sha);
    while (status == EX_OK && (got = everything_next(cli, everything)) != 0) {
        if (got < 0) {
            return EX_DATAERR;
        }
        if (ended) {
            return refuse(cli, everything, 1, "the line before is the last of an export");
        }
        ended = everything->number > 1 && everything_is(everything, "end");
        status = ended ? end_check(cli, everything, &sha) : line_check(cli, everything);
        math_sha256_add(&sha, everything->line, everything->line_bytes);
    }
    if (status == EX_OK && !ended) {
        status = refuse(cli, everything, 1,
                        "the last line, {\"end\":…}, is missing: the file was cut off");
    }
    everything->bytes = everything->read;
    everything->read = everything->number = 0;
    rewind(everything->file);
    return status;
}

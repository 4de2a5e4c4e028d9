/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts are read page by page, their names asked for in batches, what --same says is found by
 * sorting. Then pairs that were found twice are joined, those that somebody told apart are left
 * out, and the likeliest come first. Whatever the server refuses ends the run, and no sheet is
 * written. */
#include "tools/cli/match_stored.h"

#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv/key_column.h"
#include "tools/cli/match_pairs.h"
#include "tools/cli/remote_schema.h"
#include "tools/cli/stored_pairs.h"

enum {
    STORED_MOST = 1000000,
    PAGE = 10000,
    SAME_MOST = 8,
};
#define MATCH_MS (600 * 1000)
#define BATCH_BYTES_MAX (2U << 20)

struct same {
    const struct feature_field *field;
    struct key_column key; /* name_space "" : letters and digits are compared */
};

struct stored {
    char *id;
    char *name;
    char *same[SAME_MOST]; /* as compared; NULL: it has none */
};

struct run {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct feature_schema *schema;
    const struct feature_field *name;
    struct same sames[SAME_MOST];
    size_t same_count;
    uint64_t candidates;
    struct stored *list; /* in the order of the ids, once all are read */
    size_t count, room;
    struct stored_pairs pairs;
    struct match_nevers nevers;
};

static int no_memory(const struct run *run)
{
    return cli_fail(run->cli, EX_OSERR, "no memory for the accounts");
}

static int field_find(const struct run *run, const char *option, const char *name,
                      const struct feature_field **field)
{
    *field = feature_schema_find(run->schema, proto_span_text(name));
    return *field != NULL
               ? EX_OK
               : cli_fail(run->cli, EX_USAGE, "--%s: the schema has no field '%s'", option, name);
}

/* [NAMESPACE=]FIELD. A field may have the sign in its name. */
static int same_read(struct run *run, const char *text)
{
    struct same *same = &run->sames[run->same_count];
    const char *sign = strchr(text, '=');
    if (run->same_count == SAME_MOST) {
        return cli_fail(run->cli, EX_USAGE, "--same: at most %d", SAME_MOST);
    }
    *same = (struct same){.field = feature_schema_find(run->schema, proto_span_text(text))};
    if (same->field == NULL && sign != NULL && sign > text &&
        (size_t)(sign - text) < sizeof same->key.name_space) {
        memcpy(same->key.name_space, text, (size_t)(sign - text));
        text = sign + 1;
    }
    run->same_count++;
    return same->field != NULL ? EX_OK : field_find(run, "same", text, &same->field);
}

static int fields_read(struct run *run)
{
    size_t at = 0;
    const char *text = cli_text(run->cli, CLI_MATCH_FIELD);
    int status = EX_OK;
    run->schema = schema_from_server(run->cli, run->client, &status);
    if (run->schema == NULL) {
        return status;
    }
    run->name = run->schema->name;
    if (text != NULL) {
        status = field_find(run, "field", text, &run->name);
    }
    if (status == EX_OK && run->name == NULL) {
        status = cli_fail(run->cli, EX_USAGE,
                          "the schema does not say which field names accounts: --field FIELD");
    }
    while (status == EX_OK && (text = cli_each(run->cli, CLI_MATCH_SAME, &at)) != NULL) {
        status = same_read(run, text);
    }
    return status;
}

/* What of a value is compared: the key that it gives, or its letters and digits without case. NULL
 * where that is nothing, or no memory: *good is false. */
static char *same_text(const struct same *same, const struct icp_value *value, bool *good)
{
    char text[1024];
    char key[KEY_BYTES];
    size_t bytes = 0;
    if (value->kind == ICP_KIND_NIL) {
        return NULL;
    }
    (void)icp_value_print(value, text, sizeof text);
    if (same->key.name_space[0] != '\0') {
        struct proto_span cell = feature_text_trim(proto_span_text(text));
        if (key_column_make(&same->key, cell, key) != KEY_MADE) {
            return NULL;
        }
        bytes = strlen(key);
        memcpy(text, key, bytes + 1);
    } else {
        for (const char *at = text; *at != '\0'; at++) {
            char lower = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
            bool kept = (unsigned char)lower >= 0x80 || (lower >= 'a' && lower <= 'z') ||
                        (lower >= '0' && lower <= '9');
            text[bytes] = lower;
            bytes += kept;
        }
        text[bytes] = '\0';
    }
    char *copy = bytes > 0 ? strdup(text) : NULL;
    *good = *good && (bytes == 0 || copy != NULL);
    return copy;
}

static bool account_add(struct run *run, const struct icp_value *id, const struct icp_value *values)
{
    struct icp_value value = {0};
    bool good = true;
    if (run->count == run->room) {
        size_t room = run->room == 0 ? 1024 : run->room * 2;
        struct stored *list = realloc(run->list, room * sizeof *list);
        if (list == NULL) {
            return false;
        }
        run->list = list;
        run->room = room;
    }
    struct stored *stored = &run->list[run->count++];
    *stored = (struct stored){.id = strndup(id->text.data, id->text.bytes)};
    (void)icp_value_get(values, run->name->name, &value);
    stored->name =
        value.kind == ICP_KIND_TEXT ? strndup(value.text.data, value.text.bytes) : strdup("");
    for (size_t i = 0; i < run->same_count; i++) {
        value = (struct icp_value){0};
        (void)icp_value_get(values, run->sames[i].field->name, &value);
        stored->same[i] = same_text(&run->sames[i], &value, &good);
    }
    return good && stored->id != NULL && stored->name != NULL;
}

static int page_take(struct run *run)
{
    struct icp_value ids = {0};
    struct icp_value values = {0};
    struct icp_value id;
    struct icp_value map;
    (void)icp_reply_get(&run->reply, "ids", &ids);
    (void)icp_reply_get(&run->reply, "values", &values);
    struct icp_walk walk = icp_walk_over(&ids);
    struct icp_walk maps = icp_walk_over(&values);
    while (icp_next(&walk, NULL, &id)) {
        map = (struct icp_value){0};
        (void)icp_next(&maps, NULL, &map);
        if (run->count == STORED_MOST) {
            return cli_fail(run->cli, EX_DATAERR,
                            "more than %d accounts: --filter EXPRESSION takes fewer", STORED_MOST);
        }
        if (!account_add(run, &id, &map)) {
            return no_memory(run);
        }
    }
    return EX_OK;
}

/* All accounts: those that have a name and those that have none. NULL: no memory. */
static char *all_of(const struct feature_field *name)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    for (int part = 0; file != NULL && part < 2; part++) {
        fputs(part == 0 ? "`" : " is missing or `", file);
        for (const char *at = name->name; *at != '\0'; at++) {
            fprintf(file, "%s%c", *at == '`' ? "`" : "", *at);
        }
        fputc('`', file);
    }
    if (file == NULL) {
        return NULL;
    }
    fputs(" is not missing", file);
    return fclose(file) == 0 ? text : NULL;
}

static int page_ask(struct run *run, const char *filter, const char *after)
{
    icp_payload_reset(run->payload);
    icp_payload_text(run->payload, "filter", filter);
    icp_payload_uint(run->payload, "limit", PAGE);
    icp_payload_list_begin(run->payload, "fields");
    icp_payload_text(run->payload, NULL, run->name->name);
    for (size_t i = 0; i < run->same_count; i++) {
        icp_payload_text(run->payload, NULL, run->sames[i].field->name);
    }
    icp_payload_list_end(run->payload);
    if (after != NULL && after[0] != '\0') {
        icp_payload_text(run->payload, "after", after);
    }
    return cli_call(run->cli, run->client, ICP_OP_FILTER, run->payload, &run->reply);
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct stored *)a)->id, ((const struct stored *)b)->id);
}

static int accounts_read(struct run *run)
{
    const char *given = cli_text(run->cli, CLI_MATCH_FILTER);
    char *filter = given != NULL ? strdup(given) : all_of(run->name);
    char *after = NULL;
    int status = filter == NULL ? no_memory(run) : EX_OK;
    for (bool more = true; status == EX_OK && more;) {
        status = page_ask(run, filter, after);
        if (status == EX_OK) {
            status = page_take(run);
        }
        if (status == EX_OK) {
            struct icp_text next = icp_reply_text(&run->reply, "next");
            free(after);
            after = strndup(next.data, next.bytes);
            more = next.bytes > 0;
            status = after == NULL ? no_memory(run) : EX_OK;
        }
    }
    free(after);
    free(filter);
    if (run->count > 0) {
        qsort(run->list, run->count, sizeof *run->list, by_id);
    }
    return status;
}

/* A candidate of the account at `at`: itself, or one that is not among those that were read, is
 * none. */
static bool candidate_take(struct run *run, size_t at, const struct icp_value *candidate)
{
    struct icp_value id = {0};
    struct icp_value score = {0};
    struct icp_value why = {0};
    char text[PROTO_ID_BYTES_MAX + 1];
    (void)icp_value_get(candidate, "id", &id);
    (void)icp_value_get(candidate, "score", &score);
    (void)icp_value_get(candidate, "why", &why);
    snprintf(text, sizeof text, "%.*s", (int)id.text.bytes, id.text.data);
    const struct stored wanted = {.id = text};
    const struct stored *other = bsearch(&wanted, run->list, run->count, sizeof *run->list, by_id);
    if (other == NULL || other == &run->list[at]) {
        return true;
    }
    size_t place = (size_t)(other - run->list);
    struct stored_pair pair = {.a = (uint32_t)(at < place ? at : place),
                               .b = (uint32_t)(at < place ? place : at),
                               .score = score.number,
                               .why = strndup(why.text.data, why.text.bytes)};
    if (pair.why == NULL || !stored_pairs_add(&run->pairs, &pair)) {
        free(pair.why);
        return false;
    }
    return true;
}

static int answers_take(struct run *run, size_t first, size_t count)
{
    struct icp_value rows = {0};
    struct icp_value answer;
    struct icp_value list;
    struct icp_value candidate;
    (void)icp_reply_get(&run->reply, "rows", &rows);
    struct icp_walk walk = icp_walk_over(&rows);
    for (size_t i = 0; i < count && icp_next(&walk, NULL, &answer); i++) {
        list = (struct icp_value){0};
        (void)icp_value_get(&answer, "candidates", &list);
        struct icp_walk candidates = icp_walk_over(&list);
        while (icp_next(&candidates, NULL, &candidate)) {
            if (!candidate_take(run, first + i, &candidate)) {
                return no_memory(run);
            }
        }
    }
    return EX_OK;
}

/* Asks for the names from `first` on; *count: how many went into the request. */
static int names_ask(struct run *run, size_t first, size_t *count)
{
    size_t bytes = 0;
    icp_payload_reset(run->payload);
    icp_payload_uint(run->payload, "candidates",
                     run->candidates < PROTO_MATCH_CANDIDATES_MAX ? run->candidates + 1
                                                                  : PROTO_MATCH_CANDIDATES_MAX);
    icp_payload_text(run->payload, "field", run->name->name);
    icp_payload_list_begin(run->payload, "rows");
    for (*count = 0;
         first + *count < run->count && *count < PROTO_MATCH_ROWS_MAX && bytes < BATCH_BYTES_MAX;
         ++*count) {
        icp_payload_map_begin(run->payload, NULL);
        icp_payload_text(run->payload, "name", run->list[first + *count].name);
        icp_payload_map_end(run->payload);
        bytes += strlen(run->list[first + *count].name) + 8;
    }
    icp_payload_list_end(run->payload);
    return icp_call_within(run->client, ICP_OP_MATCH, run->payload, MATCH_MS, &run->reply)
               ? EX_OK
               : cli_icp_fault(run->cli, &run->reply.fault);
}

static int names_match(struct run *run)
{
    int status = EX_OK;
    size_t count = 0;
    for (size_t first = 0; status == EX_OK && first < run->count; first += count) {
        status = names_ask(run, first, &count);
        if (status == EX_OK) {
            status = answers_take(run, first, count);
        }
    }
    return status;
}

static int same_match(struct run *run, size_t same)
{
    size_t count = 0;
    struct stored_value *list = calloc(run->count + 1, sizeof *list);
    if (list == NULL) {
        return no_memory(run);
    }
    for (size_t i = 0; i < run->count; i++) {
        list[count] = (struct stored_value){run->list[i].same[same], (uint32_t)i};
        count += run->list[i].same[same] != NULL;
    }
    bool good = stored_pairs_group(&run->pairs, list, count, (unsigned)same);
    free(list);
    return good ? EX_OK : no_memory(run);
}

/* The names' reasons, and the fields in which the two agree. */
static char *why_text(const struct run *run, const struct stored_pair *pair)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *file = open_memstream(&text, &bytes);
    if (file == NULL) {
        return NULL;
    }
    fputs(pair->why != NULL ? pair->why : "the names are not alike", file);
    for (size_t i = 0; i < run->same_count; i++) {
        if ((pair->agree >> i & 1U) != 0) {
            fprintf(file, "; same %s", run->sames[i].field->name);
        }
    }
    return fclose(file) == 0 ? text : NULL;
}

static bool line_add(const struct run *run, const struct stored_pair *pair, struct sheet *sheet)
{
    const struct stored *a = &run->list[pair->a];
    const struct stored *b = &run->list[pair->b];
    bool same = pair->score >= 0.99995 && pair->agree != 0;
    char line[24];
    char score[24];
    char *key = NULL;
    char *why = why_text(run, pair);
    bool good = why != NULL && asprintf(&key, MATCH_PAIR_KEY "%s", a->id) > 0;
    if (good) {
        snprintf(line, sizeof line, "%zu", sheet->count + 1);
        snprintf(score, sizeof score, "%.4f", pair->score);
        const char *texts[SHEET_COLUMNS] = {
            line, a->name, key, same ? "same" : "maybe", b->id, b->name, score, why, ""};
        good = sheet_add(sheet, texts);
        free(key);
    }
    free(why);
    return good;
}

static int sheet_fill(struct run *run, struct sheet *sheet)
{
    size_t apart = 0;
    int status = match_nevers_read(run->cli, run->client, &run->nevers);
    for (size_t i = 0; status == EX_OK && i < run->pairs.count; i++) {
        const struct stored_pair *pair = &run->pairs.list[i];
        if (match_nevers_has(&run->nevers, run->list[pair->a].id, run->list[pair->b].id)) {
            apart++;
        } else if (!line_add(run, pair, sheet)) {
            status = no_memory(run);
        }
    }
    if (status == EX_OK && apart > 0) {
        cli_say(run->cli, "%zu pairs left out: somebody said never", apart);
    }
    if (status == EX_OK && run->pairs.crowds > 0) {
        cli_say(run->cli, "%zu values of --same left out: more than %d accounts have each of them",
                run->pairs.crowds, STORED_GROUP_MOST);
    }
    return status;
}

static void run_end(struct run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        free(run->list[i].id);
        free(run->list[i].name);
        for (size_t s = 0; s < SAME_MOST; s++) {
            free(run->list[i].same[s]);
        }
    }
    free(run->list);
    stored_pairs_fini(&run->pairs);
    match_nevers_fini(&run->nevers);
    feature_schema_release(run->schema);
    icp_reply_fini(&run->reply);
    icp_payload_destroy(run->payload);
    icp_close(run->client);
}

int match_stored(const struct cli *cli, struct sheet *sheet)
{
    struct run run = {.cli = cli, .payload = icp_payload_create()};
    int status = run.payload == NULL ? no_memory(&run) : EX_OK;
    if (status == EX_OK &&
        !cli_number(cli, CLI_MATCH_CANDIDATES, 1, PROTO_MATCH_CANDIDATES_MAX, 3, &run.candidates)) {
        status = EX_USAGE;
    }
    if (status == EX_OK) {
        run.client = cli_connect(cli, &status);
    }
    status = status == EX_OK ? fields_read(&run) : status;
    status = status == EX_OK ? accounts_read(&run) : status;
    status = status == EX_OK ? names_match(&run) : status;
    for (size_t i = 0; status == EX_OK && i < run.same_count; i++) {
        status = same_match(&run, i);
    }
    if (status == EX_OK) {
        stored_pairs_join(&run.pairs);
        status = sheet_fill(&run, sheet);
    }
    run_end(&run);
    return status;
}

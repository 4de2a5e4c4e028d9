/* SPDX-License-Identifier: Apache-2.0 */
/* What stands is read before anything is said: a pair that is one account already, or was called
 * never, is passed over, so that a review may be sent again after it went on. A pair that the
 * server refuses costs itself and is told. */
#include "tools/cli/match_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "tools/cli/member.h"

enum { PAGE = 1000 };

/* In the order of the ids; NULL: no memory. */
static char *pair_text(const char *a, const char *b)
{
    char *text;
    bool turned = strcmp(a, b) > 0;
    return asprintf(&text, "%s\x1f%s", turned ? b : a, turned ? a : b) < 0 ? NULL : text;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool never_add(struct match_nevers *nevers, const struct icp_value *entry)
{
    char ids[2][PROTO_ID_BYTES_MAX + 1];
    static const char *const members[] = {"account", "other"};
    if (nevers->count == nevers->capacity) {
        size_t capacity = nevers->capacity == 0 ? 256 : nevers->capacity * 2;
        char **list = realloc(nevers->list, capacity * sizeof *list);
        if (list == NULL) {
            return false;
        }
        nevers->list = list;
        nevers->capacity = capacity;
    }
    for (size_t i = 0; i < 2; i++) {
        struct icp_value id = {0};
        (void)icp_value_get(entry, members[i], &id);
        snprintf(ids[i], sizeof ids[i], "%.*s", (int)id.text.bytes, id.text.data);
    }
    char *text = pair_text(ids[0], ids[1]);
    if (text != NULL) {
        nevers->list[nevers->count++] = text;
    }
    return text != NULL;
}

int match_nevers_read(const struct cli *cli, struct icp_client *client, struct match_nevers *nevers)
{
    struct icp_payload *payload = icp_payload_create();
    struct icp_reply reply = {0};
    int64_t before = 0;
    int status = payload == NULL ? cli_fail(cli, EX_OSERR, "no memory") : EX_OK;
    do {
        struct icp_value list = {0};
        struct icp_value entry;
        if (status != EX_OK) {
            break;
        }
        icp_payload_reset(payload);
        icp_payload_uint(payload, "limit", PAGE);
        if (before > 0) {
            icp_payload_uint(payload, "before", (uint64_t)before);
        }
        status = cli_call(cli, client, ICP_OP_IDENTITY_LIST, payload, &reply);
        if (status == EX_OK) {
            (void)icp_reply_get(&reply, "entries", &list);
        }
        struct icp_walk walk = icp_walk_over(&list);
        while (status == EX_OK && icp_next(&walk, NULL, &entry)) {
            if (member_text_is(member_text(&entry, "act"), "never") &&
                member_text_is(member_text(&entry, "state"), "stands") &&
                !never_add(nevers, &entry)) {
                status = cli_fail(cli, EX_OSERR, "no memory");
            }
        }
        before = status == EX_OK ? icp_reply_int(&reply, "next", 0) : 0;
    } while (before > 0);
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    if (nevers->count > 0) {
        qsort(nevers->list, nevers->count, sizeof *nevers->list, compare_texts);
    }
    return status;
}

bool match_nevers_has(const struct match_nevers *nevers, const char *a, const char *b)
{
    char *text = nevers->count == 0 ? NULL : pair_text(a, b);
    bool has = text != NULL && bsearch(&text, nevers->list, nevers->count, sizeof *nevers->list,
                                       compare_texts) != NULL;
    free(text);
    return has;
}

void match_nevers_fini(struct match_nevers *nevers)
{
    for (size_t i = 0; i < nevers->count; i++) {
        free(nevers->list[i]);
    }
    free(nevers->list);
    *nevers = (struct match_nevers){0};
}

struct saying {
    const struct cli *cli;
    struct icp_client *client;
    struct icp_payload *payload;
    struct icp_reply reply;
    struct match_nevers nevers;
    size_t linked, never, passed, refused;
};

/* Whether the two are one account already. */
static bool one_already(struct saying *saying, const char *a, const char *b)
{
    struct icp_value list = {0};
    struct icp_value id;
    bool one = false;
    icp_payload_reset(saying->payload);
    icp_payload_text(saying->payload, "id", a);
    if (!icp_call(saying->client, ICP_OP_ACCOUNT_GET, saying->payload, &saying->reply) ||
        !icp_reply_get(&saying->reply, "sources", &list)) {
        return false;
    }
    struct icp_walk walk = icp_walk_over(&list);
    while (icp_next(&walk, NULL, &id)) {
        one |= member_text_is(id.text, b);
    }
    return one;
}

static int pair_say(struct saying *saying, char *const *cells, bool link)
{
    const char *a = cells[SHEET_KEY] + strlen(MATCH_PAIR_KEY);
    const char *b = cells[SHEET_ID];
    char reason[512];
    if (link ? one_already(saying, a, b) : match_nevers_has(&saying->nevers, a, b)) {
        saying->passed++;
        return EX_OK;
    }
    snprintf(reason, sizeof reason, "icp match --stored, score of the names %s: %.400s",
             cells[SHEET_SCORE], cells[SHEET_WHY]);
    icp_payload_reset(saying->payload);
    icp_payload_list_begin(saying->payload, "entries");
    icp_payload_map_begin(saying->payload, NULL);
    icp_payload_text(saying->payload, "act", link ? "link" : "never");
    icp_payload_text(saying->payload, "account", a);
    icp_payload_text(saying->payload, "other", b);
    icp_payload_text(saying->payload, "reason", reason);
    icp_payload_map_end(saying->payload);
    icp_payload_list_end(saying->payload);
    if (icp_call(saying->client, ICP_OP_IDENTITY, saying->payload, &saying->reply)) {
        saying->linked += link;
        saying->never += !link;
        return EX_OK;
    }
    const struct icp_fault *fault = &saying->reply.fault;
    if (fault->code != ICP_CONFLICT && fault->code != ICP_NOT_FOUND && fault->code != ICP_LIMIT) {
        return cli_icp_fault(saying->cli, fault);
    }
    saying->refused++;
    cli_say(saying->cli, "%s and %s: %s", a, b, fault->message);
    return EX_OK;
}

bool match_pairs_are(const struct sheet *sheet)
{
    return sheet->count > 0 &&
           strncmp(sheet->lines[0][SHEET_KEY], MATCH_PAIR_KEY, strlen(MATCH_PAIR_KEY)) == 0;
}

int match_pairs_say(const struct cli *cli, const struct sheet *sheet)
{
    struct saying saying = {.cli = cli, .payload = icp_payload_create()};
    int status = saying.payload == NULL ? cli_fail(cli, EX_OSERR, "no memory") : EX_OK;
    if (status == EX_OK) {
        saying.client = cli_connect(cli, &status);
    }
    if (status == EX_OK) {
        status = match_nevers_read(cli, saying.client, &saying.nevers);
    }
    for (size_t at = 0; status == EX_OK && at < sheet->count; at++) {
        bool link = sheet_is(sheet, at, SHEET_DECISION, "yes");
        if (link || sheet_is(sheet, at, SHEET_DECISION, "never")) {
            status = pair_say(&saying, sheet->lines[at], link);
        }
    }
    if (status == EX_OK) {
        cli_say(cli, "%zu linked, %zu called never, %zu were so already, %zu refused",
                saying.linked, saying.never, saying.passed, saying.refused);
        status = saying.refused > 0 ? EX_DATAERR : EX_OK;
    }
    match_nevers_fini(&saying.nevers);
    icp_reply_fini(&saying.reply);
    icp_payload_destroy(saying.payload);
    icp_close(saying.client);
    return status;
}

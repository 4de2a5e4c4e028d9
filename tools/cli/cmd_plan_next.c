/* SPDX-License-Identifier: Apache-2.0 */
/* icp plan next: which plan follows; with --draft it is made too, of the plan before and what its
 * verdict said to do. A plan that has no verdict, and one that is there already, end it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/feature/date_text.h"
#include "server/feature/json_text.h"
#include "tools/cli/cmd.h"
#include "tools/cli/plan_text.h"

enum { DAY_S = 86400, NOTE_BYTES_MAX = 1024, DAY_BYTES = 16 };

static bool day_read(const char *text, time_t *day)
{
    int64_t ms = 0;
    bool whole_day = false;
    if (text == NULL || !feature_date_read(proto_span_text(text), &ms, &whole_day)) {
        return false;
    }
    *day = (time_t)(ms / 1000);
    return true;
}

static void day_print(time_t day, char text[DAY_BYTES])
{
    struct tm parts;
    (void)gmtime_r(&day, &parts);
    (void)strftime(text, DAY_BYTES, "%Y-%m-%d", &parts);
}

/* As long as the term before, and right behind it: in months where that was whole months. */
static void term_follow(time_t from, time_t to, time_t *next_from, time_t *next_to)
{
    struct tm first;
    struct tm behind;
    *next_from = to + DAY_S;
    *next_to = *next_from + (to - from);
    (void)gmtime_r(&from, &first);
    (void)gmtime_r(next_from, &behind);
    if (first.tm_mday == behind.tm_mday && first.tm_mday <= 28) {
        behind.tm_mon += 12 * (behind.tm_year - first.tm_year) + behind.tm_mon - first.tm_mon;
        *next_to = timegm(&behind) - DAY_S;
    }
}

static int term_put(const struct cli *cli, const struct term_plan *before, json_t *body)
{
    static const char *const members[] = {"from", "to"};
    const char *told[2];
    char texts[2][DAY_BYTES];
    time_t days[2] = {0, 0};
    time_t next[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        if (!day_read(json_string_value(json_object_get(before->terms, members[i])), &days[i])) {
            return cli_fail(cli, EX_DATAERR, "the term of plan '%s' cannot be read", before->name);
        }
    }
    term_follow(days[0], days[1], &next[0], &next[1]);
    for (int i = 0; i < 2; i++) {
        day_print(next[i], texts[i]);
        told[i] = cli_text_named(cli, members[i]);
        (void)json_object_set_new(body, members[i],
                                  json_string(told[i] != NULL ? told[i] : texts[i]));
    }
    return EX_OK;
}

/* Names of a registry as a list. */
static json_t *names_of(const struct term_plan *plan, const char *registry)
{
    const char *name;
    json_t *owner;
    json_t *names = json_array();
    json_object_foreach(json_object_get(plan->terms, registry), name, owner)
    {
        (void)json_array_append_new(names, json_string(name));
    }
    return names;
}

/* The newest verdict among the lines of a history: its body, the caller's; NULL: there is none. */
static json_t *verdict_find(const struct plan_text *text)
{
    json_t *found = NULL;
    struct proto_fault ignored;
    for (const char *at = text->text; at != NULL && *at != '\0';) {
        size_t bytes = strcspn(at, "\n");
        json_t *line = feature_json_load((struct proto_span){(const uint8_t *)at, bytes},
                                         PROTO_BAD_FIELD, &ignored);
        const json_t *entry = json_object_get(line, "entry");
        const char *act = json_string_value(json_object_get(entry, "act"));
        if (act != NULL && strcmp(act, "verdict") == 0) {
            json_decref(found);
            found = json_incref(json_object_get(entry, "body"));
        }
        json_decref(line);
        at += bytes + (at[bytes] == '\n');
    }
    return found;
}

/* The verdict and what it said to do, as many whole sentences as a note has room for. */
static void note_make(const char *plan, const json_t *verdict, char note[NOTE_BYTES_MAX + 1])
{
    size_t i;
    json_t *sentence;
    const json_t *draft = json_object_get(json_object_get(verdict, "figures"), "draft");
    size_t used = (size_t)snprintf(note, NOTE_BYTES_MAX + 1, "Draft after %s, whose list was %s.",
                                   plan, json_string_value(json_object_get(verdict, "verdict")));
    json_array_foreach(draft, i, sentence)
    {
        const char *words = json_string_value(sentence);
        size_t bytes = words != NULL ? strlen(words) : 0;
        if (bytes > 0 && used + bytes + 1 <= NOTE_BYTES_MAX) {
            used += (size_t)snprintf(note + used, NOTE_BYTES_MAX + 1 - used, " %s", words);
        }
    }
}

static int draft_create(const struct cli *cli, const struct term_plan *before,
                        const json_t *verdict, const char *next)
{
    char note[NOTE_BYTES_MAX + 1];
    uint64_t icp = 0;
    json_t *body = json_object();
    note_make(before->name, verdict, note);
    int status = cli_number(cli, CLI_PLAN_NEXT_ICP, 1, PROTO_ICPS_MAX, 0, &icp)
                     ? term_put(cli, before, body)
                     : EX_USAGE;
    if (status != EX_OK) {
        json_decref(body);
        return status;
    }
    (void)json_object_set_new(body, "layers", names_of(before, "layers"));
    (void)json_object_set_new(body, "stages", names_of(before, "stages"));
    (void)json_object_set_new(body, "note", json_string(note));
    if (json_object_get(before->terms, "share") != NULL) {
        (void)json_object_set(body, "share", json_object_get(before->terms, "share"));
    }
    if (icp > 0) {
        (void)json_object_set_new(body, "icp", json_integer((json_int_t)icp));
    }
    cli_say(cli, "%s", note);
    return plan_send(cli, next, "create", body);
}

/* Who owned a layer or a stage, until somebody else is named. */
static int owners_carry(const struct cli *cli, const struct term_plan *before, const char *registry,
                        const char *kind, const char *next)
{
    const char *name;
    json_t *owner;
    int status = EX_OK;
    json_object_foreach(json_object_get(before->terms, registry), name, owner)
    {
        if (json_is_object(owner) && status == EX_OK) {
            json_t *body = json_pack("{s:s, s:s}", "kind", kind, "name", name);
            (void)json_object_update(body, owner);
            status = plan_send(cli, next, "owner", body);
        }
    }
    return status;
}

static int signatories_carry(const struct cli *cli, const struct term_plan *before,
                             const char *next)
{
    const char *function;
    json_t *signatory;
    int status = EX_OK;
    json_object_foreach(json_object_get(before->terms, "signatories"), function, signatory)
    {
        if (status == EX_OK) {
            json_t *body = json_pack("{s:s}", "function", function);
            (void)json_object_update(body, signatory);
            status = plan_send(cli, next, "signatory", body);
        }
    }
    return status;
}

static int draft_make(const struct cli *cli, const char *name, const char *next)
{
    struct plan_text text;
    struct term_plan before = {.state = TERM_STATE_FIT};
    json_t *verdict = NULL;
    int status = plan_text_fetch(cli, name, &text);
    if (status == EX_OK) {
        status = plan_text_verify(cli, &text, NULL, &before);
    }
    if (status == EX_OK && (verdict = verdict_find(&text)) == NULL) {
        status = cli_fail(cli, EX_DATAERR,
                          "plan '%s' has no verdict to make a draft of: 'icp verdict --plan %s "
                          "--policy FILE.json --write' writes one",
                          name, name);
    }
    status = status == EX_OK ? draft_create(cli, &before, verdict, next) : status;
    status = status == EX_OK ? owners_carry(cli, &before, "layers", "layer", next) : status;
    status = status == EX_OK ? owners_carry(cli, &before, "stages", "stage", next) : status;
    status = status == EX_OK ? signatories_carry(cli, &before, next) : status;
    json_decref(verdict);
    term_plan_fini(&before);
    plan_text_fini(&text);
    return status;
}

int cmd_plan_next(struct cli *cli)
{
    static const char *const of_draft[] = {"from", "to", "icp"};
    bool draft = cli_has(cli, CLI_PLAN_NEXT_DRAFT);
    if (!cli_arguments(cli, 2, 2)) {
        return EX_USAGE;
    }
    for (size_t i = 0; i < sizeof of_draft / sizeof *of_draft && !draft; i++) {
        if (cli_text_named(cli, of_draft[i]) != NULL) {
            return cli_fail(cli, EX_USAGE, "--%s is of the plan that --draft makes", of_draft[i]);
        }
    }
    int status = draft ? draft_make(cli, cli->arguments[0], cli->arguments[1]) : EX_OK;
    return status == EX_OK ? plan_send(cli, cli->arguments[0], "next",
                                       json_pack("{s:s}", "next", cli->arguments[1]))
                           : status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request for each section, then handoffs once more for each point of the curve, and the
 * timeline of the account that is named. "no-evidence", "no-icp" and a parameter that a section
 * lacks leave a reason in it; any other refusal ends it. */
#include "tools/cli/journey_asked.h"

#include <stdlib.h>

#include "server/event/event_money.h"
#include "tools/cli/measure_prices.h"
#include "tools/cli/measure_remote.h"
#include "tools/cli/told_event.h"

/* The name of the definition goes with the page, not with each request. */
static void ground_take(struct journey_asked *asked)
{
    struct report_ground *ground = &asked->page.ground;
    const struct icp_reply *reply = &asked->reply;
    struct icp_value value;
    struct icp_text currency = icp_reply_text(reply, "currency");
    if (!asked->pinned) {
        asked->pinned = true;
        asked->seq = (uint64_t)icp_reply_int(reply, "seq", 0);
        ground->seq = asked->seq;
        ground->accounts = (uint64_t)icp_reply_int(reply, "accounts", 0);
        ground->events = (uint64_t)icp_reply_int(reply, "events", 0);
        ground->newest_ms = icp_reply_get(reply, "newest", &value) ? value.integer : INT64_MIN;
    }
    /* Only measures that read amounts know it. */
    if (currency.bytes > 0 && currency.bytes < sizeof asked->rules.base) {
        memcpy(asked->rules.base, currency.data, currency.bytes);
        asked->rules.base[currency.bytes] = '\0';
    }
    ground->currency = asked->rules.base;
    ground->digits = event_money_digits(proto_span_text(asked->rules.base));
}

/* What the section is given whatever is asked for, and every option that is called as a parameter
 * of its measure. */
static void parameters_put(const struct journey_asked *asked,
                           const struct report_journey_section *section, struct measure_ask *ask)
{
    size_t count = 0;
    const struct measure_parameter *p = measure_parameters(ask->id, &count);
    bool customers = strcmp(section->value, "customers") == 0; /* of one day, not of a time */
    bool nobody = customers || strcmp(section->value, "subscriptions") == 0; /* owns those */
    for (size_t i = 0; i < count && ask->parameter_count < MEASURE_ASK_PARAMETERS_MAX; i++) {
        const char *text = cli_text_named(asked->cli, p[i].name);
        bool of_time = strcmp(p[i].name, "from") == 0 || strcmp(p[i].name, "to") == 0;
        bool of_owner = strcmp(p[i].name, "owner") == 0;
        if (strcmp(p[i].name, section->parameter) == 0) {
            measure_ask_parameter(ask, p[i].name, section->value);
        } else if (strcmp(p[i].name, "list") == 0 && asked->prices != NULL) {
            measure_ask_parameter(ask, p[i].name, asked->prices);
        } else if (text != NULL && !(customers && of_time) && !(nobody && of_owner)) {
            measure_ask_parameter(ask, p[i].name, text);
        }
    }
}

static struct measure_ask ask_of(const struct journey_asked *asked,
                                 const struct report_journey_section *section)
{
    struct measure_ask ask = asked->scope;
    ask.id = measure_find(section->measure);
    ask.rules = &asked->rules;
    ask.by = section->by != REPORT_BY_NO ? asked->page.segment : NULL;
    ask.churn_flag = NULL;
    if (asked->pinned) {
        ask.has_seq = true;
        ask.seq = asked->seq;
    }
    parameters_put(asked, section, &ask);
    return ask;
}

static int part_ask(struct journey_asked *asked, const struct measure_ask *ask,
                    struct measure_table *table, char *why, struct report_part *part)
{
    icp_payload_reset(asked->payload);
    int status = measure_ask_put(asked->cli, ask, asked->payload);
    if (status != EX_OK) {
        return status;
    }
    if (!icp_call(asked->client, ICP_OP_MEASURE, asked->payload, &asked->reply)) {
        const struct icp_fault *fault = &asked->reply.fault;
        if (fault->code != ICP_NO_EVIDENCE && fault->code != ICP_NO_ICP &&
            fault->code != ICP_MISSING_FIELD) {
            return cli_refused(asked->cli, &asked->reply);
        }
        (void)snprintf(why, sizeof asked->whys[0], "%.400s%s", fault->message,
                       fault->code == ICP_NO_ICP ? "; --segment FIELD makes strata that need none"
                                                 : "");
        part->why = why;
        return EX_OK;
    }
    ground_take(asked);
    measure_table_fini(table);
    status = measure_ask_take(asked->cli, ask->id, &asked->reply, table);
    part->table = status == EX_OK ? table : NULL;
    return status;
}

/* The owner with most entries, if nobody said which groups are to be compared. */
static const char *owner_of(const struct journey_asked *asked)
{
    const struct measure_table *table = asked->page.parts[REPORT_JOURNEY_HANDOFFS].table;
    for (size_t row = 0; table != NULL && row < measure_table_rows(table); row++) {
        const struct measure_cell *kind = measure_cell_find(table, row, "row");
        const struct measure_cell *owner = measure_cell_find(table, row, "owner");
        if (strcmp(kind->text, "owner") == 0 && owner->kind == MEASURE_KIND_TEXT &&
            strcmp(owner->text, "(none)") != 0) {
            return owner->text;
        }
    }
    return NULL;
}

static int gap_ask(struct journey_asked *asked, struct measure_ask *ask, int part)
{
    const char **group = asked->page.group;
    group[0] = cli_text_named(asked->cli, "a");
    group[1] = cli_text_named(asked->cli, "b");
    if (group[0] == NULL && cli_text_named(asked->cli, "group-by") == NULL &&
        (group[0] = owner_of(asked)) != NULL) {
        measure_ask_parameter(ask, "a", group[0]);
    }
    if (group[0] == NULL) {
        asked->page.parts[part].why =
            "--a names a group, such as an owner, to hold against the others";
        return EX_OK;
    }
    return part_ask(asked, ask, &asked->tables[part], asked->whys[part], &asked->page.parts[part]);
}

static int section_ask(struct journey_asked *asked, int part)
{
    const struct report_journey_section *section =
        report_journey_section((enum report_journey_id)part);
    if (measure_find(section->measure) == MEASURE_IDS) {
        return EX_OK;
    }
    if (section->by == REPORT_BY_MUST && asked->page.segment == NULL) {
        asked->page.parts[part].why = "--segment FIELD names the field whose values are its groups";
        return EX_OK;
    }
    struct measure_ask ask = ask_of(asked, section);
    return part == REPORT_JOURNEY_GAP ? gap_ask(asked, &ask, part)
                                      : part_ask(asked, &ask, &asked->tables[part],
                                                 asked->whys[part], &asked->page.parts[part]);
}

static int curve_ask(struct journey_asked *asked)
{
    static const struct report_journey_section section = {.measure = "handoffs",
                                                          .parameter = "within"};
    int status = EX_OK;
    for (size_t p = 0; p < REPORT_CURVE_POINTS && status == EX_OK; p++) {
        struct report_journey_section at = section;
        char days[32];
        (void)snprintf(days, sizeof days, "%g", report_curve_days(p));
        at.value = days;
        struct measure_ask ask = ask_of(asked, &at);
        status = part_ask(asked, &ask, &asked->curve[p], asked->whys[REPORT_JOURNEY_PARTS + p],
                          &asked->page.curve[p]);
    }
    return status;
}

/* A text of the page, or "" where memory ran out, which *status says. */
static const char *text_keep(struct journey_asked *asked, char *text, int *status)
{
    if (text == NULL) {
        *status = cli_fail(asked->cli, EX_OSERR, "no memory for the path");
        return "";
    }
    asked->texts[asked->text_count++] = text;
    return text;
}

static int step_take(struct journey_asked *asked, const struct icp_value *map)
{
    struct event event;
    bool retracted = false;
    char *who = NULL;
    int status = EX_OK;
    if (!told_event_read(map, &event, &retracted)) {
        return cli_fail(asked->cli, EX_PROTOCOL, "an event of the answer cannot be read");
    }
    struct report_step *step = &asked->steps[asked->page.step_count++];
    const struct proto_span of[] = {event.motion, event.function, event.campaign, event.person};
    size_t bytes = 0;
    FILE *out = open_memstream(&who, &bytes);
    for (size_t i = 0; out != NULL && i < sizeof of / sizeof *of; i++) {
        if (of[i].bytes > 0) {
            fprintf(out, "%s%.*s", ftell(out) > 0 ? ", " : "", (int)of[i].bytes,
                    (const char *)of[i].data);
        }
    }
    if (out != NULL) {
        fclose(out);
    }
    step->time_ms = event.time_ms;
    step->type = event_type_name(event.type);
    step->who = text_keep(asked, who, &status);
    step->kind =
        text_keep(asked,
                  event.kind.bytes > 0 ? strndup((const char *)event.kind.data, event.kind.bytes)
                                       : strdup(""),
                  &status);
    return status;
}

/* The newest events, turned round so that the oldest of them comes first. */
static int path_ask(struct journey_asked *asked)
{
    const struct cli *cli = asked->cli;
    struct report_journey *page = &asked->page;
    struct icp_value list = {.count = 0};
    struct icp_value map;
    int status = EX_OK;
    icp_payload_reset(asked->payload);
    icp_payload_text(asked->payload, "id", page->account);
    if (asked->scope.has_known) {
        icp_payload_int(asked->payload, "known", asked->scope.known_ms);
    }
    if (asked->seq > 0) {
        icp_payload_uint(asked->payload, "seq", asked->seq);
    }
    icp_payload_flag(asked->payload, "newest", true);
    icp_payload_uint(asked->payload, "limit", JOURNEY_STEPS_MAX);
    if (!icp_call(asked->client, ICP_OP_TIMELINE, asked->payload, &asked->reply)) {
        return asked->reply.fault.code == ICP_NOT_FOUND
                   ? cli_fail(cli, EX_USAGE, "--account: there is no account '%s'", page->account)
                   : cli_icp_fault(cli, &asked->reply.fault);
    }
    (void)icp_reply_get(&asked->reply, "events", &list);
    struct icp_walk walk = icp_walk_over(&list);
    while (status == EX_OK && page->step_count < JOURNEY_STEPS_MAX && icp_next(&walk, NULL, &map)) {
        status = step_take(asked, &map);
    }
    page->step_total = (uint64_t)icp_reply_int(&asked->reply, "count", 0);
    page->steps = asked->steps;
    for (size_t i = 0; i < page->step_count / 2; i++) {
        struct report_step kept = asked->steps[i];
        asked->steps[i] = asked->steps[page->step_count - 1 - i];
        asked->steps[page->step_count - 1 - i] = kept;
    }
    return status;
}

static int parts_ask(struct journey_asked *asked)
{
    int status = EX_OK;
    for (int part = 0; part < REPORT_JOURNEY_PARTS && status == EX_OK; part++) {
        status = section_ask(asked, part);
    }
    if (status == EX_OK && asked->page.parts[REPORT_JOURNEY_HANDOFFS].table != NULL) {
        status = curve_ask(asked);
    }
    return status == EX_OK && asked->page.account != NULL ? path_ask(asked) : status;
}

int journey_asked_read(const struct cli *cli, struct journey_asked *asked)
{
    struct measure_definition definition;
    *asked = (struct journey_asked){.cli = cli};
    int status = measure_rules_told(cli, &asked->rules, &definition);
    if (status == EX_OK) {
        status = measure_scope_read(cli, &asked->scope);
    }
    if (status == EX_OK) {
        status = measure_prices_told(cli, &asked->prices);
    }
    if (status != EX_OK) {
        return status;
    }
    asked->page = (struct report_journey){.from = cli_text_named(cli, "from"),
                                          .to = cli_text_named(cli, "to"),
                                          .as_of = cli_text_named(cli, "as-of"),
                                          .segment = cli_text_named(cli, "segment"),
                                          .second = cli_text_named(cli, "second"),
                                          .account = cli_text_named(cli, "account")};
    asked->page.ground = (struct report_ground){.filter = asked->scope.filter,
                                                .rules = &asked->rules,
                                                .currency = "",
                                                .digits = 2,
                                                .newest_ms = INT64_MIN};
    asked->client = cli_connect(cli, &status);
    if (asked->client == NULL) {
        return status;
    }
    asked->payload = icp_payload_create();
    return asked->payload != NULL ? parts_ask(asked) : cli_fail(cli, EX_OSERR, "no memory");
}

void journey_asked_fini(struct journey_asked *asked)
{
    for (size_t i = 0; i < REPORT_JOURNEY_PARTS; i++) {
        measure_table_fini(&asked->tables[i]);
    }
    for (size_t i = 0; i < REPORT_CURVE_POINTS; i++) {
        measure_table_fini(&asked->curve[i]);
    }
    for (size_t i = 0; i < asked->text_count; i++) {
        free(asked->texts[i]);
    }
    free(asked->prices);
    icp_reply_fini(&asked->reply);
    icp_payload_destroy(asked->payload);
    icp_close(asked->client);
}

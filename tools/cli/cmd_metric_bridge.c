/* SPDX-License-Identifier: Apache-2.0 */
/* icp metric bridge A B [C ...]: from each definition to the next, rule by rule, as of the sequence
 * of the first answer, so that all steps tell of the same. With --accounts page after page, until
 * the last account that a rule moves is named. A definition that is not there, two of different
 * metrics and whatever else the server refuses end it, and nothing is shown. */
#include <assert.h>
#include <stdlib.h>

#include "tools/cli/cmd.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_remote.h"
#include "tools/cli/measure_show.h"
#include "tools/cli/metric_find.h"

/* Accounts of each rule on a page, as the bound of measure.def has it. */
#define PAGE "1000"
enum { PAGE_ACCOUNTS = 1000, NAMES_BYTES = 96 };

/* One bridge: its pages, of which the first has the steps. */
struct bridge {
    struct measure_table *pages;
    size_t page_count;
    char first[NAMES_BYTES], second[NAMES_BYTES]; /* "name@version" as the server tells them */
    char currency[MEASURE_CURRENCY_BYTES];
};

struct bridging {
    const struct cli *cli;
    struct cli_request *request;
    struct measure_ask scope;
    struct bridge *bridges;
    size_t count;
};

static void name_take(const struct icp_reply *reply, const char *name, const char *version,
                      const char *kept, char *out)
{
    struct icp_value value;
    struct icp_text text = icp_reply_text(reply, name);
    bool as_kept = icp_reply_get(reply, kept, &value) && value.flag;
    (void)snprintf(out, NAMES_BYTES, "%.*s@%lld%s", (int)text.bytes, text.data,
                   (long long)icp_reply_int(reply, version, 0), as_kept ? "" : " (of a file)");
}

static void ground_take(struct bridging *bridging, struct bridge *bridge)
{
    const struct icp_reply *reply = &bridging->request->reply;
    struct icp_text currency = icp_reply_text(reply, "currency");
    name_take(reply, "definition", "version", "kept", bridge->first);
    name_take(reply, "against_definition", "against_version", "against_kept", bridge->second);
    if (currency.bytes < sizeof bridge->currency) {
        memcpy(bridge->currency, currency.data, currency.bytes);
    }
    bridging->scope.has_seq = true;
    bridging->scope.seq = (uint64_t)icp_reply_int(reply, "seq", 0);
}

/* A definition goes as what it is called, or as what the file holds. */
static int definition_put(const struct bridging *bridging, const char *text, const char *document,
                          const char *name)
{
    struct measure_definition definition;
    struct icp_payload *payload = bridging->request->payload;
    if (!metric_is_file(text)) {
        icp_payload_text(payload, name, text);
        return EX_OK;
    }
    int status = metric_file_read(bridging->cli, text, false, &definition);
    char *printed = status == EX_OK ? measure_definition_print(&definition) : NULL;
    if (status == EX_OK && printed == NULL) {
        return cli_fail(bridging->cli, EX_OSERR, "no memory for the definition");
    }
    if (printed != NULL) {
        icp_payload_text(payload, document, printed);
    }
    free(printed);
    return status;
}

static int page_ask(struct bridging *bridging, size_t at, const char *top, size_t page,
                    struct measure_table *table)
{
    const struct cli *cli = bridging->cli;
    struct measure_ask ask = bridging->scope;
    char skip[24];
    ask.id = MEASURE_ID_BRIDGE;
    measure_ask_parameter(&ask, "from", cli_text(cli, CLI_METRIC_BRIDGE_FROM));
    measure_ask_parameter(&ask, "to", cli_text(cli, CLI_METRIC_BRIDGE_TO));
    measure_ask_parameter(&ask, "top", top);
    (void)snprintf(skip, sizeof skip, "%zu", page * PAGE_ACCOUNTS);
    measure_ask_parameter(&ask, "skip", skip);
    icp_payload_reset(bridging->request->payload);
    int status = measure_ask_put(cli, &ask, bridging->request->payload);
    if (status == EX_OK) {
        status = definition_put(bridging, cli->arguments[at], "definition", "definition_name");
    }
    if (status == EX_OK) {
        status =
            definition_put(bridging, cli->arguments[at + 1], "against_definition", "against_name");
    }
    if (status == EX_OK) {
        status = cli_request_send(cli, bridging->request, ICP_OP_MEASURE);
    }
    return status == EX_OK
               ? measure_ask_take(cli, MEASURE_ID_BRIDGE, &bridging->request->reply, table)
               : status;
}

static bool names_account(const struct measure_table *table, size_t row)
{
    return measure_cell_find(table, row, "account")->text[0] != '\0';
}

/* Whether a page is full for some rule, so that there may be another one. */
static bool page_full(const struct measure_table *table)
{
    size_t run = 0;
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        run = names_account(table, row) ? run + 1 : 0;
        if (run == PAGE_ACCOUNTS) {
            return true;
        }
    }
    return false;
}

static int bridge_ask(struct bridging *bridging, size_t at)
{
    const struct cli *cli = bridging->cli;
    assert(bridging->bridges != NULL);
    struct bridge *bridge = &bridging->bridges[at];
    bool all = cli_has(cli, CLI_METRIC_BRIDGE_ACCOUNTS);
    const char *top = cli_text(cli, CLI_METRIC_BRIDGE_TOP);
    int status = EX_OK;
    bool more = true;
    while (more && status == EX_OK) {
        struct measure_table *pages =
            realloc(bridge->pages, (bridge->page_count + 1) * sizeof *pages);
        if (pages == NULL) {
            return cli_fail(cli, EX_OSERR, "no memory for the table");
        }
        bridge->pages = pages;
        struct measure_table *page = &pages[bridge->page_count];
        measure_table_init(page, MEASURE_ID_BRIDGE);
        status = page_ask(bridging, at,
                          all           ? PAGE
                          : top != NULL ? top
                                        : "0",
                          bridge->page_count++, page);
        if (status == EX_OK && bridge->page_count == 1) {
            ground_take(bridging, bridge);
        }
        more = all && status == EX_OK && page_full(page);
    }
    return status;
}

static void row_add(struct measure_table *out, const struct measure_table *from, size_t row)
{
    const struct measure_cell *cells = &from->cells[row * from->columns];
    for (size_t i = 0; i < from->columns; i++) {
        if (cells[i].kind == MEASURE_KIND_TEXT) {
            measure_add_text(out, cells[i].text);
        } else if (cells[i].kind == MEASURE_KIND_NUMBER) {
            measure_add_number(out, cells[i].number);
        } else if (cells[i].kind == MEASURE_KIND_COUNT) {
            measure_add_whole(out, cells[i].whole);
        } else {
            measure_add_absent(out);
        }
    }
}

/* Each step with its accounts of all pages behind it. */
static void pages_join(const struct bridge *bridge, struct measure_table *out)
{
    const struct measure_table *steps = bridge->pages;
    assert(steps != NULL);
    measure_table_init(out, MEASURE_ID_BRIDGE);
    for (size_t row = 0; row < measure_table_rows(steps); row++) {
        if (names_account(steps, row)) {
            continue;
        }
        row_add(out, steps, row);
        const char *step = measure_cell_find(steps, row, "step")->text;
        for (size_t p = 0; p < bridge->page_count; p++) {
            const struct measure_table *page = &bridge->pages[p];
            for (size_t r = 0; r < measure_table_rows(page); r++) {
                if (names_account(page, r) &&
                    strcmp(measure_cell_find(page, r, "step")->text, step) == 0) {
                    row_add(out, page, r);
                }
            }
        }
    }
}

/* For programs: one table of all bridges, each row with what it leads from and to. */
static void rows_add(struct out_table *out, const struct bridge *bridge,
                     const struct measure_table *table)
{
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        const struct measure_cell *cells = &table->cells[row * table->columns];
        out_cell_text(out, "%s", bridge->first);
        out_cell_text(out, "%s", bridge->second);
        for (size_t i = 0; i < table->columns; i++) {
            if (cells[i].kind == MEASURE_KIND_TEXT) {
                out_cell_text(out, "%s", cells[i].text);
            } else if (cells[i].kind == MEASURE_KIND_NUMBER) {
                out_cell_number(out, "%.15g", cells[i].number);
            } else if (cells[i].kind == MEASURE_KIND_COUNT) {
                out_cell_number(out, "%lld", (long long)cells[i].whole);
            } else {
                out_cell_number(out, "%s", "");
            }
        }
    }
}

static int bridges_show(const struct bridging *bridging)
{
    static const char *const headers[] = {"first",   "second", "step",    "change",
                                          "account", "value",  "accounts"};
    const struct cli *cli = bridging->cli;
    bool people = cli->style.form == OUT_TABLE;
    struct out_table out;
    int status = EX_OK;
    out_table_init(&out, headers, 7);
    for (size_t i = 0; i < bridging->count && status == EX_OK; i++) {
        const struct bridge *bridge = &bridging->bridges[i];
        struct measure_table joined;
        pages_join(bridge, &joined);
        if (!measure_table_good(&joined)) {
            status = cli_fail(cli, EX_OSERR, "no memory for the table");
        } else if (people) {
            cli_print(cli, "%sfrom %s to %s%s%s:\n", i > 0 ? "\n" : "", bridge->first,
                      bridge->second, bridge->currency[0] != '\0' ? ", " : "", bridge->currency);
            status = measure_show(cli, &joined, bridge->currency);
        } else {
            rows_add(&out, bridge, &joined);
        }
        measure_table_fini(&joined);
    }
    if (status == EX_OK && !people) {
        status = cli_table(cli, &out);
    }
    out_table_fini(&out);
    return status;
}

static void bridging_fini(struct bridging *bridging)
{
    for (size_t i = 0; i < bridging->count && bridging->bridges != NULL; i++) {
        for (size_t p = 0; p < bridging->bridges[i].page_count; p++) {
            measure_table_fini(&bridging->bridges[i].pages[p]);
        }
        free(bridging->bridges[i].pages);
    }
    free(bridging->bridges);
}

static int options_check(const struct cli *cli, struct measure_ask *scope)
{
    uint64_t top = 0;
    int64_t day = 0;
    if (!cli_arguments(cli, 2, 16) || !measure_option_day(cli, "from", true, &day) ||
        !measure_option_day(cli, "to", true, &day) ||
        !cli_number(cli, CLI_METRIC_BRIDGE_TOP, 0, PAGE_ACCOUNTS, 0, &top)) {
        return EX_USAGE;
    }
    if (top > 0 && cli_has(cli, CLI_METRIC_BRIDGE_ACCOUNTS)) {
        return cli_fail(cli, EX_USAGE, "--accounts names them all, and --top so many: one of them");
    }
    return measure_scope_read(cli, scope);
}

int cmd_metric_bridge(struct cli *cli)
{
    struct cli_request request;
    struct bridging bridging = {.cli = cli, .request = &request};
    int status = options_check(cli, &bridging.scope);
    if (status == EX_OK) {
        status = cli_request_open(cli, &request);
    }
    if (status != EX_OK) {
        return status;
    }
    bridging.count = cli->argument_count - 1;
    bridging.bridges = calloc(bridging.count, sizeof *bridging.bridges);
    if (bridging.bridges == NULL) {
        status = cli_fail(cli, EX_OSERR, "no memory for the table");
    }
    for (size_t i = 0; i < bridging.count && status == EX_OK; i++) {
        status = bridge_ask(&bridging, i);
    }
    if (status == EX_OK) {
        cli_say(cli, "sequence %llu", (unsigned long long)bridging.scope.seq);
        status = bridges_show(&bridging);
    }
    bridging_fini(&bridging);
    cli_request_close(&request);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each product or plan. A row without a price, or a name that comes twice, ends it. */
#include "tools/cli/measure_prices.h"

#include <jansson.h>

#include "server/feature/span_text.h"
#include "tools/cli/csv_told.h"
#include "tools/cli/measure_cells.h"
#include "tools/cli/measure_rows.h"

enum { PACKAGE, PRICE, PICKS };

struct listing {
    struct measure_pick picks[PICKS];
    json_t *object;
};

static bool on_price(void *context, const struct csv_row *row, size_t *column,
                     struct proto_fault *fault)
{
    struct listing *listing = context;
    int64_t price = 0;
    bool told = false;
    struct proto_span name = measure_cell_text(&listing->picks[PACKAGE], row);
    *column = listing->picks[PACKAGE].column;
    if (name.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "", "the package is missing");
    }
    if (json_object_getn(listing->object, (const char *)name.data, name.bytes) != NULL) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "the package stands in the list before");
    }
    *column = listing->picks[PRICE].column;
    if (!measure_cell_money(&listing->picks[PRICE], row, "", &price, &told, fault)) {
        return false;
    }
    if (price <= 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "", "a list price is above 0");
    }
    return json_object_setn_new(listing->object, (const char *)name.data, name.bytes,
                                json_real((double)price / 100)) == 0 ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for list prices");
}

static int prices_read(const struct cli *cli, struct listing *listing)
{
    int status = EX_OK;
    struct csv_input *file = csv_told_open(cli, cli_text_named(cli, "prices"), &status);
    if (file == NULL) {
        return status;
    }
    status = measure_picks_open(cli, file, listing->picks, PICKS);
    if (status == EX_OK) {
        struct measure_walk walk = {.cli = cli, .file = file};
        status = measure_rows_walk(&walk, on_price, listing);
    }
    csv_close(file);
    return status;
}

int measure_prices_told(const struct cli *cli, char **text)
{
    struct listing listing = {
        .picks = {[PACKAGE] = {.option = "package", .kind = CELL_TEXT, .needed = true},
                  [PRICE] = {.option = "list-price", .kind = CELL_MONEY, .needed = true}}};
    *text = NULL;
    if (cli_text_named(cli, "prices") == NULL) {
        bool column =
            cli_text_named(cli, "package") != NULL || cli_text_named(cli, "list-price") != NULL;
        return column ? cli_fail(cli, EX_USAGE,
                                 "--package and --list-price are columns of --prices FILE.csv")
                      : EX_OK;
    }
    if (cli_text_named(cli, "list") != NULL) {
        return cli_fail(cli, EX_USAGE, "--list and --prices both give list prices: one of them");
    }
    listing.object = json_object();
    int status = listing.object != NULL ? prices_read(cli, &listing)
                                        : cli_fail(cli, EX_OSERR, "no memory for list prices");
    if (status == EX_OK) {
        *text = json_dumps(listing.object, JSON_COMPACT | JSON_REAL_PRECISION(15));
        status = *text != NULL ? EX_OK : cli_fail(cli, EX_OSERR, "no memory for list prices");
    }
    json_decref(listing.object);
    return status;
}

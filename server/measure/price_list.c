/* SPDX-License-Identifier: Apache-2.0 */
/* The object becomes rows in the order of their folded names. What is no object of numbers above 0,
 * two names that are one, too many of them and memory can end it. */
#include "server/measure/price_list.h"

#include <ctype.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/measure/spell.h"

/* Longer names are compared by their beginning. */
#define FOLDED_BYTES 256

static void fold(struct proto_span name, char folded[FOLDED_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; i < name.bytes && used + 1 < FOLDED_BYTES; i++) {
        uint8_t byte = name.data[i];
        if (byte != ' ' && byte != '-' && byte != '_') {
            folded[used++] = (char)(byte < 0x80 ? tolower(byte) : byte);
        }
    }
    folded[used] = '\0';
}

static int by_name(const void *left, const void *right)
{
    const struct measure_price_row *a = left;
    const struct measure_price_row *b = right;
    return strcmp(a->name, b->name);
}

static bool row_read(const char *name, const json_t *value, struct measure_prices *prices,
                     struct proto_fault *fault)
{
    char folded[FOLDED_BYTES];
    double price = json_number_value(value);
    if (!json_is_number(value) || !(price > 0) || price > 1e12) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.list",
                               "the price of '%.80s' is no number above 0", name);
    }
    fold(proto_span_text(name), folded);
    prices->rows[prices->count].name = strdup(folded);
    if (prices->rows[prices->count].name == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for list prices");
    }
    prices->rows[prices->count++].price = price;
    return true;
}

static bool rows_read(json_t *object, struct measure_prices *prices, struct proto_fault *fault)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t count = json_object_size(object);
    if (!json_is_object(object) || count == 0) {
        return proto_fault_set(
            fault, PROTO_BAD_FIELD, "parameters.list",
            "list prices are a JSON object such as {\"Basic\": 19, \"Pro\": 49}");
    }
    if (count > MEASURE_PRICES_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "parameters.list", "more than %d list prices",
                               MEASURE_PRICES_MAX);
    }
    prices->rows = calloc(count, sizeof *prices->rows);
    if (prices->rows == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for list prices");
    }
    json_object_foreach(object, name, value)
    {
        if (!row_read(name, value, prices, fault)) {
            return false;
        }
    }
    qsort(prices->rows, prices->count, sizeof *prices->rows, by_name);
    for (size_t i = 1; i < prices->count; i++) {
        if (strcmp(prices->rows[i - 1].name, prices->rows[i].name) == 0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.list",
                                   "two names of the list are '%.80s' without their case, blanks, "
                                   "'-' and '_'",
                                   prices->rows[i].name);
        }
    }
    return true;
}

bool measure_prices_read(struct proto_span text, struct measure_prices *prices,
                         struct proto_fault *fault)
{
    json_error_t error;
    *prices = (struct measure_prices){.count = 0};
    if (proto_span_is(text, "none")) {
        return true;
    }
    json_t *object =
        json_loadb((const char *)text.data, text.bytes, JSON_REJECT_DUPLICATES, &error);
    bool good = rows_read(object, prices, fault);
    json_decref(object);
    return good;
}

void measure_prices_fini(struct measure_prices *prices)
{
    for (size_t i = 0; i < prices->count; i++) {
        free(prices->rows[i].name);
    }
    free(prices->rows);
    *prices = (struct measure_prices){.count = 0};
}

double measure_prices_find(const struct measure_prices *prices, struct proto_span name)
{
    char folded[FOLDED_BYTES];
    fold(name, folded);
    struct measure_price_row wanted = {.name = folded};
    const struct measure_price_row *row =
        prices->count == 0
            ? NULL
            : bsearch(&wanted, prices->rows, prices->count, sizeof *prices->rows, by_name);
    return row != NULL ? row->price : MEASURE_NAN;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What history costs a put; not run by CTest. Usage: measure_history DIR WHAT [ROUNDS]
 * 2,000 accounts of 20 fields in batches of 100: `new` makes them (a round more each time under
 * other ids), `same` puts them again as they are, `one` puts them with one field changed, `all`
 * with each. To be run under callgrind with two numbers of rounds, whose difference is that of the
 * puts alone. DIR is made and left behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/store_parts.h"

enum { ACCOUNTS = 2000, EACH = 100, FIELDS = 20 };

static int64_t clock_of(void *context)
{
    return *(int64_t *)context += 1000;
}

static void ignore_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static void put(struct store_batch *batch, int account, int changed, double number)
{
    struct feature_value values[FIELDS] = {{0}};
    struct proto_fault fault;
    char id[24];
    (void)snprintf(id, sizeof id, "account-%d", account);
    for (int i = 0; i < FIELDS; i++) {
        values[i] = (struct feature_value){.present = true, .time_ms = 1700000000000};
        if (i % 2 == 0) {
            values[i].number = i < changed ? number : i;
        } else {
            values[i].type = FEATURE_CATEGORY;
            values[i].text =
                proto_span_text(i < changed && (int)number % 2 == 0 ? "Software" : "Retail trade");
        }
    }
    const struct proto_span source = proto_span_text("crm");
    const struct feature_record record = {.id = proto_span_text(id),
                                          .sources = &source,
                                          .source_count = 1,
                                          .values = values,
                                          .value_slots = FIELDS};
    if (!store_batch_put_record(batch, &record, &fault)) {
        abort();
    }
}

static void round_of(struct store *store, int first, int changed, double number)
{
    for (int from = 0; from < ACCOUNTS; from += EACH) {
        struct store_result result;
        struct store_batch *batch = store_batch_create();
        for (int i = from; i < from + EACH; i++) {
            put(batch, first + i, changed, number);
        }
        if (!store_submit_wait(store, batch, &result)) {
            (void)fprintf(stderr, "%s\n", result.fault.message);
            exit(EXIT_FAILURE);
        }
    }
}

int main(int argc, char **argv)
{
    int64_t now_ms = 1700000000000;
    struct proto_fault fault = {.code = PROTO_OK};
    if (argc < 3) {
        return EXIT_FAILURE;
    }
    const struct store_options options = {.path = argv[1],
                                          .map_bytes_max = (size_t)1 << 30,
                                          .now_ms = clock_of,
                                          .now_context = &now_ms,
                                          .on_change = ignore_change};
    int rounds = argc > 3 ? atoi(argv[3]) : 1;
    struct store *store = store_open(&options, &fault);
    if (store == NULL) {
        (void)fprintf(stderr, "%s\n", fault.message);
        return EXIT_FAILURE;
    }
    int changed = strcmp(argv[2], "one") == 0 ? 1 : strcmp(argv[2], "all") == 0 ? FIELDS : 0;
    round_of(store, 0, 0, 0);
    for (int i = 0; i < rounds; i++) {
        round_of(store, strcmp(argv[2], "new") == 0 ? (i + 1) * ACCOUNTS : 0, changed, 100 + i);
    }
    store_close(store);
    return EXIT_SUCCESS;
}

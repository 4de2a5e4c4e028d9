/* SPDX-License-Identifier: Apache-2.0 */
/* A measure as a request to the server, and the table and what it rests on out of the reply.
 *
 * Ownership: borrows; the table is the caller's, measure_table_fini, also after a failure. Errors:
 * exit statuses, messages printed. Threads: one. */
#ifndef CLI_MEASURE_ASK_H
#define CLI_MEASURE_ASK_H

#include "server/measure/measure.h"
#include "server/measure/metric_registry.h"
#include "tools/cli/cli.h"

#define MEASURE_ASK_PARAMETERS_MAX 32

struct measure_ask {
    enum measure_id id;
    struct {
        const char *name, *text;
    } parameters[MEASURE_ASK_PARAMETERS_MAX];
    size_t parameter_count;
    const struct measure_rules *rules;           /* laid over the definition; NULL: none */
    const struct measure_rules *against;         /* the same of the second one of a bridge */
    const struct measure_definition *definition; /* NULL, or version 0: none */
    const char *definition_name;                 /* in its place one that the server keeps */
    const char *against_name;                    /* of a bridge: the second; both NULL: none */
    const char *filter, *by, *churn_flag;        /* NULL: none */
    bool has_seq, has_known;
    uint64_t seq;
    int64_t known_ms;
};

void measure_ask_parameter(struct measure_ask *ask, const char *name, const char *text);
int measure_ask_put(const struct cli *cli, const struct measure_ask *ask,
                    struct icp_payload *payload);
/* The table of a list of rows. */
int measure_rows_take(const struct cli *cli, enum measure_id id, const struct icp_value *rows,
                      struct measure_table *table);
int measure_ask_take(const struct cli *cli, enum measure_id id, const struct icp_reply *reply,
                     struct measure_table *table);
/* The same of lists of columns and rows, wherever they stand in a reply. */
int measure_ask_table(const struct cli *cli, enum measure_id id, const struct icp_value *told,
                      const struct icp_value *rows, struct measure_table *table);

#endif

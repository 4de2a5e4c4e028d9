/* SPDX-License-Identifier: Apache-2.0 */
/* A model file and the --map of its features, as the text of an ICP document without evidence
 * (server/foreign). Ownership: the text is the caller's. Errors: exit statuses, messages printed,
 * with file, line and column. Threads: one. */
#ifndef CLI_MODEL_FILE_H
#define CLI_MODEL_FILE_H

#include "server/feature/schema.h"
#include "tools/cli/cli.h"

/* What was read, for a person. */
struct model_told {
    char what[96]; /* "XGBoost 1.7.4, binary:logistic" */
    size_t trees, leaves, features, fields;
};

int model_file_read(const struct cli *cli, const char *path, const struct feature_schema *schema,
                    const char *name, char **document, struct model_told *told);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The decision on one column; part of infer.h, which says the rules. Threads: pure. */
#ifndef CLI_INFER_COLUMN_H
#define CLI_INFER_COLUMN_H

#include "tools/cli/csv/infer.h"

/* Fills role, type, family, transform, counts, words and why, unless the role was told. */
void infer_column_decide(struct infer_column *column, const struct feature_schema *probe,
                         size_t rows, bool keep_all);
enum feature_family infer_family(const char *name);

#endif

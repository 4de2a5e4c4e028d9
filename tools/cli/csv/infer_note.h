/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be known of a column beside what becomes of it: how forms that are not plain were
 * understood, and what stands in it that its owner may want to mend. One sentence a column, in
 * `why`; a later one takes the place of an earlier. Ownership: texts are those of the column.
 * Errors: none. Threads: pure. Cost: a look per distinct value. */
#ifndef CSV_INFER_NOTE_H
#define CSV_INFER_NOTE_H

#include "tools/cli/csv/infer_census.h"

__attribute__((format(printf, 2, 3))) void infer_say(struct infer_column *column,
                                                     const char *format, ...);
/* Which word is yes, where it is not one of the plain ones. */
void infer_note_flag(struct infer_column *column, const struct feature_schema *probe);
/* How a form was read, percent signs here and not there, two currencies, ids that were cut. */
void infer_note_number(struct infer_column *column, const struct feature_schema *probe);
/* Of values that are text for certain; false: nothing is to be said. */
bool infer_note_text(struct infer_column *column, const struct infer_census *census, bool is_code);

#endif

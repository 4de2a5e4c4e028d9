/* SPDX-License-Identifier: Apache-2.0 */
/* Which codes of a column go left at a split: for each code a value that has it is asked the split
 * itself, so that the rule of a split stands in one place. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "server/foreign/foreign_parts.h"

#define NO_CATEGORY 2147483647.0 /* beyond every category of a model */

/* The text of a code of a category column; NULL: it has none of its own. */
static const char *category_text(const struct feature_column *column, size_t code)
{
    return code >= 2 ? column->categories[code - 2] : NULL;
}

/* What the feature is for an account with this code. */
static double value_of(const struct foreign_use *use, const struct feature_column *column,
                       size_t code)
{
    const char *text;
    if (use->how == FOREIGN_EQUALS) {
        text = category_text(column, code);
        return text != NULL && strcmp(text, use->text) == 0 ? 1 : 0;
    }
    if (code == 0) {
        return (double)NAN;
    }
    if (use->how == FOREIGN_CATEGORIES) {
        text = category_text(column, code);
        for (size_t i = 0; text != NULL && i < use->category_count; i++) {
            if (strcmp(text, use->categories[i]) == 0) {
                return (double)i;
            }
        }
        return NO_CATEGORY;
    }
    if (column->type != FEATURE_NUMBER) { /* a flag or a tag: 1 is no, 2 is yes */
        return (double)code - 1;
    }
    return code + 1 < column->bin_count ? column->edges[code - 1] : DBL_MAX;
}

/* The column of the feature: of tags the one of its tag. */
static size_t column_of(const struct foreign_use *use, const struct foreign_cut *cut)
{
    size_t at = 0;
    while (use->how == FOREIGN_HAS && at + 1 < cut->count &&
           strcmp(cut->texts[at], use->text) != 0) {
        at++;
    }
    return cut->column + at;
}

void foreign_split_codes(const struct foreign_model *model, const struct foreign_node *node,
                         const struct foreign_use *use, const struct foreign_cut *cut,
                         const struct feature_codebook *codebook, uint16_t *column,
                         struct model_code_set *left)
{
    size_t at = column_of(use, cut);
    const struct feature_column *of = &codebook->columns[at];
    *column = (uint16_t)at;
    *left = (struct model_code_set){{0}};
    for (size_t code = 0; code < of->bin_count; code++) {
        if (foreign_goes_left(model, node, value_of(use, of, code))) {
            left->bits[code / 64] |= UINT64_C(1) << (code % 64);
        }
    }
}

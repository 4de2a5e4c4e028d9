/* SPDX-License-Identifier: Apache-2.0 */
/* How the columns LOW, HIGH and DEFAULT of field.def and shape.def become members of a
 * proto_field_info. For table.c and shape.c, which read those tables; what is asked of bounds and
 * defaults stands in rule.h. */
#ifndef PROTO_COLUMN_H
#define PROTO_COLUMN_H

#include <math.h>

#include "proto/rule.h"

/* The words of the columns. */
#define NO ((double)NAN)
#define ABOVE_0 PROTO_ABOVE_0
#define BELOW_1 PROTO_BELOW_1

#define COLUMN_NUMBER(x) _Generic((x), char * : NO, default : (x))
#define COLUMN_TEXT(x) _Generic((x), char * : (x), default : NULL)
/* The members from `bounded` to `high_source`. */
#define COLUMN_RULE(low, high, otherwise, low_source, high_source)                                 \
    (!isnan((double)(low)) || !isnan((double)(high))), (low), (high), COLUMN_NUMBER(otherwise),    \
        COLUMN_TEXT(otherwise), low_source, high_source
#define COLUMN_NO_RULE false, NO, NO, NO, NULL, "", ""

#endif

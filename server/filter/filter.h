/* SPDX-License-Identifier: Apache-2.0 */
/* The one filter language: labels, segments, filters and target account lists.
 *
 *   expression = or ;  or = and { "or" and } ;  and = not { "and" not } ;
 *   not        = "not" not | "(" expression ")" | condition | flag-field ;
 *   condition  = field op value
 *              | field "in" "(" value { "," value } ")" | field "not" "in" "(" … ")"
 *              | field "has" value | field "has" ( "any" | "all" ) "(" value { "," value } ")"
 *              | field [ "not" ] "contains" value | field [ "not" ] "starts" "with" value
 *              | field "between" value "and" value
 *              | field "is" [ "not" ] "missing"
 *              | score op value | "on" "tal" 'name' | "on" "any" "tal" | "true" | "false"
 *              | "in" "segment" 'name'
 *              | "segment" ( "=" | "!=" | "<>" ) 'name' | "segment" [ "not" ] "in" "(" 'name' … ")"
 *              | "segment" "is" [ "not" ] "missing" ;
 *   score      = "score.fit" | "score.p" | "score.grade" | "score.raw" ;
 *                "fit", "p", "grade", "raw" where the schema has no field of that name
 *   op         = "=" | "!=" | "<>" | "<" | "<=" | ">" | ">=" ;
 *   field      = identifier | "quoted name" | `quoted name` ;
 *                a bare name may hold several words if the schema has a field of that name, and the
 *                longest such name counts: Last Activity = 'Email Opened'
 *   value      = number | 'text' (doubled quotes inside) | true | false ;
 *
 * A segment stands for its conditions, which take its place when the filter is parsed: so a segment
 * that is changed later changes nothing that was made by it, and whoever evaluates filters knows of
 * none. "segment" alone is a field of that name where the schema has one; "in segment" never is.
 * An account may be in several; "is missing" is true of one that is in none.
 *
 * Keywords and bare names without regard to case. A missing value makes every condition false
 * except "is missing", "!=" and "not in" (three-valued logic is not used: `not (x = 1)` is true
 * where x is missing; docs/filter.md). `=` on tags means has. Text compares bytewise, but
 * "contains" and "starts with" take ASCII letters of either case, and a tag for one that has the
 * part in it. On a number field '5' in quotes is read as a number, and 1/0 on a flag field as
 * true/false, so that labels written for a CSV work on what was inferred from it; a number compared
 * with a category is its text as written. A text that means missing in its field is refused: it
 * would match nothing.
 *
 * Faults: PROTO_BAD_FILTER, field "filter" (the caller renames), message "column N: …" with N
 * counted in characters from 1, naming what was found and what would be right (nearest field name
 * by edit distance). fault_column (may be NULL) gets N for a caret; 0 if memory ran out. Ownership:
 * a filter owns its texts and retains nothing of the input or the schema. Threads: immutable once
 * parsed. Cost: some 5 ns a condition beside fetching the value. */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include "server/feature/schema.h"

struct filter;

struct filter *filter_parse(const struct feature_schema *schema, struct proto_span text,
                            struct proto_fault *fault, size_t *fault_column);
/* What a filter may speak of. FILTER_OF_VALUES: the values of an account and nothing else, as
 * filter_parse takes it: labels, and files. FILTER_OF_ACCOUNTS: its score and the lists that it is
 * on as well. */
enum filter_scope { FILTER_OF_VALUES, FILTER_OF_ACCOUNTS };
struct filter *filter_parse_scope(const struct feature_schema *schema, enum filter_scope scope,
                                  struct proto_span text, struct proto_fault *fault,
                                  size_t *fault_column);
/* The segments that a filter may name, in their order; docs/segments.md. */
struct filter_named {
    struct proto_span name;
    struct proto_span text; /* an expression of scope FILTER_OF_VALUES that names no segment */
};
struct filter_names {
    const struct filter_named *items;
    size_t count;
    size_t unsure; /* segments that are damaged: a name that is not found may be one of them */
};
/* The same with names for segments, borrowed for the call; NULL: none may be named. One that is not
 * among them is refused with those that are. */
struct filter *filter_parse_named(const struct feature_schema *schema, enum filter_scope scope,
                                  const struct filter_names *names, struct proto_span text,
                                  struct proto_fault *fault, size_t *fault_column);
/* "'A', 'B' and 3 more", for messages; "" if there are none. Returns out. */
#define FILTER_NAMES_SHOWN 192
const char *filter_names_show(const struct filter_names *names, char out[FILTER_NAMES_SHOWN]);
/* Whether it speaks of a score, or of lists. */
bool filter_reads_score(const struct filter *filter);
bool filter_reads_lists(const struct filter *filter);
/* Whether a missing value tells something: by "is missing", or by tags, of which none is a list. */
bool filter_tells_missing(const struct filter *filter);
void filter_destroy(struct filter *filter);

/* values by field id, `slots` entries. */
bool filter_match(const struct filter *filter, const struct feature_value *values, size_t slots);
/* The same for a filter of scope FILTER_OF_ACCOUNTS: known[i] is the truth of condition i if it is
 * on a score or a list (filter_rows.h gives it), of no matter otherwise. */
bool filter_match_known(const struct filter *filter, const struct feature_value *values,
                        size_t slots, const uint8_t *known);

/* The filter in canonical form: keywords in lower case, names quoted where they must be, lists
 * sorted, brackets only where they are needed. It reads back as a filter that matches the same
 * accounts and prints the same. Returned, caller frees; NULL: no memory. */
char *filter_print(const struct filter *filter);

/* The fields that it reads: ids ascending; *count set. Borrowed from the filter. */
const uint16_t *filter_fields(const struct filter *filter, size_t *count);
/* Whether it reads a field; and fields[id] becomes true of all that it reads. NULL reads none. */
bool filter_reads(const struct filter *filter, uint16_t field_id);
void filter_fields_mark(const struct filter *filter, bool *fields);

#endif

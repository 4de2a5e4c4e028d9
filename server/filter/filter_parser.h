/* SPDX-License-Identifier: Apache-2.0 */
/* The state of one parse, shared by the grammar (filter_parse.c,
 * filter_condition.c), the names (filter_name.c) and the values (filter_value.c). Nobody else
 * includes it. Ownership: borrows schema, names and text; the filter is handed on or freed where
 * the parse ends. Errors: false, and the fault names the column. Threads: one a parse. */
#ifndef FILTER_FILTER_PARSER_H
#define FILTER_FILTER_PARSER_H

#include "server/filter/filter_program.h"
#include "server/filter/filter_token.h"

struct filter_parser {
    const struct feature_schema *schema;
    enum filter_scope scope;
    const struct filter_names *names; /* NULL: no segment may be named */
    struct proto_span text;
    struct filter_token token; /* the next one, not yet used up */
    size_t token_at;           /* byte offset of it */
    size_t after;              /* byte offset behind it */
    unsigned depth;            /* open brackets and "not"s */
    struct filter *filter;
    size_t node_capacity; /* of nodes and conditions alike */
    size_t operand_capacity;
    bool whole_day;    /* of the last value of a date: it names a day, no time */
    size_t texts_used; /* of the newest texts, which have room for all of `text`: no copy can
                          overflow them */
    struct proto_fault *fault;
    size_t fault_column;
};

/* Fills the fault with "column N: …" for the byte offset. Returns false. */
bool filter_fail(struct filter_parser *parser, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool filter_fail_memory(struct filter_parser *parser);

/* Moves to the token behind this one, or to the one at a byte offset. */
void filter_advance(struct filter_parser *parser);
void filter_advance_to(struct filter_parser *parser, size_t offset);

/* "the name India", "the end", … : what stands at the token, for messages. */
const char *filter_found(const struct filter_parser *parser, char *out, size_t out_bytes);

/* The field whose bare name stands at the token, the longest one; NULL if none does. *end is set to
 * the byte offset behind it. Blanks count as one whatever their number; case matters only where the
 * name begins with a keyword. */
const struct feature_field *filter_name_match(const struct filter_parser *parser, size_t *end);

/* The field at the token, bare or quoted; uses it up. NULL with the fault set. */
const struct feature_field *filter_name_read(struct filter_parser *parser);

/* The field's name as it can be written in a filter: bare where that is sure to be read back.
 * malloc'd; NULL: no memory. */
char *filter_name_label(const struct feature_schema *schema, const struct feature_field *field);

/* Reads the value at the token as one of the field's type, appends it to the operands. */
bool filter_value_read(struct filter_parser *parser, const struct feature_field *field);
/* The same for a part of a text, which may be a word for missing, but not empty. */
bool filter_part_read(struct filter_parser *parser, const struct feature_field *field);
/* Appends an operand. */
bool filter_operand_add(struct filter_parser *parser, struct filter_operand operand);
/* Appends a node; FILTER_NONE with the fault set if there are too many. */
uint16_t filter_node_add(struct filter_parser *parser, struct filter_node node);

/* Uses up a symbol or keyword that must stand here; `what` says where for the message. */
bool filter_symbol_take(struct filter_parser *parser, const char *symbol, const char *what);

/* filter_subject.c. The subject that stands at the token, used up, as a field to compare with; NULL
 * if none stands there, or with *failed if it must not. */
const struct feature_field *filter_subject_read(struct filter_parser *parser, bool *failed);
/* Whether "on tal" or "on any tal" stands at the token; parses it: its node, or FILTER_NONE with
 * the fault set. */
bool filter_list_stands(const struct filter_parser *parser);
uint16_t filter_list_parse(struct filter_parser *parser);
/* Whether "true" or "false" stands at the token, as a condition of its own; and its node. */
bool filter_always_stands(const struct filter_parser *parser);
uint16_t filter_always_parse(struct filter_parser *parser);
/* The condition that is true of every account, or of none. */
uint16_t filter_always_add(struct filter_parser *parser, bool always);
/* filter_segment.c. Whether a segment is named at the token; and the node of its conditions. */
bool filter_segment_stands(const struct filter_parser *parser);
uint16_t filter_segment_parse(struct filter_parser *parser);
/* filter_parse.c. An expression: the index of its node, FILTER_NONE with the fault set. */
uint16_t filter_expression_parse(struct filter_parser *parser);
/* Room for the nodes, conditions and texts of a text of so many bytes. False: no memory. */
bool filter_room_grow(struct filter_parser *parser, size_t bytes);
/* Appends a condition whose operands begin at operand_first; filter_condition.c. */
uint16_t filter_leaf_add(struct filter_parser *parser, const struct feature_field *field,
                         enum filter_test test, bool negated, size_t operand_first);

/* is [ not ] missing, the token being "is": used up but for "missing"; filter_condition.c. */
bool filter_missing_take(struct filter_parser *parser, bool *negated);

/* Parses one condition; the index of its node or FILTER_NONE with the fault set. */
uint16_t filter_condition_parse(struct filter_parser *parser);

#endif

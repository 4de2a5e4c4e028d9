/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter is inside: a tree of nodes for people and for later compilers (bitmaps per block
 * over bin codes), and a jump program made from it for one row at a time. Shapes: nodes stand in
 * postorder, the root last, so that a loop upward sees children before their parent and a loop
 * downward the parent first: no pass over them recurses. Leaves in order are the conditions in
 * order. Each condition is one step of the program: test it, go to step `yes` or `no`; two steps
 * past the end mean that the answer is true or false. Ownership: the filter owns everything; texts
 * of conditions are copies. Threads: immutable. */
#ifndef FILTER_FILTER_PROGRAM_H
#define FILTER_FILTER_PROGRAM_H

#include <assert.h>

#include "server/filter/filter.h"

#define FILTER_NONE UINT16_MAX
/* Steps that are answers. PROTO_FILTER_NODES_MAX keeps real steps far below. */
#define FILTER_TRUE (UINT16_MAX - 1)
#define FILTER_FALSE (UINT16_MAX - 2)

/* In the place of a field's id: what is no field. */
enum filter_subject {
    FILTER_SUBJECTS = 0xFF00, /* the first; FEATURE_IDS_MAX keeps fields far below */
    FILTER_SCORE_FIT = FILTER_SUBJECTS,
    FILTER_SCORE_P,
    FILTER_SCORE_GRADE,
    FILTER_SCORE_RAW,
    FILTER_ON_TAL, /* test FILTER_EQUAL, the operand is the name of the list */
    FILTER_ON_ANY_TAL,
    FILTER_ALWAYS, /* "true"; negated it is "false" */
};
static_assert((int)FEATURE_IDS_MAX <= (int)FILTER_SUBJECTS, "ids of fields and subjects differ");

enum filter_test {
    FILTER_MISSING, /* no value */
    FILTER_FLAG,    /* flag == operand */
    FILTER_EQUAL,   /* number or text is one of the operands */
    FILTER_LESS,    /* number or text < first operand */
    FILTER_LESS_EQUAL,
    FILTER_GREATER,
    FILTER_GREATER_EQUAL,
    FILTER_BETWEEN, /* first operand ≤ x ≤ second */
    FILTER_HAS_ANY, /* tags: at least one operand is there */
    FILTER_HAS_ALL,
    FILTER_CONTAINS, /* the text, or one of the tags, has the operand in it, whatever its case */
    FILTER_STARTS,   /* … begins with it */
};

/* One operand. */
struct filter_operand {
    double number;          /* number fields */
    struct proto_span text; /* category and tags fields; into a block of filter->texts */
    bool flag;              /* flag fields */
};

struct filter_condition {
    uint16_t field_id; /* or an enum filter_subject */
    enum feature_type type;
    enum filter_test test;
    bool negated; /* "!=", "not in", "is not missing": true exactly where the test is not */
    uint16_t operand_count;
    uint32_t column;        /* where it stands in the text, for a list that there is not; else 0 */
    uint32_t operand_first; /* into filter->operands; sorted and unique for FILTER_EQUAL */
};

enum filter_node_kind { FILTER_LEAF, FILTER_NOT, FILTER_AND, FILTER_OR };

struct filter_node {
    enum filter_node_kind kind;
    uint16_t condition; /* leaf */
    uint16_t child;     /* first child, else FILTER_NONE; an "and" or "or" has two or more */
    uint16_t next;      /* next child of the same parent, else FILTER_NONE */
};

struct filter_step {
    uint16_t yes;
    uint16_t no;
};

/* Copies of texts of the input; the newest block first. */
struct filter_texts {
    struct filter_texts *before;
    uint8_t bytes[];
};

struct filter {
    struct filter_node *nodes;
    size_t node_count;
    struct filter_condition *conditions;
    struct filter_step *steps; /* condition_count */
    size_t condition_count;
    struct filter_operand *operands;
    size_t operand_count;
    struct filter_texts *texts;
    uint16_t *field_ids; /* ascending, each once */
    size_t field_count;
    char **field_names; /* beside field_ids, for printing */
};

/* How a subject is written: "score.fit", "on any tal". */
const char *filter_subject_name(enum filter_subject subject);

/* Makes the steps and field_ids from nodes and conditions. False: no memory. */
bool filter_compile(struct filter *filter);

#endif

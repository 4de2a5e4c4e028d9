/* SPDX-License-Identifier: Apache-2.0 */
/* A plan from its first entry to its successor, with three signatories whose keys are made of
 * seeds, as the export of it. */
#ifndef TERM_STORY_H
#define TERM_STORY_H

#include "server/term/term_plan.h"

enum { TERM_STORY_LINES_MAX = 64, TERM_STORY_SIGNATORIES = 3 };

struct term_story {
    struct term_plan plan;
    char *lines[TERM_STORY_LINES_MAX]; /* of entries; [0] is entry 1 */
    size_t count;
    size_t last_signed; /* number of the newest entry that is signed */
};

/* An entry from a body of JSON text; asserts that it is taken. */
void term_story_add(struct term_story *story, const char *act, const char *body);
/* The same, completed with function, covers and signature of that signatory. */
void term_story_sign(struct term_story *story, const char *act, const char *body, unsigned who);
/* The body that is signed, for entries that are to be refused; the caller drops it. */
json_t *term_story_body(const struct term_plan *plan, const char *act, const char *body,
                        unsigned who, unsigned key);
void term_story_begin(struct term_story *story);
/* Up to and with `act`; "next": all of it. */
void term_story_tell(struct term_story *story, const char *last_act);
void term_story_end(struct term_story *story);
/* malloc'd; lines may be others than the story's. */
char *term_story_export(char *const *lines, size_t count, const char *name);
extern const char *const term_story_functions[TERM_STORY_SIGNATORIES];

#endif

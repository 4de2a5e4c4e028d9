/* SPDX-License-Identifier: Apache-2.0 */
/* A line of the log under construction, as JSON or for people; of log.c alone.
 *
 * Ownership: borrows all texts for the call. Errors: none; what does not fit is left out, the
 * ending always fits. Threads: pure. Source: RFC 8259 for escapes, RFC 3339 for times. */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include "server/base/log.h"

#define BASE_LOG_LINE_BYTES                                                                        \
    4096 /* PIPE_BUF of Linux: such a write is not split, even in a pipe                           \
          */

/* All zero before the head. */
struct base_log_line {
    size_t used;
    bool full; /* a field did not fit */
    char bytes[BASE_LOG_LINE_BYTES];
};

void base_log_line_json(struct base_log_line *line, int64_t ms, const char *level, const char *area,
                        const char *message);
/* colour: what begins it, "" for none. */
void base_log_line_text(struct base_log_line *line, int64_t ms, const char *level, const char *area,
                        const char *message, const char *colour);
/* A field that does not fit whole is left out whole. */
void base_log_line_field(struct base_log_line *line, const struct base_log_field *field, bool json);
void base_log_line_end(struct base_log_line *line, bool json);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The member `history` of an account's line: its groups without sequences (server/store/past.h) as
 * hexadecimal digits, for they are of a form that only a store reads; what is not kept any more is
 * a group that says so. Ownership: borrows; what is read is the caller's to free. Errors:
 * PROTO_BAD_FIELD with line and column, PROTO_NO_MEMORY. Threads: pure. */
#ifndef TRANSFER_TRANSFER_HISTORY_H
#define TRANSFER_TRANSFER_HISTORY_H

#include "server/store/past.h"
#include "server/transfer/transfer_line.h"
#include "server/transfer/transfer_text.h"

/* The digits with their quotes. False: no memory. */
bool transfer_history_write(struct transfer_text *text, const struct store_history *history);
/* *there: the line has the member; *groups is malloc'ed then, and NULL else. */
bool transfer_history_read(const struct transfer_line *line, bool *there, uint8_t **groups,
                           size_t *bytes, struct proto_fault *fault);

#endif

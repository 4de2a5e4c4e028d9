/* SPDX-License-Identifier: Apache-2.0 */
/* The line of an event: whose it is, type, times, source and id, then the members that it has, by
 * the names of event_member.def. Ownership: what is read borrows from the line's JSON. Errors:
 * PROTO_BAD_FIELD with line and column. Threads: pure. */
#ifndef TRANSFER_EVENT_H
#define TRANSFER_EVENT_H

#include "server/event/event.h"
#include "server/transfer/transfer_line.h"
#include "server/transfer/transfer_text.h"

void transfer_event_write(struct transfer_text *text, struct proto_span account,
                          const struct event *event);
/* known_ms is set; the event passed event_check. */
bool transfer_event_read(const struct transfer_line *line, struct proto_span *account,
                         struct event *event, struct proto_fault *fault);

#endif

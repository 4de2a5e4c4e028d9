/* SPDX-License-Identifier: Apache-2.0 */
/* By what an encoded event (event.h) is known, without decoding it. Ownership: texts borrow from
 * the bytes. Errors: false. Threads: pure. Cost: a few ns. */
#ifndef EVENT_EVENT_NAMES_H
#define EVENT_EVENT_NAMES_H

#include "server/event/event.h"

/* Source and id, of what may be no event: false where they do not lie within the bytes. */
bool event_names(struct proto_span bytes, struct proto_span *source, struct proto_span *id);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a list's document (server/tal/tal_document.h) of what was chosen.
 *
 * Ownership: the caller drops the reference. Errors: NULL with *fault; NOT_FOUND at last_icp for a
 * version that is asked for and not there. Threads: that of its lane. Cost: some 10 µs an account,
 * and as much for the version before. */
#ifndef LISTING_LISTING_BODY_H
#define LISTING_LISTING_BODY_H

#include <jansson.h>

#include "server/listing/listing_select.h"

json_t *listing_body(struct engine_worker *worker, const struct engine_job *job,
                     const struct listing_request *request,
                     const struct listing_selection *selection, struct proto_fault *fault);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Whose account a domain names: the host's, or that of the next name above it that somebody has,
 * up to the registrable domain; at last whoever stands for that (identity/domain.h). Ownership:
 * borrows everything. Errors: false look-ups fault; nobody is ENGINE_NO_SLOT and no fault. Threads:
 * the worker's. Cost: a look-up of a key for each name asked. */
#ifndef ENGINE_FIND_ACCOUNT_H
#define ENGINE_FIND_ACCOUNT_H

#include "server/engine/engine.h"
#include "server/identity/domain.h"

uint32_t engine_find_domain(struct engine_worker *worker, const struct identity_domain *domain,
                            struct proto_fault *fault);

#endif

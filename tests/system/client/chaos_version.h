/* SPDX-License-Identifier: Apache-2.0 */
/* A write that is not safe to repeat, as part of the load: ICP versions, each under a name of its
 * own, so that it can be told afterwards how often each was stored. One that was answered must be
 * there once, under the number that the answer gave; one that failed, once or not at all.
 * Ownership: document is the caller's to free. Errors: a server that does not take them is told on
 * standard error. Threads: chaos_version_write from any, the rest from one. */
#ifndef CHAOS_VERSION_H
#define CHAOS_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/icp.h"

/* Of one worker; the server keeps 10,000 versions in all. */
#define CHAOS_PUTS_MAX 1200
#define CHAOS_WORKERS_MAX 8

struct chaos_puts {
    uint32_t count;
    uint32_t numbers[CHAOS_PUTS_MAX]; /* of the version, as it was answered; 0: it was not */
};

/* Learns a version from accounts that it stores. The document that all versions are made from, with
 * a name to be replaced; NULL if the server refused. */
char *chaos_version_prepare(struct icp_client *client);
/* The request of icp-put for a worker's version of that index. False: no memory. */
bool chaos_version_write(const char *document, unsigned worker, uint32_t index,
                         struct icp_payload *payload);

struct chaos_verdict {
    size_t asked;
    size_t answered;
    size_t stored;
    size_t twice;
    size_t lost; /* answered, and not there, or under another number */
};
/* Asks the server at `uri` what became of them. False: it does not answer. */
bool chaos_version_judge(const char *uri, const struct chaos_puts *const puts[CHAOS_WORKERS_MAX],
                         struct chaos_verdict *verdict);

#endif

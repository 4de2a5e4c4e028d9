/* SPDX-License-Identifier: Apache-2.0 */
/* The operation is looked for before anything is read, the document made, and stored with the
 * operation. A document that cannot be made, and a job that was cancelled, store nothing. */
#include "server/engine/version_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/engine/ingest.h"

#define STORE_SHARE 0.99 /* of the time that a job shows: all is done but the commit */

void engine_version_end_init(struct engine_version_end *end, const char *reason, bool activate,
                             const struct engine_operation *operation)
{
    end->reason = reason;
    end->activate = activate;
    engine_operation_keep(operation, &end->operation, end->operation_id);
}

/* *known: the operation stored a version before, and job->info tells which. */
static bool version_find(struct engine_job *job, const struct engine_version_end *end, bool *known,
                         struct proto_fault *fault)
{
    struct engine_written before;
    if (!engine_operation_find(job->engine, &end->operation, &before, fault)) {
        return false;
    }
    *known = before.repeated;
    if (before.repeated) {
        job->info.icp = before.version;
        job->info.repeated = true;
    }
    return true;
}

static bool version_store(struct engine_job *job, const struct engine_version_end *end,
                          const char *text, struct proto_fault *fault)
{
    const struct store_document document = {.kind = STORE_DOCUMENT_ICP,
                                            .text = proto_span_text(text),
                                            .activate = end->activate,
                                            .reason = proto_span_text(end->reason)};
    struct store_result result;
    if (!engine_job_progress(job, STORE_SHARE, "storing the version")) {
        return proto_fault_set(fault, PROTO_CANCELLED, "", "the job was cancelled");
    }
    if (!engine_document_store(job->engine, &document, &end->operation, &result, fault)) {
        return false;
    }
    job->info.icp = result.version;
    job->info.repeated = result.repeated;
    return true;
}

bool engine_version_run(struct engine_job *job, const struct engine_version_end *end,
                        char *(*make)(struct engine_job *job, struct proto_fault *fault),
                        struct proto_fault *fault)
{
    bool known = false;
    if (!version_find(job, end, &known, fault) || known) {
        return known;
    }
    job->deadline_ms = 0; /* it has begun in time; what it asks others for takes its own */
    char *text = make(job, fault);
    bool ok = text && version_store(job, end, text, fault);
    free(text);
    return ok;
}

void engine_job_created(const struct engine_job *job, char created[ENGINE_CREATED_BYTES])
{
    time_t now_s = (time_t)(engine_now_ms(job->engine) / 1000);
    struct tm utc;
    gmtime_r(&now_s, &utc);
    strftime(created, ENGINE_CREATED_BYTES, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

char *engine_text_copy(struct proto_span text)
{
    return strndup(text.bytes > 0 ? (const char *)text.data : "", text.bytes);
}

struct filter *engine_named_filter(const struct feature_schema *schema, struct proto_span text,
                                   const char *what, struct proto_fault *fault)
{
    size_t column;
    struct filter *filter = filter_parse(schema, text, fault, &column);
    if (!filter) {
        (void)snprintf(fault->field, sizeof fault->field, "%s", what);
    }
    return filter;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Look at what the directory holds; continue its chain from the log as far as the log goes; where
 * there is no chain, or a base was asked for, or batches were dropped from the log meanwhile, write
 * a base, and then the batches that came while it was written. A chain of another store or of
 * another history is refused: writing beside it would leave a directory that nobody can tell apart.
 */
#include "server/backup/backup_make.h"

#include <stdio.h>

#include "server/backup/backup_set.h"

enum { TELL_EVERY = 512 }; /* entries between looks at the progress and at a cancel */

struct backup {
    const struct backup_making *making;
    struct store *store; /* that of the making */
    struct backup_result *result;
    struct backup_set set;
    struct proto_fault *fault;
};

/* Batches on their way into a file. */
struct run {
    struct backup *backup;
    struct backup_writer *writer;
    uint64_t after, last;
    bool good;
};

static bool goes_on(struct backup *backup, double done, const char *stage)
{
    const struct backup_making *making = backup->making;
    return making->goes_on == NULL || making->goes_on(making->context, done, stage) ||
           proto_fault_set(backup->fault, PROTO_CANCELLED, "", "the job was cancelled");
}

static void result_set(struct backup *backup, const char *kind, const char *file,
                       const struct backup_foot *foot, uint64_t bytes)
{
    struct backup_result *result = backup->result;
    result->kind = kind;
    snprintf(result->file, sizeof result->file, "%s", file);
    result->seq = foot->seq;
    result->entries = foot->entries;
    result->batches = foot->batches;
    result->bytes += bytes;
    base_log(backup->making->log, BASE_LOG_INFO, "backup", "a file is written",
             BASE_FIELDS(base_field_text("file", file), base_field_uint("seq", foot->seq),
                         base_field_uint("bytes", bytes)));
}

struct link {
    uint64_t link;
    int64_t time_ms;
    bool found;
};

static bool link_take(void *context, const struct store_logged *logged)
{
    struct link *link = context;
    *link = (struct link){store_log_link(logged), logged->time_ms, true};
    return false;
}

/* Of one batch; one that is not kept any more has none. */
static bool link_find(struct backup *backup, uint64_t seq, struct link *link)
{
    *link = (struct link){0};
    if (seq == 0) {
        return true;
    }
    if (store_log_read(backup->store, seq - 1, seq, link_take, link, backup->fault)) {
        return true;
    }
    if (backup->fault->code != PROTO_NOT_FOUND) {
        return false;
    }
    backup->fault->code = PROTO_OK;
    return true;
}

static bool batch_write(void *context, const struct store_logged *logged)
{
    struct run *run = context;
    uint64_t done = logged->seq - run->after;
    run->good = backup_write_batch(run->writer, logged, run->backup->fault) &&
                (done % TELL_EVERY != 0 ||
                 goes_on(run->backup, (double)done / (double)(run->last - run->after), "log"));
    return run->good;
}

/* The batches after the end of a chain. */
static bool log_write(struct backup *backup, uint64_t identity, const struct backup_foot *end,
                      uint64_t head)
{
    char name[BACKUP_NAME_BYTES];
    struct backup_foot foot = *end;
    const struct backup_head first = {.kind = BACKUP_LOG,
                                      .identity = identity,
                                      .after = end->seq,
                                      .after_link = end->link,
                                      .made_ms = backup->making->now_ms};
    struct run run = {backup, backup_writer_open(backup->set.folder, &first, backup->fault),
                      end->seq, head, true};
    if (run.writer == NULL) {
        return false;
    }
    if (!store_log_read(backup->store, end->seq, head, batch_write, &run, backup->fault) ||
        !run.good) {
        backup_writer_abort(run.writer);
        return false;
    }
    uint64_t bytes = 0;
    backup_log_name(name, end->seq, head);
    if (!backup_writer_finish(run.writer, &foot, name, &bytes, backup->fault)) {
        return false;
    }
    result_set(backup, "log", name, &foot, bytes);
    return true;
}

static bool entries_write(struct backup *backup, struct store_dump *dump,
                          struct backup_writer *writer)
{
    struct store_entry entry;
    enum disk_got got;
    uint64_t done = 0;
    double all = (double)store_dump_entries(dump) + 1;
    while ((got = store_dump_next(dump, &entry, backup->fault)) == DISK_GOT_ONE) {
        if (!backup_write_entry(writer, &entry, backup->fault) ||
            (++done % TELL_EVERY == 0 && !goes_on(backup, (double)done / all, "base"))) {
            return false;
        }
    }
    return got == DISK_GOT_NONE;
}

static bool base_write(struct backup *backup, struct store_dump *dump, struct backup_foot *foot)
{
    char name[BACKUP_NAME_BYTES];
    struct link link;
    const struct backup_head head = {.kind = BACKUP_BASE,
                                     .identity = store_identity(backup->store),
                                     .made_ms = backup->making->now_ms};
    *foot = (struct backup_foot){.seq = store_dump_seq(dump)};
    if (!link_find(backup, foot->seq, &link)) {
        return false;
    }
    foot->link = link.link;
    foot->time_ms = link.time_ms;
    struct backup_writer *writer = backup_writer_open(backup->set.folder, &head, backup->fault);
    if (writer == NULL) {
        return false;
    }
    if (!entries_write(backup, dump, writer)) {
        backup_writer_abort(writer);
        return false;
    }
    uint64_t bytes = 0;
    backup_base_name(name, foot->seq);
    if (!backup_writer_finish(writer, foot, name, &bytes, backup->fault)) {
        return false;
    }
    result_set(backup, "base", name, foot, bytes);
    return true;
}

static bool base_dump(struct backup *backup, struct backup_foot *foot)
{
    struct store_dump *dump = store_dump_open(backup->store, backup->fault);
    if (dump == NULL) {
        return false;
    }
    bool good = base_write(backup, dump, foot);
    store_dump_close(dump);
    return good;
}

/* A base, and what was written while it was. */
static bool base_run(struct backup *backup)
{
    struct backup_foot foot;
    bool good = base_dump(backup, &foot);
    uint64_t head = good ? store_log_head(backup->store, backup->fault) : 0;
    return good && backup->fault->code == PROTO_OK &&
           (head <= foot.seq || log_write(backup, store_identity(backup->store), &foot, head));
}

/* Whether the chain is one that this store continues. */
static bool chain_fits(struct backup *backup, const struct backup_item *end, uint64_t head,
                       bool *kept)
{
    struct link link;
    *kept = true;
    if (end->head.identity != store_identity(backup->store)) {
        return proto_fault_set(backup->fault, PROTO_CONFLICT, "name",
                               "%s is of another store; give this one a directory of its own",
                               end->name);
    }
    if (end->foot.seq > head) {
        return proto_fault_set(backup->fault, PROTO_CONFLICT, "name",
                               "%s reaches batch %llu, this store %llu: it was restored to an "
                               "earlier moment since; give it a directory of its own",
                               end->name, (unsigned long long)end->foot.seq,
                               (unsigned long long)head);
    }
    if (!link_find(backup, end->foot.seq, &link)) {
        return false;
    }
    *kept = link.found || end->foot.seq == 0;
    return !link.found || link.link == end->foot.link ||
           proto_fault_set(backup->fault, PROTO_CONFLICT, "name",
                           "%s ends with another batch %llu than this store has: it was restored "
                           "to an earlier moment since; give it a directory of its own",
                           end->name, (unsigned long long)end->foot.seq);
}

static bool chain_continue(struct backup *backup, const struct backup_item *end, bool *base)
{
    bool kept;
    uint64_t head = store_log_head(backup->store, backup->fault);
    if (backup->fault->code != PROTO_OK || !chain_fits(backup, end, head, &kept)) {
        return false;
    }
    *base |= !kept;
    backup->result->seq = end->foot.seq;
    if (!kept || head == end->foot.seq) {
        return true;
    }
    if (log_write(backup, end->head.identity, &end->foot, head)) {
        return true;
    }
    if (backup->fault->code != PROTO_NOT_FOUND) {
        return false;
    }
    backup->fault->code = PROTO_OK; /* dropped while it was read: a base it is */
    *base = true;
    return true;
}

static bool set_run(struct backup *backup)
{
    const struct backup_moment now = {UINT64_MAX, INT64_MAX};
    struct backup_chain chain;
    bool base = backup->making->full;
    if (!backup_chain_find(&backup->set, &now, &chain, backup->fault)) {
        return false;
    }
    base |= chain.count == 0;
    bool good = chain.count == 0 || chain_continue(backup, chain.items[chain.count - 1], &base);
    backup_chain_fini(&chain);
    return good && (!base || base_run(backup));
}

bool backup_make_base(const struct backup_making *making, const struct backup_set *set,
                      struct backup_result *result, struct proto_fault *fault)
{
    struct backup_foot foot;
    struct backup backup = {
        .making = making, .store = making->store, .result = result, .set = *set, .fault = fault};
    *result = (struct backup_result){.kind = "none"};
    return base_dump(&backup, &foot);
}

bool backup_make(const struct backup_making *making, struct backup_result *result,
                 struct proto_fault *fault)
{
    struct backup backup = {
        .making = making, .store = making->store, .result = result, .fault = fault};
    *result = (struct backup_result){.kind = "none"};
    if (!backup_set_open(&backup.set, making->path, true, fault)) {
        return false;
    }
    bool good = set_run(&backup);
    backup_set_close(&backup.set);
    return good;
}

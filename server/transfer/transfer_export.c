/* SPDX-License-Identifier: Apache-2.0 */
/* The job opens a view and a file that it takes the name off at once, writes the lines, and puts
 * the file among those that wait to be read. Whatever fails, a full disk included, closes the file,
 * and with that it is gone; nobody is ever given a part of an export as the whole. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/engine/engine_create.h"
#include "server/engine/job.h"
#include "server/transfer/transfer_view.h"

enum { PATH_BYTES = 4096, CHARACTER_BYTES = 4 };

struct kept {
    uint64_t number; /* 0: none */
    int fd;
};

struct transfer {
    pthread_mutex_t lock; /* of what is kept */
    struct kept kept[TRANSFER_KEPT];
    char path[PATH_BYTES]; /* where files are made */
};

struct exporting {
    struct transfer *transfer;
    struct transfer_exported *exported;
    struct engine_job *job;
    struct proto_fault *fault;
};

struct transfer *transfer_create(const char *folder, struct proto_fault *fault)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for exports");
        return NULL;
    }
    pthread_mutex_init(&transfer->lock, NULL);
    snprintf(transfer->path, sizeof transfer->path, "%s/export.XXXXXX", folder);
    return transfer;
}

static void kept_drop(struct kept *kept)
{
    if (kept->number != 0) {
        close(kept->fd);
        kept->number = 0;
    }
}

void transfer_destroy(struct transfer *transfer)
{
    if (transfer == NULL) {
        return;
    }
    for (unsigned i = 0; i < TRANSFER_KEPT; i++) {
        kept_drop(&transfer->kept[i]);
    }
    pthread_mutex_destroy(&transfer->lock);
    free(transfer);
}

static bool file_fault(struct proto_fault *fault, int code, const char *doing)
{
    bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    return proto_fault_set(fault,
                           full             ? PROTO_DISK_FULL
                           : code == ENOMEM ? PROTO_NO_MEMORY
                                            : PROTO_IO,
                           "", "%s a file of the export in the data directory: %s", doing,
                           strerror(code));
}

static FILE *file_open(const struct transfer *transfer, struct proto_fault *fault)
{
    char path[PATH_BYTES];
    memcpy(path, transfer->path, sizeof path);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        file_fault(fault, errno, "cannot make");
        return NULL;
    }
    if (unlink(path) != 0) {
        file_fault(fault, errno, "cannot take the name off");
        close(fd);
        return NULL;
    }
    FILE *file = fdopen(fd, "w+");
    if (file == NULL) {
        file_fault(fault, errno, "cannot open");
        close(fd);
    }
    return file;
}

/* The descriptor outlives the stream, whose buffer is written. */
static bool file_keep(const struct exporting *exporting, FILE *file)
{
    struct transfer *transfer = exporting->transfer;
    if (fflush(file) != 0) {
        return file_fault(exporting->fault, errno, "cannot write");
    }
    int fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return file_fault(exporting->fault, errno, "cannot keep");
    }
    pthread_mutex_lock(&transfer->lock);
    kept_drop(&transfer->kept[TRANSFER_KEPT - 1]);
    memmove(transfer->kept + 1, transfer->kept, (TRANSFER_KEPT - 1) * sizeof *transfer->kept);
    transfer->kept[0] = (struct kept){exporting->job->info.job, fd};
    pthread_mutex_unlock(&transfer->lock);
    return true;
}

static bool goes_on(void *context, double done)
{
    const struct exporting *exporting = context;
    return engine_job_progress(exporting->job, done, "accounts") ||
           proto_fault_set(exporting->fault, PROTO_CANCELLED, "", "the job was cancelled");
}

static bool view_export(struct exporting *exporting, FILE *file)
{
    struct transfer_writing writing = {.text = {.file = file},
                                       .exported = exporting->exported,
                                       .goes_on = goes_on,
                                       .context = exporting,
                                       .fault = exporting->fault};
    writing.view = store_view_open(engine_store(exporting->job->engine), exporting->fault);
    if (writing.view == NULL) {
        return false;
    }
    bool good = store_view_refresh(writing.view, exporting->fault);
    if (good) {
        exporting->exported->seq = store_view_seq(writing.view);
        good = transfer_view_write(&writing);
    }
    store_view_close(writing.view);
    exporting->exported->bytes = writing.text.bytes;
    return good && (writing.text.failed == 0 ||
                    file_fault(exporting->fault, writing.text.failed, "cannot write"));
}

static bool export_run(struct engine_job *job, struct proto_fault *fault)
{
    struct exporting *exporting = job->context;
    exporting->job = job;
    exporting->fault = fault;
    *exporting->exported = (struct transfer_exported){0};
    FILE *file = file_open(exporting->transfer, fault);
    if (file == NULL) {
        return false;
    }
    bool good = view_export(exporting, file) && file_keep(exporting, file);
    (void)fclose(file);
    return good;
}

uint64_t transfer_export(struct transfer *transfer, struct engine *engine,
                         const struct transfer_export *request, struct proto_fault *fault)
{
    struct exporting *exporting = calloc(1, sizeof *exporting);
    if (exporting == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a job");
        return 0;
    }
    exporting->transfer = transfer;
    exporting->exported = request->result;
    const struct engine_job job = {.deadline_ms = request->deadline_ms,
                                   .context = exporting,
                                   .run = export_run,
                                   .destroy = free,
                                   .on_progress = request->on_progress,
                                   .on_done = request->on_done,
                                   .callback_context = request->context};
    return engine_job_submit(engine, PROTO_OP_EVERYTHING_EXPORT, &job, fault);
}

/* Where the last whole character of the bytes ends. */
static size_t whole(const uint8_t *bytes, size_t count)
{
    size_t end = count;
    while (end > 0 && count - end < CHARACTER_BYTES && (bytes[end - 1] & 0xC0) == 0x80) {
        end--;
    }
    if (end == 0 || bytes[end - 1] < 0xC0) {
        return count; /* ends in a plain letter */
    }
    size_t wanted = bytes[end - 1] >= 0xF0 ? 4 : bytes[end - 1] >= 0xE0 ? 3 : 2;
    return count - (end - 1) >= wanted ? count : end - 1;
}

bool transfer_read(struct transfer *transfer, uint64_t number, uint64_t at, uint8_t *room,
                   size_t room_bytes, size_t *got, struct proto_fault *fault)
{
    struct kept *kept = NULL;
    pthread_mutex_lock(&transfer->lock);
    for (unsigned i = 0; i < TRANSFER_KEPT; i++) {
        kept = transfer->kept[i].number == number && number != 0 ? &transfer->kept[i] : kept;
    }
    bool good = kept != NULL ||
                proto_fault_set(fault, PROTO_NOT_FOUND, "export",
                                "there is no such export, or it was read, or another took its "
                                "place: begin anew");
    if (good) {
        ssize_t bytes = pread(kept->fd, room, room_bytes, (off_t)at);
        good = bytes >= 0 || file_fault(fault, errno, "cannot read");
        *got = bytes > 0 ? whole(room, (size_t)bytes) : 0;
        if (bytes == 0) {
            kept_drop(kept);
        }
    }
    pthread_mutex_unlock(&transfer->lock);
    return good;
}

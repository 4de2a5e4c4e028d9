/* SPDX-License-Identifier: Apache-2.0 */
/* Input: what follows the header page of a segment of the log. Its first byte says whether the
 * bytes stand as they are, or entries that the rest describes are laid out and sealed first, with
 * one byte changed or the end cut off after that, so that the fuzzer gets behind the checks.
 * Whatever comes, the walk ends within the file; what it takes for good is linked from the first
 * entry to the last, and is found again when the rest is cut off; and a log of sound groups is
 * never called damaged. */
#include <string.h>

#include "server/log/log_scan.h"
#include "tests/fuzz/fuzz.h"

#define FILE_BYTES ((size_t)1 << 16)
#define FIRST 10

struct file {
    uint8_t bytes[FILE_BYTES];
    size_t count;
    size_t written; /* of the input before, which may have been cut off further in front */
    struct log_page page;
};

static ssize_t file_pread(void *context, int fd, void *bytes, size_t count, off_t at)
{
    const struct file *file = context;
    (void)fd;
    size_t left = (size_t)at < file->count ? file->count - (size_t)at : 0;
    size_t got = count < left ? count : left;
    memcpy(bytes, file->bytes + at, got);
    return (ssize_t)got;
}

/* Each byte is an entry: three bits of place (0 begins a group), five of payload; 255 an end mark.
 */
static uint64_t entries_lay(struct file *file, const uint8_t *data, size_t bytes)
{
    struct log_head head = {.sequence = FIRST - 1};
    uint64_t chain = 0;
    for (size_t i = 0; i < bytes && file->count + 2 * LOG_HEAD_BYTES + 32 <= FILE_BYTES; i++) {
        uint8_t *at = file->bytes + file->count;
        struct proto_span payload = {data + i, data[i] & 31};
        if (payload.bytes > bytes - i) {
            payload.bytes = bytes - i;
        }
        uint64_t sequence = head.sequence + 1;
        if (data[i] == 255) {
            log_end_seal(&head, file->page.seed, sequence - 1, chain);
            memcpy(at, &head, sizeof head);
            file->count += sizeof head;
            return sequence - 1;
        }
        head = (struct log_head){.sequence = sequence,
                                 .chain = chain,
                                 .place = i == 0 || data[i] >> 5 == 0 ? 0 : head.place + 1};
        log_head_seal(&head, file->page.seed, payload);
        memcpy(at, &head, sizeof head);
        memcpy(at + sizeof head, payload.data, payload.bytes);
        chain = head.check;
        file->count += (size_t)log_entry_bytes(payload.bytes);
    }
    return head.sequence;
}

static bool file_scan(struct file *file, struct log_scan *scan)
{
    struct log_io io = {.context = file, .pread = file_pread};
    struct log_window window;
    struct proto_fault fault = {.code = PROTO_OK};
    log_window_init(&window, &io, -1);
    bool good = log_scan_all(&window, &file->page, UINT64_MAX, scan, &fault);
    FUZZ_HOLDS(good || fault.code == PROTO_CORRUPT);
    FUZZ_HOLDS(scan->end <= file->count && scan->group_at <= scan->end);
    struct log_scan end;
    if (log_scan_end(&window, &file->page, file->count, &end, &fault)) {
        FUZZ_HOLDS(end.last + 1 >= FIRST);
    }
    log_window_fini(&window);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct file file;
    if (bytes < 4) {
        return 0;
    }
    memset(file.bytes, 0, file.written);
    file.page = (struct log_page){.seed = 99, .identity = 7, .first = FIRST};
    log_page_seal(&file.page);
    memcpy(file.bytes, &file.page, sizeof file.page);
    file.count = LOG_PAGE_BYTES;
    uint64_t laid = 0;
    size_t place = ((size_t)data[1] << 8 | data[2]) + LOG_PAGE_BYTES;
    if (data[0] % 4 == 0) {
        size_t count = bytes - 1 < FILE_BYTES - file.count ? bytes - 1 : FILE_BYTES - file.count;
        memcpy(file.bytes + file.count, data + 1, count);
        file.count += count;
    } else {
        laid = entries_lay(&file, data + 3, bytes - 3);
    }
    file.written = file.count;
    if (data[0] % 4 == 2 && place < file.count) {
        file.bytes[place] ^= (uint8_t)(data[0] | 1);
    }
    if (data[0] % 4 == 3 && place < file.count) {
        file.count = place;
    }
    struct log_scan scan;
    bool good = file_scan(&file, &scan);
    FUZZ_HOLDS(good || data[0] % 4 == 2 || data[0] % 4 == 0);
    FUZZ_HOLDS(data[0] % 4 != 1 || scan.last == laid);
    if (good) {
        struct log_scan again;
        file.count = (size_t)scan.end;
        FUZZ_HOLDS(file_scan(&file, &again));
        FUZZ_HOLDS(again.last == scan.last && again.end == scan.end && again.chain == scan.chain);
    }
    return 0;
}

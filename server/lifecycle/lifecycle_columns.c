/* SPDX-License-Identifier: Apache-2.0 */
/* The page that is there is given if nothing was told of its accounts since; else a newer one is
 * made outside the lock and takes its place, unless another thread was sooner. A view older than
 * the page leaves the page alone. */
#include "server/lifecycle/lifecycle_columns.h"

#include <stdlib.h>

#include "server/store/store.h"
#include "server/store/told.h"

struct lifecycle_columns {
    pthread_mutex_t lock; /* guards what follows but the shapes */
    struct lifecycle_page **pages;
    size_t count;
    size_t bytes;
    size_t bytes_max;
    struct {
        void *data;
        void (*destroy)(void *data);
    } guests[LIFECYCLE_GUESTS];
    struct lifecycle_shapes shapes;
};

struct lifecycle_columns *lifecycle_columns_create(size_t bytes_max, struct proto_fault *fault)
{
    struct lifecycle_columns *columns = calloc(1, sizeof *columns);
    if (columns == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for columns of events");
        return NULL;
    }
    columns->bytes_max = bytes_max;
    pthread_mutex_init(&columns->lock, NULL);
    lifecycle_shapes_init(&columns->shapes);
    return columns;
}

void lifecycle_columns_destroy(struct lifecycle_columns *columns)
{
    if (columns == NULL) {
        return;
    }
    for (size_t i = 0; i < LIFECYCLE_GUESTS; i++) {
        if (columns->guests[i].data != NULL) {
            columns->guests[i].destroy(columns->guests[i].data);
        }
    }
    for (size_t i = 0; i < columns->count; i++) {
        lifecycle_page_release(columns->pages[i]);
    }
    free(columns->pages);
    lifecycle_shapes_fini(&columns->shapes);
    pthread_mutex_destroy(&columns->lock);
    free(columns);
}

struct lifecycle_shapes *lifecycle_columns_shapes(struct lifecycle_columns *columns)
{
    return &columns->shapes;
}

void *lifecycle_columns_guest(struct lifecycle_columns *columns, enum lifecycle_guest which,
                              void *(*create)(void), void (*destroy)(void *guest))
{
    pthread_mutex_lock(&columns->lock);
    if (columns->guests[which].data == NULL) {
        columns->guests[which].data = create();
        columns->guests[which].destroy = destroy;
    }
    void *guest = columns->guests[which].data;
    pthread_mutex_unlock(&columns->lock);
    return guest;
}

size_t lifecycle_columns_bytes(struct lifecycle_columns *columns)
{
    pthread_mutex_lock(&columns->lock);
    size_t bytes = columns->bytes;
    pthread_mutex_unlock(&columns->lock);
    return bytes;
}

/* The page that is there, retained; NULL: none. *full: no other can be added. */
static struct lifecycle_page *page_get(struct lifecycle_columns *columns, uint32_t number,
                                       bool *full)
{
    pthread_mutex_lock(&columns->lock);
    struct lifecycle_page *page = number < columns->count ? columns->pages[number] : NULL;
    page = page != NULL ? lifecycle_page_retain(page) : NULL;
    *full = columns->bytes >= columns->bytes_max;
    pthread_mutex_unlock(&columns->lock);
    return page;
}

/* The lock is held. */
static bool room_make(struct lifecycle_columns *columns, uint32_t number)
{
    if (number < columns->count) {
        return true;
    }
    size_t count =
        (size_t)number + 1 > columns->count * 2 ? (size_t)number + 1 : columns->count * 2;
    struct lifecycle_page **pages =
        realloc(columns->pages, count * sizeof(struct lifecycle_page *));
    if (pages == NULL) {
        return false;
    }
    memset(pages + columns->count, 0, (count - columns->count) * sizeof(struct lifecycle_page *));
    columns->pages = pages;
    columns->count = count;
    return true;
}

/* The newer of two pages stays. */
static void page_put(struct lifecycle_columns *columns, struct lifecycle_page *page)
{
    struct lifecycle_page *old = NULL;
    pthread_mutex_lock(&columns->lock);
    if (room_make(columns, page->number)) {
        struct lifecycle_page **place = &columns->pages[page->number];
        size_t bytes = columns->bytes - (*place != NULL ? (*place)->bytes : 0) + page->bytes;
        if (bytes <= columns->bytes_max && (*place == NULL || (*place)->seq <= page->seq)) {
            old = *place;
            *place = lifecycle_page_retain(page);
            columns->bytes = bytes;
        }
    }
    pthread_mutex_unlock(&columns->lock);
    lifecycle_page_release(old);
}

/* Accounts that cannot be read are no reason to make the page anew each time. */
static bool is_fresh(const struct lifecycle_page *page, const struct store_view *view)
{
    return store_view_told_group(view, page->number * LIFECYCLE_PAGE_SLOTS) <= page->seq;
}

struct lifecycle_page *lifecycle_columns_page(struct lifecycle_columns *columns,
                                              struct engine_worker *worker,
                                              const struct engine_job *job, uint32_t number,
                                              struct proto_fault *fault)
{
    bool full = false;
    if (columns == NULL) {
        return NULL;
    }
    struct lifecycle_page *page = page_get(columns, number, &full);
    uint64_t seq = store_view_seq(worker->view);
    bool stays = page != NULL && (page->seq >= seq || is_fresh(page, worker->view));
    if (stays || (page == NULL && full)) {
        return page;
    }
    struct lifecycle_page *made =
        lifecycle_page_make(worker, job, &columns->shapes, page, number, fault);
    if (made != NULL) {
        page_put(columns, made);
    }
    if (made == NULL && fault->code == PROTO_OK) {
        return page; /* of what is as it was it is still right */
    }
    lifecycle_page_release(page);
    return made;
}

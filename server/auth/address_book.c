/* SPDX-License-Identifier: Apache-2.0 */
/* A table of sets. An address is looked for in its set; if it is not there it takes a place of
 * which nothing need be remembered, and else shares the last one. */
#include "server/auth/address_book.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SETS_MAX 65536
#define MINUTE_NS (UINT64_C(60) * 1000000000)

struct place {
    struct auth_source source;
    uint32_t connections;
    uint64_t paid_ns; /* when its wrong tokens are paid off */
    struct auth_bucket requests;
};

struct set {
    struct place ways[AUTH_ADDRESS_WAYS + 1]; /* the last is shared */
};

struct auth_addresses {
    struct auth_addresses_options options;
    pthread_mutex_t lock; /* of the sets */
    size_t sets_count;    /* a power of two */
    struct set *sets;
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool auth_source_of(const struct sockaddr *address, struct auth_source *source)
{
    *source = (struct auth_source){0};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in four;
        memcpy(&four, address, sizeof four);
        memcpy(source->bytes, mapped, sizeof mapped);
        memcpy(source->bytes + sizeof mapped, &four.sin_addr, 4);
        return true;
    }
    if (address->sa_family != AF_INET6) {
        return false;
    }
    struct sockaddr_in6 six;
    memcpy(&six, address, sizeof six);
    bool whole =
        memcmp(&six.sin6_addr, mapped, sizeof mapped) == 0 || IN6_IS_ADDR_LOOPBACK(&six.sin6_addr);
    memcpy(source->bytes, &six.sin6_addr, whole ? 16 : 8);
    return true;
}

bool auth_source_is_loopback(const struct auth_source *source)
{
    struct in6_addr address;
    memcpy(&address, source->bytes, sizeof address);
    return IN6_IS_ADDR_LOOPBACK(&address) ||
           (memcmp(source->bytes, mapped, sizeof mapped) == 0 && source->bytes[12] == 127);
}

struct auth_addresses *auth_addresses_create(const struct auth_addresses_options *options,
                                             struct proto_fault *fault)
{
    struct auth_addresses *all = calloc(1, sizeof *all);
    if (all != NULL) {
        all->options = *options;
        all->sets_count = 1;
        /* Half full at most while each connection has an address of its own. */
        while (all->sets_count < SETS_MAX &&
               all->sets_count * AUTH_ADDRESS_WAYS / 2 < options->places) {
            all->sets_count *= 2;
        }
        all->sets = calloc(all->sets_count, sizeof *all->sets);
    }
    if (all == NULL || all->sets == NULL) {
        free(all);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the addresses");
        return NULL;
    }
    pthread_mutex_init(&all->lock, NULL);
    return all;
}

void auth_addresses_destroy(struct auth_addresses *all)
{
    if (all != NULL) {
        pthread_mutex_destroy(&all->lock);
        free(all->sets);
        free(all);
    }
}

static bool has_nothing(const struct place *place, uint64_t now_ns)
{
    return place->connections == 0 && place->paid_ns <= now_ns &&
           atomic_load_explicit(&place->requests.paid_ns, memory_order_relaxed) <= now_ns;
}

/* Where an address is counted, from 0. */
static size_t place_find(struct auth_addresses *all, const struct auth_source *source,
                         uint64_t now_ns)
{
    uint64_t hash = XXH3_64bits_withSeed(source->bytes, sizeof source->bytes, all->options.seed);
    size_t index = (size_t)hash & (all->sets_count - 1);
    struct set *set = &all->sets[index];
    size_t way = AUTH_ADDRESS_WAYS;
    for (size_t i = 0; i < AUTH_ADDRESS_WAYS; i++) {
        if (!has_nothing(&set->ways[i], now_ns)) {
            if (memcmp(&set->ways[i].source, source, sizeof *source) == 0) {
                return index * (AUTH_ADDRESS_WAYS + 1) + i;
            }
        } else if (way == AUTH_ADDRESS_WAYS) {
            way = i;
        }
    }
    set->ways[way].source = *source;
    return index * (AUTH_ADDRESS_WAYS + 1) + way;
}

static struct place *place_at(const struct auth_addresses *all, size_t at)
{
    return &all->sets[at / (AUTH_ADDRESS_WAYS + 1)].ways[at % (AUTH_ADDRESS_WAYS + 1)];
}

bool auth_guest_enter(struct auth_addresses *all, const struct auth_source *source, uint64_t now_ns,
                      auth_guest *guest)
{
    uint32_t most = all->options.connections_max;
    pthread_mutex_lock(&all->lock);
    size_t at = place_find(all, source, now_ns);
    struct place *place = place_at(all, at);
    bool welcome = most == 0 || place->connections < most;
    place->connections += welcome;
    pthread_mutex_unlock(&all->lock);
    *guest = welcome ? (auth_guest)(at + 1) : 0;
    return welcome;
}

void auth_guest_leave(struct auth_addresses *all, auth_guest guest)
{
    if (guest != 0) {
        pthread_mutex_lock(&all->lock);
        place_at(all, guest - 1)->connections--;
        pthread_mutex_unlock(&all->lock);
    }
}

bool auth_guest_may_try(struct auth_addresses *all, auth_guest guest, uint64_t now_ns,
                        uint64_t *wait_ns)
{
    if (guest == 0 || all->options.wrong_max == 0) {
        return true;
    }
    pthread_mutex_lock(&all->lock);
    uint64_t paid_ns = place_at(all, guest - 1)->paid_ns;
    pthread_mutex_unlock(&all->lock);
    uint64_t owed = paid_ns > now_ns ? paid_ns - now_ns : 0;
    uint64_t most = MINUTE_NS - MINUTE_NS / all->options.wrong_max;
    *wait_ns = owed > most ? owed - most : 0;
    return owed <= most;
}

bool auth_addresses_meter(const struct auth_addresses *all)
{
    return all->options.requests.per_s > 0;
}

/* A place is nobody else's while it has a connection, so that the lock is not needed. */
bool auth_guest_admit(struct auth_addresses *all, auth_guest guest, uint64_t now_ns,
                      uint64_t *wait_ns)
{
    return guest == 0 || auth_bucket_take(&place_at(all, guest - 1)->requests,
                                          &all->options.requests, 1, now_ns, wait_ns);
}

void auth_guest_was_wrong(struct auth_addresses *all, auth_guest guest, uint64_t now_ns)
{
    if (guest == 0 || all->options.wrong_max == 0) {
        return;
    }
    pthread_mutex_lock(&all->lock);
    struct place *place = place_at(all, guest - 1);
    place->paid_ns =
        (place->paid_ns > now_ns ? place->paid_ns : now_ns) + MINUTE_NS / all->options.wrong_max;
    pthread_mutex_unlock(&all->lock);
}
